"""nDCG@10 of every contender on every judged set, each with its interval."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from index.evaluation import distinct, ranking_figures
from tests.benchmarks.peers.contender import Contender
from tests.benchmarks.peers.corpus import Judged

CHUNKS = 100
"""How many chunks each way of ranking gives; ten documents are among them."""

RESAMPLES = 2_000

Gains = Mapping[str, Sequence[float]]
"""Name of a set -> nDCG@10 of each of its questions."""

Interval = tuple[float, float, float]
"""A mean with the bounds of its 95 % interval."""


def ndcg(judged: Judged, contender: Contender) -> list[float]:
    """Return nDCG@10 of each question; a document takes the place of its best chunk."""
    rankings: dict[str, list[str]] = {}
    for asked in judged.questions:
        found = contender.search(asked, CHUNKS, None)
        rankings[asked.id] = distinct(judged.corpus.chunks[one].document_id for one in found)
    figures = ranking_figures(rankings, judged.gold)
    return [figures[asked.id]["ndcg_at_10"] for asked in judged.questions]


def measured(
    sets: Sequence[Judged],
    contenders: Sequence[Callable[[Judged, Path], Contender]],
    folder: Path,
) -> dict[str, dict[str, list[float]]]:
    """Return name of contender -> name of set -> nDCG@10 of each question."""
    gains: dict[str, dict[str, list[float]]] = {}
    for judged in sets:
        for make in contenders:
            contender = make(judged, folder / judged.corpus.name)
            contender.build(judged.corpus)
            gains.setdefault(contender.name, {})[judged.corpus.name] = ndcg(judged, contender)
            contender.close()
        print(f"quality: {judged.corpus.name} done", file=sys.stderr, flush=True)
    return gains


def intervals(gains: Gains) -> dict[str, Interval]:
    """Return each set's mean and their "macro" mean, with 95 % intervals.

    Percentile bootstrap over questions, resampled within each set (Efron and Tibshirani 1993).
    """
    chance = np.random.default_rng(11)
    drawn = {
        name: np.asarray(values)[chance.integers(0, len(values), (RESAMPLES, len(values)))].mean(1)
        for name, values in gains.items()
    }
    found = {name: _interval(float(np.mean(gains[name])), means) for name, means in drawn.items()}
    macro = float(np.mean([np.mean(values) for values in gains.values()]))
    found["macro"] = _interval(macro, np.mean(list(drawn.values()), axis=0))
    return found


def difference(ours: Gains, theirs: Gains) -> Interval:
    """Return by how much ``ours`` is ahead in the macro mean, questions compared in pairs."""
    pairs = {name: (np.asarray(ours[name]) - np.asarray(theirs[name])).tolist() for name in theirs}
    return intervals(pairs)["macro"]


def _interval(mean: float, means: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Interval:
    low, high = np.percentile(means, [2.5, 97.5])
    return mean, float(low), float(high)
