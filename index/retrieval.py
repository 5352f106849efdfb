"""From a question to the passages that may answer it.

::

    question ─ filters ─ vector and words ─ fusion ─ [reranker] ─ context ─ its surroundings
               taken out                    the ranking

There is one way through: answers, evaluation and explanations all come out of the same search.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from index.audience import Audience
from index.context import (
    Decision,
    Fate,
    Place,
    decided,
    in_reading_order,
    neighbour_places,
    with_surroundings,
)
from index.documents import Passage
from index.explaining import Explanation
from index.follow_ups import standalone_text, standalone_vector, weighted_turns
from index.ports import Candidate, Embedder, Reranker, Vector, VectorIndex
from index.query_filters import Understood, may_name_sources, understood
from index.ranking import Best, fuse, other_documents, scored
from index.reranking import reordered

ARM_LIMIT = 100
"""Chunks that each arm of a search returns; fusion needs the union of both."""

PER_DOCUMENT = 3
"""Most passages of one document in a context, so that a long page does not crowd out the others.

Its surroundings are not counted.
"""

RELATED = 5


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What one search found.

    ``passages`` is the context: best first, each of the best with its neighbours in reading order.
    ``related`` are the nearest other pages. ``ranking`` is all that was found, best first, without
    budget or cap. ``filters`` say in words what the question limited the search to.
    """

    passages: tuple[Passage, ...]
    related: tuple[Passage, ...]
    index_version: int
    ranking: tuple[Passage, ...]
    filters: tuple[str, ...]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A search before its context is chosen."""

    asked: Understood
    vector: Vector
    earlier: tuple[tuple[str, float], ...]
    candidates: Sequence[Candidate]
    passages: list[Passage]
    reranked: dict[str, float]


class Retriever:
    """Finds passages that a whole audience may read."""

    def __init__(
        self,
        index: VectorIndex,
        embedder: Embedder,
        *,
        limit: int = 8,
        context_characters: int = 6000,
        reranker: Reranker | None = None,
        rerank_limit: int = 30,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Use ``limit`` passages and their surroundings, of ``context_characters`` at most.

        ``reranker`` puts the best ``rerank_limit`` passages into its own order. ``clock`` tells
        what "last week" means.
        """
        self._index = index
        self._embedder = embedder
        self._limit = limit
        self._characters = context_characters
        self._reranker = reranker
        self._rerank_limit = rerank_limit
        self._clock = clock

    async def retrieve(
        self, query: str, audience: Audience, *, earlier: Sequence[str] = ()
    ) -> Retrieval:
        """Return the context for a question; ``earlier`` holds the user's turns, oldest first.

        Raises IndexMissing, EmbedderMismatch, EmbedderUnavailable, EmbedderUnreachable,
        RerankerUnavailable, IndexUnavailable.
        """
        version, ranked = await asyncio.gather(
            self._index.version(), self._ranked(query, audience, ARM_LIMIT, earlier)
        )
        decisions = decided(
            ranked.passages,
            characters=self._characters,
            per_document=PER_DOCUMENT,
            limit=self._limit,
        )
        neighbours = await self._neighbours(neighbour_places(decisions), ranked, audience)
        decisions = with_surroundings(decisions, neighbours, characters=self._characters)
        passages = in_reading_order(decisions)
        distinct = (one.passage for one in decisions if one.fate is not Fate.DUPLICATE)
        return Retrieval(
            passages=tuple(passages),
            related=tuple(other_documents(distinct, passages, limit=RELATED)),
            index_version=version,
            ranking=tuple(ranked.passages),
            filters=ranked.asked.within.in_words(),
            explanation=self._explained(ranked, decisions),
        )

    async def withholds(self, audience: Audience) -> bool:
        """Tell whether the index holds something that not everybody in the audience may read.

        Raises EmbedderMismatch, IndexUnavailable.
        """
        return await self._index.withholds(audience)

    async def rank(
        self, query: str, audience: Audience, *, limit: int = 100, earlier: Sequence[str] = ()
    ) -> list[Passage]:
        """Return the whole ranking without budget or cap, for evaluation."""
        ranked = await self._ranked(query, audience, max(limit, ARM_LIMIT), earlier)
        return ranked.passages[:limit]

    async def _ranked(
        self, query: str, audience: Audience, limit: int, earlier: Sequence[str]
    ) -> _Ranked:
        names = await self._index.sources(audience) if may_name_sources(query) else ()
        asked = understood(query, today=self._clock().astimezone(UTC).date(), sources=names)
        vector = await asyncio.to_thread(
            standalone_vector, self._embedder, asked.text, tuple(earlier)
        )
        turns = weighted_turns(asked.text, earlier)
        candidates = await self._index.search(
            vector, asked.text, audience, limit, earlier=turns, within=asked.within
        )
        passages = fuse(candidates)
        scores: dict[str, float] = {}
        if self._reranker is not None:
            question = standalone_text(asked.text, earlier)
            passages, scores = await asyncio.to_thread(
                reordered, self._reranker, question, passages, self._rerank_limit
            )
        return _Ranked(asked, vector, tuple(turns), candidates, passages, scores)

    async def _neighbours(
        self, places: Sequence[Place], ranked: _Ranked, audience: Audience
    ) -> dict[Place, Passage]:
        """Return what stands at ``places``; only what the search did not find is asked for."""
        wanted = set(places)
        found = {
            place: one
            for one in ranked.passages
            if (place := (one.chunk.document_id, one.chunk.ordinal)) in wanted
        }
        absent = [place for place in places if place not in found]
        if absent:
            best = Best.of(ranked.candidates)
            for one in await self._index.at(absent, ranked.vector, audience):
                if ranked.asked.within.admits(one.source, one.updated_at):
                    place = (one.chunk.document_id, one.chunk.ordinal)
                    found[place] = scored(one, best)
        return found

    def _explained(self, ranked: _Ranked, decisions: Sequence[Decision]) -> Explanation:
        return Explanation(
            searched=ranked.asked.text,
            filters=ranked.asked.within.in_words(),
            earlier=ranked.earlier,
            decisions=tuple(decisions),
            candidates=tuple(ranked.candidates),
            reranker=self._reranker.name if self._reranker else "",
            reranked=ranked.reranked,
        )
