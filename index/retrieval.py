"""From a question to the passages that may answer it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from index.audience import Audience
from index.documents import Passage
from index.follow_ups import standalone_vector, weighted_turns
from index.ports import Candidate, Embedder, VectorIndex
from index.ranking import fuse, other_documents, within_budget

ARM_LIMIT = 100
"""Chunks that each arm of a search returns; fusion needs the union of both."""

PER_DOCUMENT = 3
"""Most passages of one document in a context, so that a long page does not crowd out the others."""

RELATED = 5


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found: the context, the nearest other pages, and the version that was searched."""

    passages: tuple[Passage, ...]
    related: tuple[Passage, ...]
    index_version: int


class Retriever:
    """Finds passages that a whole audience may read."""

    def __init__(
        self,
        index: VectorIndex,
        embedder: Embedder,
        *,
        limit: int = 8,
        context_characters: int = 6000,
    ) -> None:
        """Use ``limit`` passages of together ``context_characters`` characters at most."""
        self._index = index
        self._embedder = embedder
        self._limit = limit
        self._characters = context_characters

    async def retrieve(
        self, query: str, audience: Audience, *, earlier: Sequence[str] = ()
    ) -> Retrieval:
        """Return the context for a question; ``earlier`` holds the user's turns, oldest first.

        Raises IndexMissing, EmbedderMismatch, EmbedderUnavailable, IndexUnavailable.
        """
        version, candidates = await asyncio.gather(
            self._index.version(), self._search(query, audience, ARM_LIMIT, earlier)
        )
        ranked = fuse(candidates)
        passages = within_budget(
            ranked, characters=self._characters, per_document=PER_DOCUMENT, limit=self._limit
        )
        related = other_documents(ranked, passages, limit=RELATED)
        return Retrieval(tuple(passages), tuple(related), version)

    async def rank(
        self, query: str, audience: Audience, *, limit: int = 100, earlier: Sequence[str] = ()
    ) -> list[Passage]:
        """Return the whole ranking without budget or cap, for evaluation."""
        candidates = await self._search(query, audience, max(limit, ARM_LIMIT), earlier)
        return fuse(candidates)[:limit]

    async def _search(
        self, query: str, audience: Audience, limit: int, earlier: Sequence[str]
    ) -> Sequence[Candidate]:
        vector = await asyncio.to_thread(standalone_vector, self._embedder, query, tuple(earlier))
        turns = weighted_turns(query, earlier)
        return await self._index.search(vector, query, audience, limit, earlier=turns)
