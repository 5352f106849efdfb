"""All that the index needs from outside, on one screen."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.audience import Audience
from index.documents import Chunk, Document, DocumentRef, RawDocument
from index.within import EVERYTHING, Within

Vector = NDArray[np.float32]
"""Shape (dimensions,), of length 1."""

Vectors = NDArray[np.float32]
"""Shape (n, dimensions), each row of length 1."""


class Source(Protocol):
    """A place documents come from.

    To add a kind of your own: write a class with these four members, a ``Kind`` that makes it
    (``index.sources.catalog``), offer it as an entry point (``index.sources.plugins``), and hold it
    against the promises that all others keep (``index.sources.contract``).

    A sync lists, compares the versions with the index, and fetches what is new or changed, several
    at a time, perhaps in another process than the one that listed: a ref must be enough. A place
    that may be asked by one process alone is told of by ``index.pacing``. Errors are for people,
    each a sentence that says what to do: DocumentUnreadable is about one document, which is skipped
    and named; SourceUnavailable ends the sync, which is tried again later. A listing that cannot be
    complete raises, for what is not listed is deleted. What comes from outside (names, sizes,
    times, content) may be anything, so it is bounded before it is read.
    """

    @property
    def name(self) -> str:
        """Name in the catalog; unique, stable."""
        ...

    @property
    def readers(self) -> frozenset[str]:
        """Ids of the principals that may read all of it, as far as known before fetching.

        Part of every fingerprint, so that a changed right reaches the index. Empty for a source
        whose documents have rights of their own: there ``version`` must change with them.
        """
        ...

    def list(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document that is there now. Raises SourceUnavailable."""
        ...

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        """Return the bytes of one document. Raises DocumentUnreadable, SourceUnavailable.

        The ref that comes with them bears the version of these bytes, which may be newer than the
        listed one: a document that changes while it is read must not pass for its older self.
        """
        ...


@runtime_checkable
class Opened(Protocol):
    """What a source may offer whose documents have rights of their own, and which knows them."""

    async def readers_of(self, ref: DocumentRef) -> frozenset[str]:
        """Return who may read a listed document now; nobody if that is not known."""
        ...


@runtime_checkable
class Noted(Protocol):
    """What a source may offer beside the port, if its listing has more to tell than refs."""

    @property
    def notes(self) -> Sequence[str]:
        """What an operator should know about the latest listing, in sentences."""
        ...


class Parser(Protocol):
    """Turns bytes into text with headings and offsets."""

    @property
    def name(self) -> str:
        """Name and version; part of the recipe."""
        ...

    def parse(self, raw: RawDocument) -> Document:
        """Return the document as text. Raises DocumentUnreadable. May block."""
        ...


class Embedder(Protocol):
    """Turns text into vectors. Blocking: callers on an event loop use a thread."""

    @property
    def name(self) -> str:
        """Names the vector space: equal names mean comparable vectors."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, in order."""
        ...

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        ...


