"""How sure a figure is, and whether a difference is real. Pure: the same seed, the same answer.

A figure is the mean over its questions. Where the questions are of several kinds (``kinds``), it is
the mean of the kinds' means: balanced accuracy is such a figure.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
PERMUTATIONS = 10_000
SEED = 20_261_101
CONFIDENCE = 0.95
LEVEL = 0.05
"""Below this a difference counts as real, after Holm's correction."""

_AT_ONCE = 250

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over ``n`` questions, with its 95 % confidence interval."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """After minus before, over the same ``n`` questions; ``p`` is two-sided, not yet corrected."""

    mean: float
    low: float
    high: float
    p: float
    n: int


def mean(values: Sequence[float], kinds: Sequence[Hashable] = ()) -> float:
    """Return the figure itself, as ``estimate`` would. Raises ValueError without values."""
    return float(np.mean([group.mean() for group in _groups(values, kinds)]))


def estimate(values: Sequence[float], kinds: Sequence[Hashable] = ()) -> Estimate:
    """Return the figure with its interval: percentiles of 2,000 bootstrap resamples of questions.

    ``kinds`` is empty, or names the kind of each question; then each kind is resampled for itself.
    Raises ValueError without values.
    """
    groups = _groups(values, kinds)
    resampled = np.mean([_resampled(group, SEED + i) for i, group in enumerate(groups)], axis=0)
    low, high = _bounds(resampled)
    return Estimate(mean(values, kinds), low, high, len(values))


def paired_difference(
    before: Sequence[float], after: Sequence[float], kinds: Sequence[Hashable] = ()
) -> Difference:
    """Compare two runs over the same questions, which stand in the same order.

    The interval is that of ``estimate`` over the differences. ``p`` comes from a paired permutation
    test: if both runs were alike, each question's difference could as well have the other sign
    (10,000 draws of signs; Smucker, Allan and Carterette 2007 recommend it for retrieval).

    Raises ValueError without values, or for runs of unequal length.
    """
    if len(before) != len(after):
        raise ValueError("both runs need a value for each question")
    changes = [new - old for old, new in zip(before, after, strict=True)]
    found = estimate(changes, kinds)
    groups = _groups(changes, kinds)
    weighted = np.concatenate([group / group.size / len(groups) for group in groups])
    weighted = weighted[weighted != 0.0]
    if not weighted.size:
        return Difference(0.0, 0.0, 0.0, 1.0, found.n)
    draw = np.random.default_rng(SEED)
    extreme = 0
    for _ in range(PERMUTATIONS // _AT_ONCE):
        signs = draw.integers(0, 2, (_AT_ONCE, weighted.size), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ weighted) >= abs(found.mean) - 1e-12).sum())
    p = (extreme + 1) / (PERMUTATIONS + 1)
    return Difference(found.mean, found.low, found.high, p, found.n)


def holm(ps: Sequence[float]) -> list[float]:
    """Return the p-values corrected for being many (Holm 1979), in the same order."""
    corrected = [1.0] * len(ps)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[place]))
        corrected[place] = highest
    return corrected


Split = Callable[[Floats, Floats], float]
"""How well evidence tells two kinds of questions apart, those to answer and those to refuse."""


def auc(answerable: Floats, impossible: Floats) -> float:
    """Return how often an answerable question has more evidence than an impossible one; ties half.

    It is the area under the ROC curve (the statistic of Mann and Whitney).
    """
    ordered = np.sort(impossible)
    below = np.searchsorted(ordered, answerable, side="left")
    level = np.searchsorted(ordered, answerable, side="right")
    return float((below + level).mean() / 2 / impossible.size)


FALSE_REFUSALS = 0.05


def refused_at(answerable: Floats, impossible: Floats) -> float:
    """Return the share of impossible questions below the highest floor that refuses at most 5 %.

    Refused is what has less evidence than the floor, so ties are kept.
    """
    floor = np.sort(answerable)[int(FALSE_REFUSALS * answerable.size)]
    return float((impossible < floor).mean())


def split_value(split: Split, evidence: Sequence[float], impossible: Sequence[bool]) -> float:
    """Return ``split`` itself. Raises ValueError unless both kinds occur."""
    return split(*(np.array(evidence, dtype=float)[mask] for mask in _masks(impossible)))


def split_estimate(split: Split, evidence: Sequence[float], impossible: Sequence[bool]) -> Estimate:
    """Return ``split`` with its bootstrap interval. Raises ValueError unless both kinds occur."""
    groups = [np.array(evidence, dtype=float)[mask] for mask in _masks(impossible)]
    found = [split(*(group[pick] for group, pick in _picks(groups, draw))) for draw in _draws()]
    low, high = _bounds(np.array(found))
    return Estimate(split(*groups), low, high, len(evidence))


def split_difference(
    split: Split, before: Sequence[float], after: Sequence[float], impossible: Sequence[bool]
) -> Difference:
    """Compare ``split`` over the same questions by a paired bootstrap.

    A permutation test needs one value a question, which such a figure does not have. ``p`` is twice
    the share of resamples on the other side of 0. Raises ValueError unless both kinds occur.
    """
    masks = _masks(impossible)
    old, new = ([np.array(values, dtype=float)[m] for m in masks] for values in (before, after))
    difference = split(*new) - split(*old)
    found = []
    for draw in _draws():
        picks = [pick for _, pick in _picks(old, draw)]
        drawn = [
            [group[pick] for group, pick in zip(run, picks, strict=True)] for run in (old, new)
        ]
        found.append(split(*drawn[1]) - split(*drawn[0]))
    changes = np.array(found)
    other_side = min(int((changes <= 0).sum()), int((changes >= 0).sum()))
    low, high = _bounds(changes)
    p = min(1.0, 2 * (other_side + 1) / (RESAMPLES + 1))
    return Difference(difference, low, high, p, len(before))


def _groups(values: Sequence[float], kinds: Sequence[Hashable]) -> list[Floats]:
    if not values:
        raise ValueError("a figure needs at least one question")
    every = np.array(values, dtype=float)
    if not kinds:
        return [every]
    names = list(dict.fromkeys(kinds))
    return [every[np.array([kind == name for kind in kinds])] for name in names]


def _resampled(group: Floats, seed: int) -> Floats:
    """Return the means of the resamples."""
    draw = np.random.default_rng(seed)
    parts = [
        group[draw.integers(0, group.size, (_AT_ONCE, group.size))].mean(axis=1)
        for _ in range(RESAMPLES // _AT_ONCE)
    ]
    return np.concatenate(parts)


def _bounds(found: Floats) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(found, [tail, 100 - tail])
    return float(low), float(high)


def _masks(impossible: Sequence[bool]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    refuse = np.array(impossible, dtype=bool)
    if not refuse.any() or refuse.all():
        raise ValueError("this figure needs questions of both kinds")
    return ~refuse, refuse


def _draws() -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in np.random.SeedSequence(SEED).spawn(RESAMPLES)]


def _picks(
    groups: Sequence[Floats], draw: np.random.Generator
) -> list[tuple[Floats, NDArray[np.int64]]]:
    return [(group, draw.integers(0, group.size, group.size)) for group in groups]
