"""Copies are recognised; texts that differ where it counts are not taken for copies."""

import pytest

from index.near_duplicates import first_alike, says_the_same, wording

TEXT = (
    "Every employee of the Berlin office may take 30 days of leave a year. Leave has to be asked"
    " for two weeks ahead, in writing, and is granted by the lead of the team. Days that are not"
    " taken until the end of March expire, unless Anna Smith has agreed to carry them over."
)


def alike(one: str, other: str) -> bool:
    result = says_the_same(wording(one), wording(other))
    assert result == says_the_same(wording(other), wording(one))
    return result


@pytest.mark.parametrize(
    "copy",
    [
        TEXT,
        "\n".join(TEXT.upper().split()),
        TEXT.replace("has to be asked for", "must be asked for"),
        TEXT.replace("in writing, ", "in writing "),
        TEXT.replace("granted", "then granted"),
    ],
    ids=["the same", "case and space", "a word", "a comma", "a word more"],
)
def test_a_copy_says_the_same(copy: str) -> None:
    assert alike(TEXT, copy)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("30 days", "25 days"),
        ("Berlin", "Vienna"),
        ("Anna Smith", "Bob Jones"),
        ("are not taken", "are taken"),
        ("unless Anna", "if Anna"),
    ],
    ids=["a number", "a place", "a name", "a negation", "an exception"],
)
def test_texts_that_may_contradict_each_other_are_both_kept(old: str, new: str) -> None:
    assert not alike(TEXT, TEXT.replace(old, new))


def test_numbers_names_and_operators_count_in_their_order() -> None:
    filler = " and so on with the same words in every one of these two texts that are compared here"
    assert not alike(f"Anna pays Bob 5 and 7{filler}", f"Bob pays Anna 5 and 7{filler}")
    assert not alike(f"if a == b then c{filler}", f"if a != b then c{filler}")


def test_texts_without_words_are_alike_only_if_they_are_equal() -> None:
    assert alike("", " \n")
    assert not alike("...", "!!!")


def test_the_first_text_that_says_the_same_is_named() -> None:
    others = [("a", wording("something else")), ("b", wording(TEXT)), ("c", wording(TEXT))]
    assert first_alike(wording(TEXT), others) == "b"
    assert first_alike(wording("nothing like it"), others) == ""
