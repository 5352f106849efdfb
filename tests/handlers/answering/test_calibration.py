"""Floors are chosen by the evaluation: pure functions of certainties and labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.answering.calibration import (
    balanced_accuracy,
    balancing_floor,
    floor_within,
    refused,
)

CERTAINTIES = [0.9, 0.8, 0.7, 0.2, 0.6, 0.3, 0.1, 0.1]
ANSWERABLE = [True] * 4 + [False] * 4


def test_balanced_accuracy_is_the_mean_of_both_shares() -> None:
    assert balanced_accuracy(CERTAINTIES, ANSWERABLE, 0.5) == pytest.approx((3 / 4 + 3 / 4) / 2)
    assert balanced_accuracy([0.9] + [0.1] * 9, [True] + [False] * 9, 0.5) == 1.0
    assert balanced_accuracy([0.1] + [0.1] * 9, [True] + [False] * 9, 0.5) == 0.5


def test_a_certainty_equal_to_the_floor_is_answered() -> None:
    assert balanced_accuracy([0.5, 0.4], [True, False], 0.5) == 1.0
    assert refused([0.5, 0.4], 0.5) == 0.5


def test_the_balancing_floor_lies_between_the_kinds() -> None:
    floor = balancing_floor(CERTAINTIES, ANSWERABLE)
    assert 0.6 < floor < 0.7
    assert balanced_accuracy(CERTAINTIES, ANSWERABLE, floor) == pytest.approx(0.875)


def test_the_floor_within_a_budget_is_the_highest_that_keeps_it() -> None:
    assert floor_within(CERTAINTIES, ANSWERABLE, false_refusals=0.0) == 0.2
    assert floor_within(CERTAINTIES, ANSWERABLE, false_refusals=0.25) == 0.7


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40).filter(
        lambda rows: len({can for _, can in rows}) == 2
    ),
    st.floats(0, 0.9),
)
def test_no_other_floor_does_better(rows: list[tuple[float, bool]], budget: float) -> None:
    values, can = [row[0] for row in rows], [row[1] for row in rows]
    best = balanced_accuracy(values, can, balancing_floor(values, can))
    assert all(best >= balanced_accuracy(values, can, value) - 1e-9 for value in values)
    floor = floor_within(values, can, false_refusals=budget)
    answerable = [value for value, kind in rows if kind]
    assert refused(answerable, floor) <= budget
    higher = [value for value in answerable if value > floor]
    if higher:
        assert refused(answerable, min(higher)) > budget


def test_one_kind_alone_gives_no_floor() -> None:
    for kinds in ([True, True], [False, False], [True]):
        with pytest.raises(ValueError, match="both kinds"):
            balancing_floor([0.1, 0.9], kinds)
    with pytest.raises(ValueError, match="below 1"):
        floor_within([0.1, 0.9], [False, True], false_refusals=1.0)
    with pytest.raises(ValueError, match="at least one"):
        refused([], 0.5)
