"""A second opinion makes the check stricter, and vouches only for what words leave in doubt."""

from collections.abc import Sequence

import pytest

from handlers.answering.citations import CitationChecker, Cut
from handlers.answering.entailment import EntailmentUnavailable, Judgement
from handlers.answering.sentences import RawSentence
from index.documents import Passage
from tests.doubles.tiny_entailment import ToldEntailment

SURE = Judgement(entailment=0.97, contradiction=0.01)
UNSURE = Judgement(entailment=0.6, contradiction=0.1)
AGAINST = Judgement(entailment=0.2, contradiction=0.7)
TRUE = "Passwords must have at least 14 characters."
REWORDED = "Wrecked laptops are swapped after four years."


def shown(passages: Sequence[Passage], text: str, mark: str, opinion: Judgement) -> bool:
    checker = CitationChecker(passages, ToldEntailment({text: opinion}))
    checked = checker.check(RawSentence(f"{text} {mark}", ""))
    assert checked.sentence is not None or checked.cut is Cut.UNSUPPORTED
    return checked.sentence is not None


@pytest.mark.parametrize(("opinion", "expected"), [(SURE, True), (UNSURE, True), (AGAINST, False)])
def test_what_words_support_is_shown_unless_it_is_contradicted(
    passages: Sequence[Passage], opinion: Judgement, expected: bool
) -> None:
    assert shown(passages, TRUE, "[5]", opinion) is expected


@pytest.mark.parametrize(("opinion", "expected"), [(SURE, True), (UNSURE, False), (AGAINST, False)])
def test_what_words_leave_in_doubt_is_shown_only_when_the_model_is_sure(
    passages: Sequence[Passage], opinion: Judgement, expected: bool
) -> None:
    without = CitationChecker(passages).check(RawSentence(f"{REWORDED} [4]", ""))
    assert without.sentence is None
    assert shown(passages, REWORDED, "[4]", opinion) is expected


@pytest.mark.parametrize(
    "claim",
    [
        "Wrecked laptops are swapped after five years.",
        "Wrecked laptops are not swapped after four years.",
        "Wrecked laptops are swapped by Lenovo after four years.",
        "Wrecked laptops are swapped after four months.",
        "Wrecked laptops are only swapped after four years.",
        "Wrecked laptops are swapped before four years.",
    ],
)
def test_a_sure_model_passes_no_wrong_number_name_or_negation(
    passages: Sequence[Passage], claim: str
) -> None:
    assert not shown(passages, claim, "[4]", SURE)


def test_of_a_sentence_in_doubt_three_quotes_are_judged_at_most(
    passages: Sequence[Passage],
) -> None:
    model = ToldEntailment({REWORDED: SURE})
    checker = CitationChecker([*passages, *passages], model)
    assert checker.check(RawSentence(REWORDED, "")).sentence is not None
    assert 1 <= len(model.asked) <= 3
    assert checker.citations[0].quote in {quote for quote, _ in model.asked}


def test_without_a_model_nobody_is_asked(passages: Sequence[Passage]) -> None:
    assert CitationChecker(passages).check(RawSentence(f"{TRUE} [5]", "")).sentence is not None


def test_a_model_that_fails_lets_nothing_pass(passages: Sequence[Passage]) -> None:
    class Broken:
        name = "broken"

        def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
            raise EntailmentUnavailable("out of order")

    with pytest.raises(EntailmentUnavailable):
        CitationChecker(passages, Broken()).check(RawSentence(f"{TRUE} [5]", ""))
