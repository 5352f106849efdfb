"""From candidates to a ranking of passages: fusion of the two arms. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.documents import Passage
from index.ports import Candidate

KEYWORD_WEIGHT = 0.4
COVERAGE_WEIGHT = 0.15
"""nDCG@10, macro over the seven judged sets: .858 with weights .45 and 0, .859 with .4 and .1, .860
with .4 and .15, .859 with .45 and .15. Reciprocal rank fusion: .827 on the same chunks and words.
"""


def fuse(
    candidates: Sequence[Candidate],
    *,
    keyword_weight: float = KEYWORD_WEIGHT,
    coverage_weight: float = COVERAGE_WEIGHT,
) -> list[Passage]:
    """Return the candidates as passages, best first, by max-norm score fusion.

    ``score = ((1 - w) * similarity / max(similarity) + w * keyword / max(keyword) + c * coverage)
    / (1 + c)``, in [0, 1]. Each arm is divided by its best of this query, because cosines and BM25
    scores share no scale; a similarity below 0 counts as 0, and an arm that found nothing gives 0
    to all. On seven judged sets this beat both arms alone and reciprocal rank fusion. Equal scores
    are ordered by chunk id.

    Raises ValueError for a weight outside [0, 1].
    """
    if not (0.0 <= keyword_weight <= 1.0 and 0.0 <= coverage_weight <= 1.0):
        raise ValueError("keyword_weight and coverage_weight must lie between 0 and 1")
    best = Best.of(candidates)
    passages = [
        scored(one, best, keyword_weight=keyword_weight, coverage_weight=coverage_weight)
        for one in candidates
    ]
    return sorted(passages, key=lambda passage: (-passage.score, passage.chunk.id))


@dataclass(frozen=True, slots=True)
class Best:
    """The best of each arm of one search, by which the scores of the others are divided."""

    similarity: float
    keyword: float

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> "Best":
        """Return the best of these candidates; 0.0 without any."""
        return cls(
            similarity=max((one.similarity for one in candidates), default=0.0),
            keyword=max((one.keyword for one in candidates), default=0.0),
        )


def scored(
    candidate: Candidate,
    best: Best,
    *,
    keyword_weight: float = KEYWORD_WEIGHT,
    coverage_weight: float = COVERAGE_WEIGHT,
) -> Passage:
    """Return a candidate as a passage with the score that ``fuse`` gives it."""
    score = (
        (1.0 - keyword_weight) * _share(candidate.similarity, best.similarity)
        + keyword_weight * _share(candidate.keyword, best.keyword)
        + coverage_weight * candidate.coverage
    ) / (1.0 + coverage_weight)
    return Passage(
        chunk=candidate.chunk,
        source=candidate.source,
        title=candidate.title,
        url=candidate.url,
        score=min(score, 1.0),
        similarity=candidate.similarity,
        readers=candidate.readers,
        updated_at=candidate.updated_at,
    )


def other_documents(
    passages: Iterable[Passage], taken: Iterable[Passage], *, limit: int
) -> list[Passage]:
    """Return the best passage of each document that ``taken`` does not show, at most ``limit``."""
    seen = {passage.chunk.document_id for passage in taken}
    others: list[Passage] = []
    for passage in passages:
        if len(others) >= limit:
            break
        if passage.chunk.document_id not in seen:
            seen.add(passage.chunk.document_id)
            others.append(passage)
    return others


def _share(value: float, best: float) -> float:
    return min(max(value, 0.0) / best, 1.0) if best > 0.0 else 0.0
