"""Answers as Block Kit: within Slack's limits, whatever the text."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import messages
from bot.blocks import (
    answer_blocks,
    answer_markdown,
    answer_messages,
    button_value,
    footnote_view,
    notice_view,
    read_button_value,
)
from bot.conversation import Answer, Citation, Nearby, Sentence, Verdict
from bot.feedback import feedback_blocks
from bot.home import home_view
from bot.markup import width
from bot.notes import notes
from bot.parts import PART_BYTES, open_fence, split

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = "T0FOOT:C0LAN2Q65:1700000000.000200"

long_text = st.text(max_size=60).flatmap(
    lambda text: st.integers(1, 400).map(lambda times: text * times)
)
citations = st.builds(
    Citation,
    number=st.integers(0, 10**6),
    title=long_text,
    url=long_text | st.just("https://a.example/" + "p/" * 300) | st.just("https://a.example/x"),
    quote=long_text,
    before=long_text,
    after=long_text,
    heading=long_text,
    page=st.none() | st.integers(),
    updated_at=st.none() | st.datetimes(timezones=st.none() | st.just(UTC)),
)
answers = st.builds(
    Answer,
    verdict=st.sampled_from(list(Verdict)),
    sentences=st.lists(
        st.builds(
            Sentence,
            long_text,
            st.lists(st.integers(1, 9), max_size=3).map(tuple),
            st.sampled_from(["", " ", "\n", "\n- "]),
        ),
        max_size=5,
    ).map(tuple),
    citations=st.lists(citations, max_size=14).map(tuple),
    nearby=st.lists(st.builds(Nearby, long_text, long_text, long_text), max_size=8).map(tuple),
    cut=st.integers(0, 99),
    truncated=st.booleans(),
    missing=st.just("") | long_text,
    question_back=st.just("") | long_text,
    disagreement=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    filters=st.lists(long_text, max_size=7).map(tuple),
    language=st.sampled_from(["en", "de", "xx"]),
    model=st.sampled_from(["", "m"]),
    fallback=st.booleans(),
)


def texts(value: Any) -> list[dict[str, Any]]:
    """Return every text object inside a payload."""
    if isinstance(value, list):
        return [found for item in value for found in texts(item)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("type") in ("plain_text", "mrkdwn") else []
    return own + [found for item in value.values() for found in texts(item)]


def check_message(blocks: list[dict[str, Any]]) -> None:
    assert len(blocks) <= 50
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 13_200
    assert sum(width(b["text"]) for b in blocks if b["type"] == "markdown") <= 12_000
    for block in blocks:
        if block["type"] == "section":
            assert 1 <= width(block["text"]["text"]) <= 3_000
            button = block.get("accessory", {"value": "", "text": {"text": "x"}})
            assert width(button["value"]) <= 2_000
            assert width(button["text"]["text"]) <= 75
        if block["type"] == "context_actions":
            (feedback,) = block["elements"]
            for button in (feedback["positive_button"], feedback["negative_button"]):
                assert 1 <= width(button["text"]["text"]) <= 75
                assert 1 <= width(button["accessibility_label"]) <= 75
                assert 1 <= width(button["value"]) <= 2_000
    for found in texts(blocks):
        assert found["text"]
        if found["type"] == "mrkdwn":
            assert found["verbatim"] is True
            assert "<!" not in found["text"]
            assert "<@" not in found["text"]


ids = st.text("ABCabc019_-", min_size=1, max_size=64)
keys = st.builds(
    "{}:{}:{}.{}".format, ids, ids, st.integers(0, 10**16 - 1), st.integers(0, 10**9 - 1)
)


@settings(max_examples=60)
@given(answers, keys)
def test_every_answer_fits_slack(answer: Answer, key: str) -> None:
    parts = answer_messages(answer, key, NOW)
    for text, blocks in parts:
        assert 1 <= width(text) <= 4_000
        check_message(blocks)
    rows = answer_blocks(answer, key, NOW)
    assert len(json.dumps(rows, ensure_ascii=False)) + PART_BYTES <= 13_200
    check_message([*parts[-1][1][:1], *rows])
    assert rows[-1:] == feedback_blocks(key)


@settings(max_examples=60)
@given(citations)
def test_every_footnote_fits_a_modal(citation: Citation) -> None:
    view = footnote_view(citation, NOW)
    assert width(view["title"]["text"]) <= 24
    assert len(view["blocks"]) <= 100
    assert len(json.dumps(view).encode()) <= 250_000
    for block in view["blocks"]:
        if block["type"] == "header":
            assert 1 <= width(block["text"]["text"]) <= 150
        if block["type"] == "actions":
            assert block["elements"][0]["url"].startswith(("http://", "https://"))
    assert all(found["text"] for found in texts(view))


def test_an_answer_shows_its_sentences_and_a_row_for_each_footnote(
    answer: Answer, emitted: Callable[[str, Any], None]
) -> None:
    ((text, blocks),) = answer_messages(answer, KEY, NOW)
    emitted("message", blocks)
    assert text == (
        "Everybody gets 30 days of leave a year. [1] Ask your manager two weeks before. [1] [2]"
    )
    assert [block["type"] for block in blocks] == ["markdown", "section", "section"]
    assert blocks[1]["text"]["text"] == (
        "*[1]* <https://handbook.example.com/leave#days|Leave policy>\n"
        "Days of leave · page 3 · updated 3 weeks ago"
    )
    assert read_button_value(blocks[1]["accessory"]["value"]) == (KEY, 1)
    assert blocks[2]["text"]["text"] == "*[2]* Asking for leave"


def test_an_answer_that_was_not_found_names_the_nearest_pages(
    emitted: Callable[[str, Any], None],
) -> None:
    answer = Answer(
        Verdict.NOT_FOUND,
        nearby=(Nearby("Travel <b>", "https://a.example/t", "Trains"), Nearby("Pets", "ftp://x")),
    )
    blocks = answer_blocks(answer, KEY, NOW)
    emitted("message", blocks)
    assert answer_markdown(answer) == messages.NOT_FOUND
    assert blocks[-2]["text"]["text"] == (
        "*The nearest pages*\n• <https://a.example/t|Travel &lt;b&gt;> · Trains\n• Pets"
    )


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"model": ""}, messages.QUOTES_ONLY),
        ({"fallback": True, "model": ""}, messages.FALLBACK),
        ({"fallback": True, "verdict": Verdict.PARTLY}, messages.BROKE_OFF),
        ({"verdict": Verdict.PARTLY}, messages.PARTLY),
        ({"cut": 1, "verdict": Verdict.PARTLY}, messages.cut(1)),
        ({"cut": 1}, "One sentence was left out, because no quote supports it."),
        ({"cut": 3}, "3 sentences were left out, because no quote supports them."),
        ({"verdict": Verdict.PARTLY, "truncated": True}, messages.CUT_SHORT),
        ({"verdict": Verdict.PARTLY, "missing": "the cost"}, messages.missing("the cost")),
        (
            {"filters": ("only from handbook", "only pages since 2026-05-01")},
            "The search was limited: only from handbook, only pages since 2026-05-01.",
        ),
    ],
)
def test_an_answer_says_what_is_less_than_whole_about_it(
    answer: Answer, change: dict[str, Any], note: str
) -> None:
    blocks = answer_blocks(replace(answer, **change), KEY, NOW)
    assert blocks[-2] == {
        "type": "context",
        "elements": [{"type": "plain_text", "text": note, "emoji": False}],
    }


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(Verdict.NOT_FOUND), []),
        (Answer(Verdict.NOT_FOUND, model="m"), []),
        (Answer(Verdict.NOT_FOUND, model="m", cut=2), [messages.cut(2)]),
        (Answer(Verdict.NOT_FOUND, fallback=True), [messages.FALLBACK_EMPTY]),
        (
            Answer(Verdict.NOT_FOUND, fallback=True, cut=1),
            [messages.FALLBACK_EMPTY, messages.cut(1)],
        ),
        (
            Answer(Verdict.ANSWERED, (Sentence("x", (1,)),), fallback=True, cut=1),
            [messages.FALLBACK, messages.cut(1)],
        ),
        (
            Answer(Verdict.PARTLY, (Sentence("x", (1,)),), model="m", fallback=True, cut=1),
            [messages.BROKE_OFF, messages.cut(1)],
        ),
        (
            Answer(
                Verdict.PARTLY,
                (Sentence("x", (1,)),),
                model="m",
                cut=1,
                truncated=True,
                missing="y",
            ),
            [messages.missing("y"), messages.cut(1), messages.CUT_SHORT],
        ),
        (
            Answer(Verdict.NOT_FOUND, model="m", missing="y", truncated=True, disagreement=(1, 2)),
            [],
        ),
    ],
)
def test_the_notes_are_true_whatever_the_model_did(answer: Answer, said: list[str]) -> None:
    assert notes(answer) == said


FIRST, THEN = datetime(2024, 5, 1, tzinfo=UTC), datetime(2026, 3, 1, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (
            (FIRST, THEN),
            "The documents disagree: compare [1] (updated 2024-05-01) with [2] (updated"
            " 2026-03-01). [2] is the newest.",
        ),
        (
            (THEN, THEN - timedelta(hours=2)),
            "The documents disagree: compare [1] (updated 2026-03-01) with [2] (updated"
            " 2026-03-01).",
        ),
        (
            (THEN, None),
            "The documents disagree: compare [1] (updated 2026-03-01) with [2] (undated).",
        ),
    ],
)
def test_sources_that_disagree_are_named_with_their_dates(
    dates: tuple[datetime | None, ...],
    said: str,
    answer: Answer,
    emitted: Callable[[str, Any], None],
) -> None:
    cited = tuple(replace(c, updated_at=at) for c, at in zip(answer.citations, dates, strict=True))
    both = replace(
        answer, verdict=Verdict.DISAGREE, citations=cited, disagreement=(1, 2), model="m"
    )
    ((_, blocks),) = answer_messages(both, KEY, NOW)
    emitted("message", blocks)
    assert notes(both) == [said]
    assert blocks[-1]["elements"][0]["text"] == said


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("", messages.unclear("")),
        ("Which office, Berlin or Lisbon?", messages.unclear("Which office, Berlin or Lisbon?")),
        (
            "See <https://evil.example|this> <!channel> [1](https://evil.example)?",
            "I am not sure what to look for: “See &lt;`https://evil.example|this`&gt; "
            "&lt;!channel&gt; (1)(`https://evil.example)?”`",
        ),
    ],
)
def test_an_unclear_question_is_asked_back_in_one_harmless_sentence(
    asked: str, text: str, emitted: Callable[[str, Any], None]
) -> None:
    ((shown, blocks),) = answer_messages(Answer(Verdict.UNCLEAR, question_back=asked), KEY, NOW)
    emitted("message", blocks)
    assert shown == text
    assert [block["type"] for block in blocks] == ["markdown"]


def test_what_the_bot_says_around_an_answer_follows_the_question(answer: Answer) -> None:
    german = replace(answer, language="de", cut=2, verdict=Verdict.PARTLY)
    blocks = answer_blocks(german, KEY, NOW)
    assert blocks[0]["text"]["text"].endswith("Days of leave · Seite 3 · vor 3 Wochen geändert")
    assert "2 Sätze wurden weggelassen" in blocks[-2]["elements"][0]["text"]
    nowhere = Answer(Verdict.NOT_FOUND, nearby=(Nearby("A", ""),), language="de")
    assert answer_markdown(nowhere) == "Das konnte ich in den Dokumenten nicht finden."
    assert answer_blocks(nowhere, KEY, NOW)[0]["text"]["text"].startswith("*Die nächstliegenden")


def test_footnotes_that_do_not_fit_are_left_out_and_that_is_said() -> None:
    wide = "<&>" * 60
    rows = tuple(
        Citation(n, wide, "https://a.example/" + "p" * 150, "q", heading=wide, page=n)
        for n in range(1, 15)
    )
    answer = Answer(Verdict.ANSWERED, (Sentence("x", (1,)),), rows, model="m")
    blocks = answer_blocks(answer, KEY, NOW)
    assert len(json.dumps(blocks, ensure_ascii=False)) + PART_BYTES <= 13_200
    assert len(blocks) >= 7
    assert blocks[-2]["elements"][0]["text"] == messages.MORE_FOOTNOTES
    assert blocks[-1:] == feedback_blocks(KEY)


def test_a_footnote_opens_to_the_exact_quote_between_its_surroundings(
    answer: Answer, emitted: Callable[[str, Any], None]
) -> None:
    view = footnote_view(answer.citations[0], NOW)
    emitted("modal", view)
    emitted("modal", notice_view(messages.FOOTNOTE_GONE))
    emitted("home", home_view(agents=True))
    before, quote, after = view["blocks"][2]["elements"]
    assert before["elements"][0]["text"] == "Days."
    assert quote["type"] == "rich_text_quote"
    assert quote["elements"][0]["text"] == answer.citations[0].quote
    assert quote["elements"][0]["style"] == {"bold": True}
    assert after["elements"][0]["text"] == "Days that are left expire in March."
    assert view["blocks"][3]["elements"][0]["url"] == answer.citations[0].url


def test_home_says_how_to_have_something_done_where_that_can_be_done() -> None:
    assert "begin with `agent:`" in json.dumps(home_view(agents=True))
    assert "agent" not in json.dumps(home_view())


@given(st.text(min_size=1, max_size=4_000).filter(str.strip))
def test_a_quote_is_shown_word_for_word(quote: str) -> None:
    view = footnote_view(Citation(1, "T", "", quote), NOW)
    shown = view["blocks"][1]["elements"][0]["elements"]
    assert "".join(piece["text"] for piece in shown) == quote.strip()


def test_a_document_cannot_forge_a_mention_or_a_link_in_a_row() -> None:
    nasty = Citation(1, "<!channel> <https://evil.example|x>", "javascript:alert(1)", "q")
    blocks = answer_blocks(
        Answer(Verdict.ANSWERED, (Sentence("x", (1,)),), (nasty,), model="m"), KEY, NOW
    )
    assert blocks[0]["text"]["text"] == ("*[1]* &lt;!channel&gt; &lt;https://evil.example|x&gt;")


@given(st.text(max_size=3_000), st.integers())
def test_a_buttons_value_comes_back_or_is_left_out(key: str, number: int) -> None:
    value = button_value(key, number)
    assert len(value) <= 2_000
    assert not value or read_button_value(value) == (key, number)


@pytest.mark.parametrize(
    "value", [None, 5, "", "{", "[]", "{}", '{"key":1,"number":1}', "[" * 9999]
)
def test_a_foreign_button_value_means_nothing(value: object) -> None:
    assert read_button_value(value) is None


@pytest.mark.parametrize(
    ("days", "said"),
    [(-3, "today"), (0.5, "today"), (1, "1 day ago"), (20, "2 weeks ago"), (800, "2 years ago")],
)
def test_age_is_said_in_words(days: float, said: str) -> None:
    citation = Citation(1, "T", "", "q", updated_at=NOW - timedelta(days=days))
    line = footnote_view(citation, NOW)["blocks"][1]["elements"][0]["text"]
    assert line == f"updated {said}"


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["word ", "line\n", "```py\n", "x = 1\n", "```\n", "`c d` ", "é💡 "]),
        min_size=1,
        max_size=400,
    ).map("".join)
)
def test_parts_fit_lose_no_word_and_keep_fences_whole(text: str) -> None:
    parts = split(text, 1_000)
    assert all(len(part.encode()) <= 1_000 for part in parts)
    if open_fence(text):
        text += "\n```"
        parts = split(text, 1_000)
    assert all(not open_fence(part) for part in parts)
    words = [w for part in parts for w in part.split() if "```" not in w]
    assert words == [w for w in text.split() if "```" not in w]
