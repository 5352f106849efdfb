import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.answering.sentences import (
    LONGEST_CODE,
    LONGEST_SENTENCE,
    RawSentence,
    SentenceSplitter,
)


def split(text: str, sizes: random.Random | None = None) -> list[RawSentence]:
    splitter, found, at = SentenceSplitter(), [], 0
    while at < len(text):
        size = sizes.choice([1, 2, 3, 5, 40]) if sizes else len(text)
        found += splitter.feed(text[at : at + size])
        at += size
    return found + splitter.finish()


def texts(text: str) -> list[str]:
    return [raw.text for raw in split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. [1] Two [2]. Three.", ["One. [1]", "Two [2].", "Three."]),
        ("One.[1][2] Two.", ["One.[1][2]", "Two."]),
        ("One.\n[1]\nTwo.", ["One.\n[1]", "Two."]),
        ("One [1].[2]", ["One [1].[2]"]),
        ("日本語です。【1】次です。", ["日本語です。【1】", "次です。"]),
        (
            "Ask Dr. Meyer, e.g. on 3.5 days. Then go.",
            ["Ask Dr. Meyer, e.g. on 3.5 days.", "Then go."],
        ),
        ("Call `a.b. C` now. Done!", ["Call `a.b. C` now.", "Done!"]),
        ("A wrapped\nline ends. Next", ["A wrapped\nline ends.", "Next"]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("Is it? Yes! Good…", ["Is it?", "Yes!", "Good…"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_list_items_keep_their_marks_in_the_lead() -> None:
    found = split("Steps:\n- First. [1]\n* Second [2]\n3) Third\n\nAfter.")
    assert [(raw.lead, raw.text) for raw in found] == [
        ("", "Steps:"),
        ("\n- ", "First. [1]"),
        ("\n- ", "Second [2]"),
        ("\n3. ", "Third"),
        ("\n\n", "After."),
    ]


def test_a_code_block_is_one_piece_with_the_marks_that_follow_it() -> None:
    found = split("Run:\n```sh\nfleetctl enroll. Now\nls\n```\n[4]\nThen wait.")
    assert [(raw.text, raw.code) for raw in found] == [
        ("Run:", False),
        ("fleetctl enroll. Now\nls\n[4]", True),
        ("Then wait.", False),
    ]


def test_a_sentence_comes_out_before_the_next_one_is_complete() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("You get 25 days.") == []
    assert splitter.feed(" [1") == []
    assert splitter.feed("] They") == [RawSentence("You get 25 days. [1]", "")]


def test_a_model_that_never_ends_a_sentence_is_cut() -> None:
    splitter = SentenceSplitter()
    out = [raw for _ in range(400) for raw in splitter.feed("word " * 10)]
    assert len(out) >= 15
    assert max(len(raw.text) for raw in out) <= LONGEST_SENTENCE


def test_a_code_block_that_never_closes_is_cut() -> None:
    splitter = SentenceSplitter()
    out = splitter.feed("```\n") + [r for _ in range(200) for r in splitter.feed("x = 1; y\n" * 5)]
    assert out
    assert max(len(raw.text) for raw in out) <= LONGEST_CODE + 1


PIECES = st.sampled_from(
    [
        "One. ",
        "[1]",
        " [2]",
        "【3】",
        "\n",
        "\n\n",
        "- item",
        "1. ",
        "```\ncode\n```\n",
        "`x.y`",
        "e.g. ",
        "Two!",
        "?",
        "...",
        " ",
        "word",
        "日本。",
        "(a) ",
        "[",
        "]",
        "^",
        "1",
        "*",
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join), st.integers(0, 9))
def test_the_size_of_the_pieces_does_not_matter(text: str, seed: int) -> None:
    assert split(text, random.Random(seed)) == split(text)


@given(st.lists(PIECES | st.text(max_size=5), max_size=14).map("".join))
def test_no_letter_is_lost_or_said_twice(text: str) -> None:
    def letters(what: str) -> list[str]:
        return [c for c in what if c.isalpha()]

    joined = "".join(raw.text for raw in split(text))
    assert letters(joined) == letters(text) or "```" in text or "~~~" in text


@pytest.mark.parametrize(
    "text",
    ["One is true. [1]", "One is true [1].", "- One is true. [1][2] ", "Is “one” true?” [1]"],
)
def test_a_sentence_with_its_mark_comes_out_in_a_pause(text: str) -> None:
    splitter = SentenceSplitter()
    assert splitter.feed(text) == []
    (raw,) = splitter.pause()
    assert "[1]" in raw.text
    assert splitter.finish() == []


@pytest.mark.parametrize(
    "text",
    ["One is true.", "One is [1]", "One is true. [1", "It takes 3.", "```\na. [1]", "", "One"],
)
def test_what_may_go_on_stays_in_a_pause(text: str) -> None:
    splitter = SentenceSplitter()
    splitter.feed(text)
    assert splitter.pause() == []


@pytest.mark.parametrize("late", [" [2]", " [2] ", "[2, 3]", " [", ""])
def test_a_mark_after_a_pause_is_dropped_and_never_given_to_the_next_sentence(late: str) -> None:
    splitter = SentenceSplitter()
    splitter.feed("One is true. [1]")
    splitter.pause()
    rest = "2] Two follows. [4]" if late == " [" else " Two follows. [4]"
    found = [raw for piece in (late, rest) for raw in splitter.feed(piece)] + splitter.finish()
    assert [raw.text for raw in found] == ["Two follows. [4]"]


@given(st.lists(PIECES, max_size=14).map("".join), st.integers(0, 9))
def test_pauses_lose_no_letter_and_say_none_twice(text: str, seed: int) -> None:
    rng = random.Random(seed)
    splitter = SentenceSplitter()
    found: list[RawSentence] = []
    rest = text
    while rest:
        size = rng.randint(1, 6)
        found += splitter.feed(rest[:size])
        found += splitter.pause() if rng.random() < 0.3 else []
        rest = rest[size:]
    found += splitter.finish()

    def letters(what: str) -> list[str]:
        return [c for c in what if c.isalpha()]

    assert letters("".join(raw.text for raw in found)) == letters(text) or "```" in text
