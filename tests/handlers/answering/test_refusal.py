"""The decision to refuse: each sign moves it the way that it should."""

from dataclasses import replace

import pytest

from handlers.answering.content import content_stems, worths
from handlers.answering.quoting import quotable
from handlers.answering.refusal import FLOOR, USUAL_LEAD, Signs, certainty, signs_of
from index.documents import Passage
from tests.handlers.answering.conftest import make_passage

CLEAR = Signs(closeness=0.7, strength=0.0, missing=0.0, lead=0.15, negation=0.0, number=0.0)


def signs(question: str, passages: list[Passage]) -> Signs:
    offered = quotable(passages)
    worth = worths(content_stems(question), [one.stems for one in offered])
    return signs_of(question, worth, offered[0], 0.0, 0.5, passages)


def test_a_clear_answer_is_given_and_a_stray_sentence_is_not() -> None:
    assert certainty(CLEAR) > 0.8
    stray = Signs(closeness=0.25, strength=-3.0, missing=4.0, lead=0.01, negation=0.0, number=0.0)
    assert certainty(stray) < FLOOR / 2


@pytest.mark.parametrize(
    "worse",
    [
        replace(CLEAR, closeness=0.4),
        replace(CLEAR, strength=-2.0),
        replace(CLEAR, missing=3.0),
        replace(CLEAR, lead=0.0),
        replace(CLEAR, negation=1.0),
        replace(CLEAR, number=1.0),
    ],
)
def test_every_sign_counts(worse: Signs) -> None:
    assert certainty(worse) < certainty(CLEAR)


def test_a_rare_word_that_the_passage_lacks_is_missing() -> None:
    offered = [make_passage("Holidays", "Everyone has 27 days of paid holiday in a year.")]
    assert signs("How many days of holiday are there?", offered).missing == 0.0
    assert signs("How many days of holiday has Zanzibar?", offered).missing > 0.5


def test_title_and_headings_belong_to_the_passage() -> None:
    offered = [make_passage("Zanzibar", "Everyone has 27 days of holiday.", heading=("Office",))]
    assert signs("Holiday of everyone in the Zanzibar office?", offered).missing == 0.0


def test_a_year_that_the_passage_lacks_is_noticed() -> None:
    offered = [make_passage("Prices", "In 2019 the ticket to the fair was 20 euros.")]
    assert signs("What was the ticket in 2019?", offered).number == 0.0
    assert signs("What was the ticket in 2021?", offered).number == 1.0


def test_a_negation_on_one_side_is_noticed() -> None:
    offered = [make_passage("Trains", "Interns may not book trains in first class.")]
    assert signs("Which trains may interns book?", offered).negation == 1.0
    assert signs("Which trains can't interns book?", offered).negation == 0.0


def test_the_lead_is_that_over_the_next_document_not_the_next_passage() -> None:
    text = "Everyone has 27 days of holiday."
    passages = [
        make_passage("One", text, similarity=0.6),
        make_passage("One", "Nobody has any more than those.", similarity=0.55, ordinal=1),
        make_passage("Two", "Trains run at night as well.", similarity=0.5),
    ]
    assert signs("holiday", passages).lead == pytest.approx(0.1)
    assert signs("holiday", passages[:2]).lead == USUAL_LEAD
