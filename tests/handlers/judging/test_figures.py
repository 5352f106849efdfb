"""What an answer is worth, against values worked out by hand."""

import pytest

from handlers.judging.figures import (
    Cited,
    answer_f1,
    answer_in_quotes,
    citation_figures,
    exact_match,
    faithfulness,
    verbatim,
)


def test_exact_match_and_f1_compare_words_as_squad_does() -> None:
    assert exact_match("The Normans.", ["normans"]) == 1.0
    assert exact_match("the Normans of France", ["normans"]) == 0.0
    # said: in tenth century; wanted: tenth century -> precision 2/3, recall 1
    assert answer_f1("in the tenth century", ["the tenth century"]) == pytest.approx(0.8)
    assert answer_f1("in May", ["the tenth century", "May"]) == pytest.approx(2 / 3)
    assert answer_f1("", ["May"]) == 0.0
    # A word that is said twice is shared once.
    assert answer_f1("May May", ["May"]) == pytest.approx(2 / 3)


def test_an_answer_is_in_the_quotes_as_whole_words_only() -> None:
    quotes = ["Rollo led the Norse.", "They came from Denmark."]
    assert answer_in_quotes(quotes, ["Denmark, Iceland", "denmark"]) == 1.0
    assert answer_in_quotes(quotes, ["Den"]) == 0.0
    assert answer_in_quotes(quotes, ["Norse They"]) == 0.0
    assert answer_in_quotes([], ["Rollo"]) == 0.0


def test_only_answers_that_a_page_holds_are_looked_for_word_for_word() -> None:
    answers = ["yes", "No.", "in 1066", "The", "In short, it was late", ""]
    assert verbatim(answers, ["Harold fell, in 1066, at Hastings."]) == ["in 1066"]
    assert verbatim(answers, []) == ["in 1066", "In short, it was late"]


def test_citations_are_held_against_the_gold_sentences_of_the_answer_that_fits_best() -> None:
    gold = [["Tea is served at four .", "It is free ."], ["Dogs sleep in the garden ."]]
    quotes = ["Tea is served at four. Cats sleep."]
    precision, recall, both = citation_figures(quotes, gold)
    assert (precision, recall, both) == (0.5, 0.5, 0.5)
    assert citation_figures(["Tea is served at four. It is free."], gold) == (1.0, 1.0, 1.0)
    assert citation_figures(["Dogs sleep in the garden."], gold) == (1.0, 1.0, 1.0)
    assert citation_figures(["Cats sleep all day."], gold) == (0.0, 0.0, 0.0)


def test_a_refusal_has_no_precision_and_finds_nothing() -> None:
    assert citation_figures([], [["Tea is served at four."]]) == (None, 0.0, 0.0)


def test_a_fragment_of_a_gold_sentence_is_right_but_finds_it_only_if_it_is_half_of_it() -> None:
    gold = [["Tea is served at four in the garden behind the house ."]]
    assert citation_figures(["Tea is served at four in the garden"], gold) == (1.0, 1.0, 1.0)
    assert citation_figures(["behind the house"], gold) == (1.0, 0.0, 0.0)


def test_the_same_sentence_quoted_twice_counts_once() -> None:
    quotes = ["Tea is served at four.", "Tea is served at four.", "Cats sleep."]
    assert citation_figures(quotes, [["Tea is served at four."]])[0] == 0.5


def test_faithfulness_is_the_share_of_bigrams_that_the_cited_passages_hold() -> None:
    passages = ("Tea is served at four.", "Dogs sleep.")
    assert faithfulness(Cited("Tea is served at four", (), passages)) == 1.0
    # "tea is", "is served" held; "served by", "by dogs" not.
    assert faithfulness(Cited("Tea is served by dogs", (), passages)) == 0.5
    # No bigram goes from one passage into the next.
    assert faithfulness(Cited("four dogs", (), passages)) == 0.0
    assert faithfulness(Cited("", (), passages)) is None
