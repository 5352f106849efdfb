"""Which sentences are quoted together: by probability, within limits, in reading order."""

from handlers.answering.quoting import (
    MOST_FOOTNOTES,
    MOST_QUOTED,
    MOST_WORDS,
    Sentence,
    chosen,
    grouped,
    quotable,
)
from tests.handlers.answering.conftest import make_passage


def offered(*places: tuple[int, int], words: int = 10) -> list[Sentence]:
    return [
        Sentence(passage, place, 0, 0, " ".join(["word"] * words), frozenset())
        for passage, place in places
    ]


def test_more_than_the_best_are_quoted_only_if_they_are_nearly_as_probable() -> None:
    places = offered((0, 0), (0, 1), (0, 2), (0, 3))
    assert chosen([2.0, -5.0, -6.0, -7.0], places) == [0]
    assert chosen([-6.0, -6.1, -7.5, -6.2], places) == [0, 1, 3]
    assert chosen([2.0, 1.0, -6.0, 1.5], places) == [0, 3, 1]


def test_no_more_than_a_few_are_quoted() -> None:
    places = offered(*((0, place) for place in range(20)))
    assert len(chosen([0.0] * 20, places)) == MOST_QUOTED


def test_what_would_need_another_footnote_is_passed_over_for_a_neighbour() -> None:
    places = offered((0, 0), (1, 0), (2, 0), (3, 0), (2, 1))
    picked = chosen([1.0, 0.9, 0.8, 0.7, 0.6], places)
    assert picked == [0, 1, 2, 4]
    passages = [make_passage(str(i), "Here is a sentence. And another one.") for i in range(4)]
    assert len(grouped(picked, places, passages)) == MOST_FOOTNOTES


def test_long_sentences_leave_room_for_fewer() -> None:
    long = MOST_WORDS // 2 + 1
    assert chosen([1.0, 0.9, 0.8], offered((0, 0), (0, 1), (0, 2), words=long)) == [0]
    assert chosen([1.0], offered((0, 0), words=2 * MOST_WORDS)) == [0]


def test_a_shorter_one_may_follow_one_that_was_too_long() -> None:
    places = [*offered((0, 0)), *offered((0, 1), words=MOST_WORDS), *offered((0, 2))]
    assert chosen([1.0, 0.9, 0.8], places) == [0, 2]


def test_neighbours_are_one_quote_and_the_best_stands_first() -> None:
    passages = [make_passage("A", "First of all sentences. The second of them. The last one here.")]
    sentences = quotable([*passages, make_passage("B", "Quite another text than that.")])
    quotes = grouped([3, 0, 1], sentences, [*passages, make_passage("B", sentences[3].text)])
    assert [(quote.passage, len(quote.spans)) for quote in quotes] == [(1, 1), (0, 2)]


def test_the_quote_with_the_best_sentence_stands_before_an_earlier_one_of_its_page() -> None:
    passages = [make_passage("A", "First of all sentences. The second of them. The last one here.")]
    (first, last) = grouped([2, 0], quotable(passages), passages)
    assert passages[0].chunk.text[slice(*last.spans[0])] == "First of all sentences."
    assert passages[0].chunk.text[slice(*first.spans[0])] == "The last one here."
