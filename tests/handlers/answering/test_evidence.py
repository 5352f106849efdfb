"""What speaks for a sentence: its words, its length, and whether it shows what is asked for."""

import pytest

from handlers.answering.content import content_stems, share, worths
from handlers.answering.evidence import log_odds, signs_of
from handlers.answering.expected import Expected, expected, shows
from handlers.answering.quoting import quotable
from tests.handlers.answering.conftest import make_passage


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many days of holiday do I have?", Expected.NUMBER),
        ("When does the canteen close?", Expected.DATE),
        ("In what year was the firm founded?", Expected.DATE),
        ("Who approves a trip abroad?", Expected.NAME),
        ("Where are the keys?", Expected.NAME),
        ("Why was the release stopped?", Expected.REASON),
        ("Wie viele Tage Urlaub habe ich?", Expected.NUMBER),
        ("Bis wann muss ich den Antrag stellen?", Expected.DATE),
        ("Wer genehmigt die Reise?", Expected.NAME),
        ("How do I reset my password?", None),
        ("¿Cuántos días de vacaciones tengo?", None),
        ("休暇は何日ありますか", None),
    ],
)
def test_the_words_of_a_question_tell_what_it_expects(question: str, kind: Expected | None) -> None:
    assert expected(question) is kind


def test_a_sentence_shows_what_is_expected() -> None:
    asked = content_stems("Who approves trips to Denmark?")
    assert shows(Expected.NUMBER, "There are 27 of them.", asked) == 1.0
    assert shows(Expected.NUMBER, "There are some of them.", asked) == 0.0
    assert shows(Expected.DATE, "They expire in March.", asked) == 1.0
    assert shows(Expected.REASON, "It was stopped because it failed.", asked) == 1.0
    assert shows(Expected.NAME, "Trips are approved by Bob Lindgren.", asked) == 1.0


def test_a_name_that_the_question_brings_itself_is_no_answer() -> None:
    asked = content_stems("Who approves trips to Denmark?")
    assert shows(Expected.NAME, "Trips to Denmark are approved quickly.", asked) == 0.0


def test_where_nothing_is_expected_every_sentence_counts_the_same() -> None:
    assert {shows(None, text, frozenset()) for text in ("27", "Bob", "märz", "")} == {0.5}


def test_rare_words_are_worth_more() -> None:
    sentences = [content_stems(t) for t in ("hotel berlin", "hotel paris", "hotel rome")]
    worth = worths(content_stems("berlin hotel"), sentences)
    (rare,), (frequent,) = content_stems("berlin"), content_stems("hotel")
    assert worth[rare] > 2 * worth[frequent]
    assert share(worth, sentences[0]) == 1.0
    assert share(worth, sentences[1]) < 0.3


def test_a_question_without_content_words_favours_nothing() -> None:
    assert share({}, frozenset({"travel"})) == 0.5


def test_each_sign_speaks_for_its_sentence() -> None:
    signs = (0.5, 0.5, 3.0, 0.5, 0.5)
    for place in range(5):
        more = tuple(value + 0.2 * (i == place) for i, value in enumerate(signs))
        assert log_odds(more) > log_odds(signs)


def test_signs_are_those_of_the_sentence_and_its_passage() -> None:
    passages = [
        make_passage("Holidays", "Everyone has 27 of those days. Interns do.", similarity=0.6),
        make_passage("Trains", "Trains may be booked in first class.", similarity=0.2),
    ]
    question = "How many holidays does everyone have?"
    offered = quotable(passages)
    worth = worths(content_stems(question), [one.stems for one in offered])
    found = signs_of(question, worth, offered, [0.7, 0.1], passages)
    assert [one.text for one in offered] == [
        "Everyone has 27 of those days.",
        "Trains may be booked in first class.",
    ]
    (cosine, fused, _, shown, shared), train = found
    assert (cosine, fused, shown, shared) == (0.7, 0.6, 1.0, 1.0)
    assert train[0] == 0.1
    assert train[3:] == (0.0, 0.0)
