"""Text of documents and models stays text."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.blocks import sentence_markdown
from bot.conversation import Sentence
from bot.markup import cut, escape, inert_markdown, plain_text, web_url, width

NASTY = st.lists(
    st.sampled_from(
        [
            *list("[]()!`\\<>&*_~#|:@.-\n '\"ab1"),
            *["```", "```\n", "](", "][", "]:", "![", "https://evil.example/x", "www.evil.example"],
            *["<@U1>", "<!channel>", "<https://evil.example|x>", "@here", "evil.example", "[1]"],
            *[
                "[a]: https://evil.example",
                "mailto:a@evil.example",
                "\u202e",
                "\x00",
                "&lt;",
                "\\`",
            ],
        ]
    ),
    max_size=24,
).map("".join)
MARKDOWN = MarkdownIt("commonmark").enable("table")


def dangers(markdown: str) -> list[str]:
    """Return what a CommonMark reader, and Slack's own markup, would make out of the text."""
    found = re.findall(r"<[@#!a-zA-Z/][^>]*>|<[@#!]", markdown)
    for token in MARKDOWN.parse(markdown):
        for part in [token, *(token.children or [])]:
            if part.type in ("link_open", "image", "html_inline", "html_block"):
                found.append(part.type)
            if part.type == "text" and re.search(
                r"(?i)://\w|www\.\w|\bevil\.example\b", part.content
            ):
                found.append(part.content)
    return found


@given(st.lists(NASTY, min_size=1, max_size=3), st.sampled_from(["", " ", "\n", "\n- ", "\n1. "]))
@example(["\\`a` https://evil.example `b`"], " ")
@example(["` one", "two `https://evil.example"], " ")
@example(["[label", "](https://evil.example)"], "")
@example(["see [1]", "(https://evil.example)"], "")
@example(["x!", "[a]: https://evil.example"], "")
@example(["```\n<@U1> https://evil.example\n```"], "")
def test_no_text_becomes_a_link_a_mention_or_an_image(texts: list[str], lead: str) -> None:
    whole = "".join(sentence_markdown(Sentence(text, (1,), lead)) for text in texts)
    assert dangers(whole) == []


@given(st.text(), st.text(max_size=6))
def test_no_text_at_all_becomes_markup(text: str, lead: str) -> None:
    assert dangers(sentence_markdown(Sentence(text, (2,), lead))) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Use **bold** and `code`.", "Use **bold** and `code`."),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("go to https://evil.example/x.", "go to `https://evil.example/x`."),
        ("[click](https://evil.example)", "[click] (`https://evil.example`)"),
        ("![pixel](https://evil.example/p.png)", "! [pixel] (`https://evil.example/p.png`)"),
        ("as [2] says", "as (2) says"),
        ("mail a@evil.example now", "mail `a@evil.example` now"),
        ("C:\\dir and \\*", "C:\\dir and \\\\*"),
        ("List<String> in `List<String>`", "List&lt;String&gt; in `List<\u2060String>`"),
        ("version 1.2.3, e.g. this", "version 1.2.3, e.g. this"),
    ],
)
def test_what_becomes_of_typical_text(text: str, shown: str) -> None:
    assert inert_markdown(text) == shown


def test_a_sentence_bears_its_marks() -> None:
    assert sentence_markdown(Sentence("It is so.", (1, 3))) == " It is so. [1] [3]"
    assert sentence_markdown(Sentence("  ", (1,))) == ""


def test_marks_of_a_code_fence_stand_below_it() -> None:
    sentence = Sentence("```bash\nls -l\n```", (2,), "\n")
    assert sentence_markdown(sentence) == "\n```bash\nls -l\n```\n[2]"


@given(st.text(), st.integers(min_value=1, max_value=60))
def test_cutting_counts_in_slacks_unit_and_breaks_no_entity(text: str, limit: int) -> None:
    assert width(cut(text, limit)) <= limit
    shown = escape(text, limit)
    assert width(shown) <= limit
    assert re.sub("&(amp|lt|gt);", "", shown).count("&") == 0
    assert "<" not in shown


@given(st.text())
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    clean = "".join(text.split())
    there = escape(clean)
    back = plain_text(there)
    assert back == "".join(escape(clean).split()).replace("&lt;", "<").replace("&gt;", ">").replace(
        "&amp;", "&"
    )


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("<@UFOOTNOTE> hi <@U1|bob>, <@U2>", "hi @bob, @someone"),
        ("see <#C1|general> and <https://a.example/x|the page>", "see #general and the page"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("<!here> &lt;b&gt; &amp;amp;", "@here <b> &amp;"),
        ("<!subteam^S1|@team> <mailto:a@b.example|a@b.example>", "@team a@b.example"),
        ("line one\nline  two", "line one\nline two"),
    ],
)
def test_what_people_wrote_is_read_without_slacks_markup(said: str, heard: str) -> None:
    assert plain_text(said, "UFOOTNOTE") == heard


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://a.example",
        "https://",
        "//a.example",
        "https://good.example@evil.example/",
        "https://a.example/a b",
        "https://a.example/\nx",
        "https:\\\\a.example",
        "https://[::1",
        "https://a.example/" + "x" * 3_000,
    ],
)
def test_only_plain_web_addresses_become_links(url: str) -> None:
    assert web_url(url) == ""


def test_a_link_cannot_break_out_of_its_brackets() -> None:
    assert web_url("https://a.example/?q=<!channel>|x") == "https://a.example/?q=%3C!channel%3E%7Cx"
