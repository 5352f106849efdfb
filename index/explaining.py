"""Why a search found what it found, as data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from index.context import Decision, Fate
from index.ports import Candidate


@dataclass(frozen=True, slots=True)
class Considered:
    """A passage that was found, its scores, and what became of it.

    ``similarity`` is the cosine of the vectors, ``keyword`` the BM25 score, ``coverage`` the share
    of the question's words, ``score`` what fusion made of the three, and ``reranked`` what a
    cross-encoder said if it was asked. ``rank`` counts from 1; it is None for a neighbour that no
    arm of the search had found. ``like`` is the rank of the passage that says the same.
    """

    rank: int | None
    title: str
    heading_path: tuple[str, ...]
    url: str
    source: str
    updated_at: datetime | None
    document_id: str
    ordinal: int
    text: str
    similarity: float
    keyword: float
    coverage: float
    score: float
    reranked: float | None
    fate: Fate
    like: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one question was searched for: ``searched`` is its text without ``filters``.

    ``earlier`` are the turns that were mixed in, latest first, with their weights. ``reranked`` is
    what the ``reranker`` said, by chunk id; without one it has no name and said nothing.
    """

    searched: str
    filters: tuple[str, ...]
    earlier: tuple[tuple[str, float], ...]
    decisions: tuple[Decision, ...]
    candidates: tuple[Candidate, ...]
    reranker: str = ""
    reranked: Mapping[str, float] = field(default_factory=dict)

    def considered(self) -> tuple[Considered, ...]:
        """Return a row for each passage that was found, in the order of the ranking."""
        found = {one.chunk.id: one for one in self.candidates}
        ranked = (one.passage.chunk.id for one in self.decisions)
        ranks = {name: rank for rank, name in enumerate((n for n in ranked if n in found), start=1)}
        return tuple(self._row(decision, found, ranks) for decision in self.decisions)

    def _row(
        self, decision: Decision, found: Mapping[str, Candidate], ranks: Mapping[str, int]
    ) -> Considered:
        passage, chunk = decision.passage, decision.passage.chunk
        candidate = found.get(chunk.id)
        return Considered(
            rank=ranks.get(chunk.id),
            title=passage.title,
            heading_path=chunk.heading_path,
            url=passage.url,
            source=passage.source,
            updated_at=passage.updated_at,
            document_id=chunk.document_id,
            ordinal=chunk.ordinal,
            text=chunk.text,
            similarity=passage.similarity,
            keyword=candidate.keyword if candidate else 0.0,
            coverage=candidate.coverage if candidate else 0.0,
            score=passage.score,
            reranked=self.reranked.get(chunk.id),
            fate=decision.fate,
            like=ranks.get(decision.like),
        )
