"""Intervals and tests: what they cover, what they find, and what they leave alone."""

import numpy as np
import pytest

from handlers.judging.intervals import (
    auc,
    estimate,
    holm,
    paired_difference,
    refused_at,
    split_difference,
    split_estimate,
)


def coins(seed: int, n: int, share: float = 0.5) -> list[float]:
    return (np.random.default_rng(seed).random(n) < share).astype(float).tolist()


def test_an_interval_covers_the_truth_in_about_95_of_100_samples() -> None:
    covered = 0
    for seed in range(200):
        found = estimate(coins(seed, 80, 0.7))
        covered += found.low <= 0.7 <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_an_interval_shrinks_with_the_root_of_the_questions() -> None:
    few, many = estimate(coins(1, 100)), estimate(coins(1, 1600))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4, rel=0.15)
    assert estimate([0.5] * 9) == estimate([0.5] * 9)
    assert (estimate([0.5] * 9).low, estimate([0.5] * 9).high) == (0.5, 0.5)


def test_balanced_figures_weigh_both_kinds_the_same_however_many_there_are() -> None:
    values, kinds = [1.0] * 90 + [0.0] * 10, [False] * 90 + [True] * 10
    assert estimate(values, kinds).mean == 0.5
    assert estimate(values).mean == 0.9
    difference = paired_difference([0.0] * 100, values, kinds)
    assert difference.mean == 0.5


def test_equal_runs_have_no_difference() -> None:
    run = coins(3, 50)
    found = paired_difference(run, run)
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_difference_by_chance_is_called_real_in_about_5_of_100_cases() -> None:
    called = sum(
        paired_difference(coins(seed, 60), coins(1000 + seed, 60)).p < 0.05 for seed in range(200)
    )
    assert called / 200 <= 0.09


def test_a_small_loss_on_each_of_many_questions_is_found_and_a_pair_too_few_is_not() -> None:
    before = np.random.default_rng(5).random(200)
    found = paired_difference(before.tolist(), (before - 0.02).tolist())
    assert found.mean == pytest.approx(-0.02)
    assert found.p < 0.001
    assert found.high < 0
    assert paired_difference([1.0, 1.0], [0.0, 0.0]).p > 0.3


def test_holm_corrects_for_being_many_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_auc_counts_ties_half_and_the_share_refused_keeps_95_of_100() -> None:
    keep, drop = np.array([0.9, 0.5, 0.5]), np.array([0.5, 0.1])
    # pairs: .9>.5 .9>.1 .5=.5 .5>.1 .5=.5 .5>.1 -> (4 + 2/2) / 6
    assert auc(keep, drop) == pytest.approx(5 / 6)
    answerable = np.linspace(0.5, 1, 100)
    floor = answerable[5]
    impossible = np.array([0.2, floor - 1e-9, floor, 0.9])
    assert refused_at(answerable, impossible) == 0.5
    assert (answerable < floor).mean() == 0.05


def test_a_refusal_that_got_worse_is_found_by_its_evidence() -> None:
    draw = np.random.default_rng(2)
    impossible = [False] * 100 + [True] * 100
    good = [*draw.normal(0.7, 0.1, 100), *draw.normal(0.4, 0.1, 100)]
    shuffled = list(draw.permutation(good))
    found = split_estimate(auc, good, impossible)
    assert found.low < found.mean <= found.high
    assert found.mean > 0.95
    worse = split_difference(auc, good, shuffled, impossible)
    assert worse.p < 0.01
    assert worse.high < 0
    assert split_difference(auc, good, good, impossible).p == 1.0
    with pytest.raises(ValueError, match="both kinds"):
        split_estimate(auc, good, [False] * 200)


def test_a_figure_needs_a_question_and_a_pair_needs_both_runs() -> None:
    with pytest.raises(ValueError, match="at least one"):
        estimate([])
    with pytest.raises(ValueError, match="both runs"):
        paired_difference([1.0], [1.0, 0.0])
