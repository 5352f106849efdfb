"""Planted falsehoods are stopped, and true sentences are not, on pages that tuned nothing too."""

import pytest

from tests.evals import sources
from tests.evals.planting import Planted
from tests.evals.scoring import Tally, tally

STOPPED, WRONGLY_STOPPED = 0.95, 0.05

SEED = 41


def told(cases: tuple[Planted, ...]) -> str:
    return "\n".join(f"{case.kind}: {case.text}" for case in cases)


def judge(cases: list[Planted]) -> Tally:
    assert [sum(case.true == true for case in cases) for true in (True, False)] == [200, 200]
    found = tally(cases)
    print(f"stopped {found.stopped:.3f}, wrongly {found.wrongly_stopped:.3f}", found.kinds)
    return found


@pytest.mark.parametrize("held_out", [False, True], ids=["development", "held out"])
def test_of_200_planted_falsehoods_95_in_a_hundred_are_stopped_and_of_200_truths_5(
    held_out: bool,
) -> None:
    found = judge(sources.mixture([sources.handbook()], held_out=held_out, seed=SEED + held_out))
    assert found.stopped >= STOPPED, told(found.slipped)
    assert found.wrongly_stopped <= WRONGLY_STOPPED, told(found.refused)


def test_every_verbatim_sentence_is_shown_and_no_foreign_citation() -> None:
    found = judge(sources.mixture([sources.handbook()], held_out=True, seed=SEED + 2))
    assert found.kinds["verbatim"][0] == 0
    stopped, planted = found.kinds["foreign_citation"]
    assert stopped == planted


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("held_out", [False, True], ids=["development", "held out"])
def test_the_same_holds_on_judged_pages(held_out: bool) -> None:
    sets = sources.ROOT.parent / "shared" / "data"
    pages = [sources.handbook(), *(sources.judged(sets / n) for n in ("clapnq", "squad2-dev"))]
    found = judge(sources.mixture(pages, held_out=held_out, seed=SEED + held_out))
    assert found.stopped >= STOPPED, told(found.slipped)
    assert found.wrongly_stopped <= WRONGLY_STOPPED, told(found.refused)


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("held_out", [False, True], ids=["development", "held out"])
def test_what_people_answered_is_harder(held_out: bool) -> None:
    """People join and reword sentences: a quarter of theirs is stopped, and nearly every twin."""
    sets = sources.ROOT.parent / "shared" / "data"
    found = tally(sources.human_answers(sets / "clapnq", held_out))
    print(f"stopped {found.stopped:.3f}, wrongly {found.wrongly_stopped:.3f}", found.kinds)
    assert found.stopped >= STOPPED, told(found.slipped)
