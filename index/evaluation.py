"""How good a ranking is, against judged questions. Pure.

The measures are those of trec_eval, computed by ir-measures: gains count linearly in nDCG, a gain
of 0 or less means "not relevant", and an id that a ranking lists twice counts where it stands first
(trec_eval itself would take the last of the two).
"""

from collections.abc import Iterable, Mapping, Sequence

import ir_measures
from ir_measures import RR, R, nDCG

MEASURES = {
    "recall_at_1": R @ 1,
    "recall_at_5": R @ 5,
    "recall_at_10": R @ 10,
    "ndcg_at_10": nDCG @ 10,
    "mrr_at_10": RR @ 10,
}


def distinct(ids: Iterable[str]) -> list[str]:
    """Return the ids in their order, each once: a document takes the place of its best chunk."""
    return list(dict.fromkeys(ids))


def ranking_figures(
    rankings: Mapping[str, Sequence[str]], gold: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, float]]:
    """Return question id -> name in ``MEASURES`` -> value in [0, 1].

    ``rankings`` holds the ranked ids of each question, best first, and ``gold`` the gain of each
    judged id. Raises ValueError for a question without a relevant document: it measures nothing.
    """
    for question in rankings:
        if not any(gain > 0 for gain in gold.get(question, {}).values()):
            raise ValueError(f"no document is judged relevant for question {question!r}")
    runs = {question: _scores(ranked) for question, ranked in rankings.items()}
    judged = {question: dict(gold[question]) for question in rankings}
    # A question that found nothing is missing in what comes back.
    figures = {question: dict.fromkeys(MEASURES, 0.0) for question in rankings}
    names = {measure: name for name, measure in MEASURES.items()}
    if judged:
        for one in ir_measures.iter_calc(list(MEASURES.values()), judged, runs):
            figures[one.query_id][names[one.measure]] = float(one.value)
    return figures


def _scores(ranked: Sequence[str]) -> dict[str, float]:
    places = distinct(ranked)
    return {one: float(len(places) - place) for place, one in enumerate(places)}