class Reranker(Protocol):
    """Reads a question and a passage together, which is slower and sees more than vectors do."""

    @property
    def name(self) -> str:
        """Name of the model; part of what an explanation says."""
        ...

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Return one score a text, in order, larger for better. Blocking.

        Raises RerankerUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One document, ready to be stored: its chunks and their vectors, row by row."""

    document: Document
    fingerprint: str
    chunks: tuple[Chunk, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A source in an index that another one is about to replace.

    ``recipe`` made it, or is empty if nobody knows; ``fingerprints`` are by document id.
    """

    recipe: str
    fingerprints: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk found by at least one arm of a search, before ranking.

    ``similarity`` is the cosine to the query vector; ``keyword`` is the BM25 score, 0.0 when the
    keyword arm did not find the chunk; ``coverage`` is the share of the question's words, rare ones
    counting more, that the chunk holds.
    """

    chunk: Chunk
    source: str
    title: str
    url: str
    readers: frozenset[str]
    updated_at: datetime | None
    similarity: float
    keyword: float
    coverage: float = 0.0


class VectorIndex(Protocol):
    """Where chunks are kept and found. One writer a table; any number of readers."""

    async def fingerprints(self, source: str) -> Mapping[str, str]:
        """Return document id -> fingerprint for every document of the source."""
        ...

    async def readers(self, document_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return who may read each of these documents, by its id; what is not held is left out."""
        ...

    async def begin(self, recipe: str) -> None:
        """Begin a run of changes by a recipe, whose name is part of all its fingerprints.

        They go to the index that answers if the same recipe made it, else to a new one beside it.
        What the index holds now stays known to ``vectors`` for a while; runs that follow each other
        on one index know of each other's pasts. No search sees a difference.
        """
        ...

    async def outgoing(self, source: str) -> Outgoing | None:
        """Return what still answers of a source while a new index is built beside it.

        None if the changes of this run go to the index that answers.
        """
        ...

    async def retire(self, document_ids: Sequence[str]) -> None:
        """Drop documents from the outgoing index alone; they are gone from the next search."""
        ...

    async def finish(self, source: str, among: Collection[str] | None = None) -> frozenset[str]:
        """End a run: the source is wholly in the index.

        A new index answers from now on if that holds for each source of the outgoing one, or for
        those that are ``among`` these names. Returns the names of the sources that it still waits
        for; none if there is nothing to wait for.
        """
        ...

    async def take_over(self) -> bool:
        """Keep writers that came earlier from changing anything from now on.

        Returns whether the index has changed since ``begin``, so that what was read may be old.
        Raises WriterConflict, and what tells this writer that another one has taken over from it.
        """
        ...

    async def vectors(self, text_ids: Collection[str]) -> Mapping[str, Vector]:
        """Return the vectors of equal texts, whatever document they stand in, by ``stable_id``.

        A text is the searchable text: title and headings are part of it, so the id of a chunk alone
        does not tell whether its vector still fits. What was dropped since a recent ``begin`` is
        found too, so that a page that moved is not embedded again. Other ids are left out.
        """
        ...

    async def stage(self, entries: Sequence[IndexEntry]) -> None:
        """Keep entries for the next commit; searches do not see them yet."""
        ...

    async def commit(self) -> int:
        """Replace the staged documents, each wholly, in one version. Returns the version."""
        ...

    async def discard(self) -> None:
        """Forget what is staged."""
        ...

    async def remove(self, document_ids: Sequence[str]) -> int:
        """Drop documents; they are gone from the next search. Returns the version."""
        ...

    async def search(
        self,
        vector: Vector,
        text: str,
        audience: Audience,
        limit: int,
        *,
        earlier: Sequence[tuple[str, float]] = (),
        within: Within = EVERYTHING,
    ) -> Sequence[Candidate]:
        """Return the union of the best ``limit`` chunks by vector and by keyword.

        The words of ``earlier`` turns are looked for too, with the weights that they come with.
        Only chunks that the whole audience may read, of documents that ``within`` admits. Raises
        IndexMissing, EmbedderMismatch, IndexUnavailable.
        """
        ...

    async def at(
        self, places: Sequence[tuple[str, int]], vector: Vector, audience: Audience
    ) -> Sequence[Candidate]:
        """Return the chunks at these places, each a document id and an ordinal, in any order.

        Where there is no chunk, or none that the whole audience may read, nothing is returned. What
        was removed before the latest search began is gone here too. ``keyword`` and ``coverage``
        are 0.0. Raises as ``search`` does.
        """
        ...

    async def sources(self, audience: Audience) -> frozenset[str]:
        """Return the names of the sources of which the whole audience may read something.

        Empty when there is no index yet.
        """
        ...

    async def withholds(self, audience: Audience) -> bool:
        """Tell whether there is something that not everybody in the audience may read.

        A cheap look, so that nobody needs to ask who belongs to which group where it opens nothing.
        False when there is no index yet. Never true for what the whole audience may read; for a
        room of very many different people it may be false although something is withheld.
        """
        ...

    async def version(self) -> int:
        """Return the version that a search would read now; 0 when there is no index yet."""
        ...

    async def maintain(self) -> None:
        """Bring the storage into shape if enough has piled up; only the writer calls it."""
        ...
