"""index.sentences: where sentences begin and end."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunking import sentences

LEFT_OUT = re.compile(r"\s*(?:(?:[-*]|1{1,3}[.)]|[a-zB]\)|\((?:1{1,3}|[a-z])\))\s+)?")


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ("What is the limit?", "It is 20 days.", "Ask HR!"),
        ("Her title is Dr. Jane E. Smith.", "She works for the U.S. Government."),
        ("He came at 5 a.m. on Monday.", "Nobody was there."),
        ("We ship to the U.S.", "The price is the same."),
        ("Keep logs, caches, etc. for a week.", "Drop the rest, mails, etc.", "Then stop."),
        ("See e.g. Section 5.7 or i.e. the manual.", "Fig. 3 shows it."),
        ("No. 5 is alive.", "Did it work?", "No.", "Try again."),
        ("He was born on Jan. 5, 1990.", "He left in Dec.", "Nobody knew."),
        ("Version 1.2.3 costs $9.50.", "Version 2 is free."),
        ("Read https://example.com/a.b?c=d.e first.", "Mail jane.doe@example.com.", "Done."),
        ("The default is kept.", "pg_dump reads it.", "iPhones do not."),
        ("Call foo.bar() first.", "Then call baz()."),
        ("We waited ... and waited.", "Then we left...", "That was all."),
        ("One more habit . . .", "The next one."),
        ("It is (as the manual says.) fine.", "(See below.)", "Yes."),
        ('She said "Stop." and left.', 'He said "No."', "They stayed."),
        ("This is cited.[1]", "So is this.[2][3]", "This is not."),
        ("Sent by J. R. R. Tolkien to C. S. Lewis.", "Kept in Oxford."),
        ("Das gilt z.B. nach § 5 Abs. 2 BGB.", "Es kostet 20 Euro."),
        ("We use Yahoo! for mail.", "Really?!", "Yes."),
        ("Look into Appendix A.", "The files are there."),
    ],
    ids=lambda parts: parts[0][:24],
)
def test_prose_is_cut_after_its_sentences_and_nowhere_else(parts: tuple[str, ...]) -> None:
    assert cut(" ".join(parts)) == list(parts)


def test_chinese_and_japanese_sentences_need_no_space_between_them() -> None:
    assert cut("これはペンです。それは本です。") == ["これはペンです。", "それは本です。"]
    assert cut("他说：“你好。”然后走了！好？") == ["他说：“你好。”", "然后走了！", "好？"]


def test_list_items_rows_and_code_lines_are_sentences_of_their_own_without_their_marks() -> None:
    text = (
        "Bring:\n- a pen. It is blue\n* paper\n  1. white\n2) thin\n\n"
        "Name | Days\nAnn | 20\n\nx = f(1)\ny"
    )
    assert cut(text) == [
        "Bring:",
        "a pen.",
        "It is blue",
        "paper",
        "white",
        "thin",
        "Name | Days",
        "Ann | 20",
        "x = f(1)",
        "y",
    ]


def test_a_paragraph_that_an_editor_wrapped_is_read_as_one() -> None:
    text = (
        "Everybody at the company has twenty five days of paid leave in\n"
        "a year. Five of them may be carried over into the next year if\n"
        "the manager agrees."
    )
    assert cut(text) == [
        "Everybody at the company has twenty five days of paid leave in\na year.",
        "Five of them may be carried over into the next year if\nthe manager agrees.",
    ]


def test_short_lines_stay_apart_even_if_no_mark_ends_them() -> None:
    assert cut("Opening hours\nmonday to friday\nfrom nine") == [
        "Opening hours",
        "monday to friday",
        "from nine",
    ]


@given(st.text(alphabet=st.sampled_from("aB1 .!?。\n\t-*)(\"'…|é\u2028[]e.g"), max_size=200))
def test_spans_are_ordered_trimmed_and_lose_nothing_but_space_and_list_marks(text: str) -> None:
    spans = sentences(text)
    end_before = 0
    for start, end in spans:
        assert end_before <= start < end <= len(text)
        assert not text[start].isspace() and not text[end - 1].isspace()
        assert LEFT_OUT.fullmatch(text[end_before:start])
        end_before = end
    assert not text[end_before:].strip()


def test_a_megabyte_without_any_sentence_takes_linear_time() -> None:
    def seconds(text: str) -> float:
        started = time.perf_counter()
        sentences(text)
        return time.perf_counter() - started

    for unit in (".", "e.g. ", '."', "a\n", ". ", "(", "x" * 50):
        small, large = unit * (50_000 // len(unit)), unit * (400_000 // len(unit))
        assert seconds(large) < 40 * max(seconds(small), 0.005), unit
