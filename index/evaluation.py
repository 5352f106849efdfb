"""How good a ranking is, against judged questions. Pure.

``gold`` maps the id of each judged document to its gain; a gain of 0 or less means "not relevant".
An id that a ranking lists twice counts where it stands first.
"""

import math
from collections.abc import Iterable, Mapping, Sequence


def distinct(ids: Iterable[str]) -> list[str]:
    """Return the ids in their order, each once: a document takes the place of its best chunk."""
    return list(dict.fromkeys(ids))


def recall_at(ranked: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """Return the share of relevant documents among the first ``k``.

    Raises ValueError when nothing is relevant: such a question measures no retrieval.
    """
    relevant = _relevant(gold)
    return len(relevant.keys() & set(distinct(ranked)[:k])) / len(relevant)


def ndcg_at(ranked: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """Return the normalised discounted cumulative gain at ``k``, in [0, 1].

    DCG is the sum of ``gain / log2(place + 1)`` over places from 1 to ``k``, divided by that of the
    ideal order (Järvelin and Kekäläinen 2002, with linear gains as trec_eval computes it).

    Raises ValueError when nothing is relevant.
    """
    relevant = _relevant(gold)
    gains = [relevant.get(one, 0.0) for one in distinct(ranked)[:k]]
    ideal = sorted(relevant.values(), reverse=True)[:k]
    return _discounted(gains) / _discounted(ideal) if ideal else 0.0


def mrr_at(ranked: Sequence[str], gold: Mapping[str, float], k: int) -> float:
    """Return 1 / place of the first relevant document among the first ``k``, or 0 without one.

    Raises ValueError when nothing is relevant.
    """
    relevant = _relevant(gold)
    for place, one in enumerate(distinct(ranked)[:k], start=1):
        if one in relevant:
            return 1.0 / place
    return 0.0


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value below which ``percent`` of 100 lie, interpolated between neighbours.

    Raises ValueError for no values, or a percentage outside [0, 100].
    """
    ordered = sorted(values)
    if not ordered or not 0.0 <= percent <= 100.0:
        raise ValueError("percentile needs values, and a percentage between 0 and 100")
    place = (len(ordered) - 1) * percent / 100.0
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _relevant(gold: Mapping[str, float]) -> dict[str, float]:
    relevant = {one: gain for one, gain in gold.items() if gain > 0.0}
    if not relevant:
        raise ValueError("no document is judged relevant, so there is nothing to measure")
    return relevant


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))
