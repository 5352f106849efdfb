import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.answering.cleaning import clean, clean_code

FORBIDDEN = re.compile(
    r"https?:\s*/|://|\bwww\.|\bmailto:\S|\bjavascript:\S|<[@!#/a-zA-Z]|!\[|\]\("
    r"|@here|@channel|@everyone|\[.*\]:\s*/",
    re.I,
)
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]")

PARTS = st.sampled_from(
    [
        "https://evil.example/x?q=1",
        "http://",
        "www.evil.example",
        "[text](",
        ")",
        "![img](",
        "](",
        "[label](https://evil.example)",
        "![x](http://e.example/p.png)",
        "<!channel>",
        "<@U123|bob>",
        "<#C1|general>",
        "<https://evil.example|click>",
        "@here",
        "@channel",
        "[1]: https://e.example",
        "[a]: //e.example",
        "[see][ref]",
        "<b>",
        "</b>",
        "<script>",
        "<img src=x onerror=y>",
        "&lt;",
        "&gt;",
        "&#104;ttps://",
        "&amp;lt;!here&amp;gt;",
        "\u200b",
        "\u202e",
        "\x00",
        "\ufe0f",
        "`",
        "```",
        "**",
        "_",
        "*",
        "htt",
        "ps:",
        "//",
        "evil.example/path",
        "a@evil.example",
        "#general",
        "[1]",
        "[^2]",
        "\n",
        " ",
        "<",
        ">",
        "!",
        "[",
        "]",
        "(",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:",
        "word",
        "25 days",
        "10.0.0.1",
        "ＨＴＴＰ",
        "<!--",
        "-->",
        "\\",
    ]
)


@given(st.lists(PARTS | st.text(max_size=6), max_size=12).map("".join))
@example("a@evil.examplea@evil.example@herehttps://evil.example/x?q=1")
def test_no_link_image_mention_or_hidden_character_survives(text: str) -> None:
    cleaned = clean(text)
    assert not FORBIDDEN.search(cleaned), cleaned
    assert not HIDDEN.search(cleaned)
    assert "evil.example" not in cleaned
    assert clean(cleaned) == cleaned


@given(st.lists(PARTS | st.text(max_size=6), max_size=12).map("".join))
def test_no_link_or_mention_survives_in_code(text: str) -> None:
    cleaned = clean_code(text)
    assert not re.search(r"https?://|<[@!#]|`|@here", cleaned), cleaned
    assert not HIDDEN.search(cleaned)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("See [the docs](https://evil.example/a(b)c) first.", "See the docs first."),
        ("Look: ![x](https://evil.example/p.png?d=secret) done.", "Look: done."),
        ("<!channel> ping <@U1|bob> and @here", "ping and here"),
        ("<https://evil.example|Click me> now", "Click me now"),
        ("[1]: https://evil.example\nText [1].", "Text [1]."),
        ("Go to https://evil.example/x now.", "Go to … now."),
        ("Go to evil.example now.", "Go to … now."),
        ("&lt;!here&gt; hello", "hello"),
        ("[1](https://evil.example) and [source][2]", "[1] and source [2]"),
        ("pass\u200bword \u202eabc", "password abc"),
        ("**Bold** and *it* and `code_x` and __init__", "Bold and it and `code_x` and __init__"),
        ("Keep x < 5 and y > 3 and a <= b.", "Keep x < 5 and y > 3 and a <= b."),
        ("## Heading", "Heading"),
        ("Costs $5, i.e. 5 * 3 at 3.5% (v1.2.3).", "Costs $5, i.e. 5 * 3 at 3.5% (v1.2.3)."),
    ],
)
def test_what_is_left_still_reads(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_an_address_of_the_passages_stays_readable_but_is_no_link() -> None:
    known = "Write to people@northwind.example, ask in #people-ops or open README.md."
    assert (
        clean("Write to people@northwind.example.", known) == "Write to `people@northwind.example`."
    )
    assert clean("Ask in #people-ops.", known) == "Ask in `#people-ops`."
    assert clean("Ask in #random.", known) == "Ask in random."
    assert clean("Open README.md.", known) == "Open `README.md`."
    assert clean("Write to eve@evil.example.", known) == "Write to …."


def test_a_full_url_never_stays_even_if_a_passage_holds_it() -> None:
    assert clean("Open https://a.example/x.", "see https://a.example/x.") == "Open …"
