"""The index in LanceDB, on a folder or on ``s3://``; nothing else imports lancedb.

One table holds a row a chunk. A commit replaces whole documents in one version, so a search sees a
document as it was or as it is, never half of it. Every read asks for a newer version once, because
a handle that does not would serve revoked rows for ever. Two writers at once lose and duplicate
nothing, yet the later one wins: give a table one writer; ``before_change`` asks if it still is.

The engine reads ``LANCE_CPU_THREADS`` when it starts. Whoever composes the program sets it before
this module is imported: about 32 for an index on S3, where threads wait more than they compute.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta

import lancedb
import numpy as np
from lancedb import AsyncConnection, AsyncTable
from lancedb.index import FTS, Bitmap, BTree, IvfRq, IvfSq, LabelList
from lancedb.query import BooleanQuery, FullTextQuery, MatchQuery, Occur

from index import lance_rows
from index.audience import Audience
from index.keywords import ANALYSIS, LONGEST_TOKEN, Wanted, wanted
from index.lance_changes import Changes, held_in
from index.lance_errors import PATIENCE, mismatch
from index.lance_filters import inside, readable_by
from index.lance_handle import Handle
from index.lance_maintenance import KEYWORDS, Indexes
from index.lance_reading import Match, Reading
from index.lance_runs import Runs
from index.lance_tables import Tables, version_of, was_superseded
from index.lance_upkeep import KEEP, VectorDesign
from index.ports import Candidate, IndexEntry, Vector
from index.within import EVERYTHING, Within

TABLE = f"chunks-{ANALYSIS}"
"""The first table of a place; see lance_tables.py for those that follow it."""


class LanceIndex(Runs):
    """A VectorIndex. Nothing is read or written before the first call."""

    def __init__(
        self,
        uri: str,
        *,
        embedder: str,
        dimensions: int,
        storage_options: Mapping[str, str] | None = None,
        before_change: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """Name the place: a folder or ``s3://bucket/prefix``, and the embedder of its vectors.

        ``before_change`` is awaited before every change; what it raises prevents the change.
        """
        self._uri = uri
        self._embedder, self._dimensions = embedder, dimensions
        self._remote = "://" in uri
        self._options = {**PATIENCE, **(storage_options or {})} if self._remote else None
        self._connection: AsyncConnection | None = None
        self._tables = Tables(uri, self._connected, first=TABLE)
        self._handle = Handle(uri, self._opened, replaced=was_superseded)
        self._reading = Reading()
        self._changes = Changes(
            uri,
            self._tables,
            self._handle,
            schema=lambda recipe: lance_rows.table_schema(embedder, dimensions, recipe),
            indexes=_INDEXES,
            before_change=before_change,
        )

    async def fingerprints(self, source: str) -> Mapping[str, str]:
        """Return document id -> fingerprint; empty when there is no index yet."""
        return await self._changes.fingerprints(source)

    async def readers(self, document_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return who may read each of these documents, by its id."""
        return await self._changes.readers(document_ids)

    async def vectors(self, text_ids: Collection[str]) -> Mapping[str, Vector]:
        """Return the stored vectors of equal texts, by ``stable_id`` of what was embedded."""
        return await self._changes.vectors(text_ids)

    async def stage(self, entries: Sequence[IndexEntry]) -> None:
        """Keep entries in memory for the next commit. Raises ValueError for a malformed entry."""
        for entry in entries:
            lance_rows.check_entry(entry, self._dimensions)
        self._changes.writing.stage(entries)

    async def commit(self) -> int:
        """Replace the staged documents in one version; without any, change nothing.

        What was staged stays staged if the commit fails, so that it can be tried again.
        """
        await self._changes.writing.commit()
        return await self.version()

    async def discard(self) -> None:
        """Forget what is staged."""
        self._changes.writing.discard()

    async def remove(self, document_ids: Sequence[str]) -> int:
        """Drop documents; no search finds them again. Their bytes stay until they are compacted."""
        await self._changes.remove(document_ids)
        return await self.version()

    async def retire(self, document_ids: Sequence[str]) -> None:
        """Drop documents from the table that answers while another one is built."""
        await self._changes.retire(document_ids)

    async def remove_source(self, name: str) -> None:
        """Drop all documents of a source; no search finds them again."""
        await self._changes.remove_source(name)

    async def held(self) -> Mapping[str, int]:
        """Return the names of all sources that something is held of, and how many documents."""
        return await held_in(self._changes.answering)

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
        """Return the union of both arms, nearest first, with the exact cosine for every row."""
        query = self._checked(vector)
        readable = readable_by(audience)
        looked_for = wanted(text[: lance_rows.KEYWORD_CHARACTERS], earlier)

        async def read(table: AsyncTable) -> Sequence[Candidate]:
            if readable is None:
                return []
            where = " AND ".join([readable, *inside(within)])
            match = _match(looked_for)
            hit = await self._reading.search(table, query, match, where, limit)
            total = await table.count_rows()
            numbers = hit.similarities.tolist(), hit.scores.tolist()
            found = lance_rows.candidates_of(hit.rows, *numbers, looked_for.terms, total)
            # The filter decided already; this is the second lock on the same door.
            return [
                one
                for one in found
                if audience.may_read(one.readers) and within.admits(one.source, one.updated_at)
            ]

        return await self._handle.use(read, asks_itself=True)

    async def at(
        self, places: Sequence[tuple[str, int]], vector: Vector, audience: Audience
    ) -> Sequence[Candidate]:
        """Return the chunks at these places of the version that the latest search read."""
        query, readable = self._checked(vector), readable_by(audience)
        if readable is None or not places:
            return []
        found = await self._handle.use(
            lambda table: self._reading.at(table, places, readable), asks_itself=True
        )
        candidates = lance_rows.candidates_at(found, places, query)
        return [one for one in candidates if audience.may_read(one.readers)]

    async def sources(self, audience: Audience) -> frozenset[str]:
        """Return the names of the sources that hold something for the whole audience."""
        if (readable := readable_by(audience)) is None:
            return frozenset()
        columns = ("source", "readers")
        rows = await self._changes.answering.use_or(
            None, lambda table: lance_rows.columns_of(table, readable, columns)
        )
        found = rows.to_pylist() if rows is not None else []
        return frozenset(r["source"] for r in found if audience.may_read(frozenset(r["readers"])))

    async def withholds(self, audience: Audience) -> bool:
        """Tell whether it holds something that not everybody in the audience may read."""
        readable = readable_by(audience)
        closed = "true" if readable is None else f"NOT ({readable})"
        return await self._handle.use_or(False, lambda table: self._reading.any_row(table, closed))

    async def warm(self) -> None:
        """Fetch what searches need, and keep it; nothing where there is no index yet.

        Raises EmbedderMismatch, IndexUnavailable.
        """
        await self._handle.use_or(None, self._reading.warm)

    async def version(self) -> int:
        """Return the newest version; 0 when there is no index yet."""
        return await self._changes.answering.use_or(0, version_of)

    async def count(self) -> int:
        """Return the number of chunks; 0 when there is no index yet."""
        return await self._changes.answering.use_or(0, lambda table: table.count_rows())

    async def documents(self) -> int:
        """Return the number of documents; 0 when there is no index yet."""
        return sum((await self.held()).values())

    async def maintain(self, *, force: bool = False) -> None:
        """Compact, index what is not indexed yet, forget versions older than an hour.

        Does nothing until enough has piled up, unless forced. Only the writer calls it.
        """
        await self._changes.maintain(force=force)

    async def erase(self, *, older_than: timedelta = KEEP) -> None:
        """Take out of the stored bytes what was dropped, and versions that are ``older_than`` that.

        A version younger than an hour may be the one that a reader is reading. So what was dropped
        is gone from the bytes when this has run twice, an hour apart. Only the writer calls it.
        """
        await self._changes.erase(older_than)

    async def close(self) -> None:
        """Let go of the storage. A later call opens it again; staged entries are dropped."""
        await self._reading.close()
        self._changes.forget()
        self._handle.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()  # type: ignore[no-untyped-call]

    def _checked(self, vector: Vector) -> Vector:
        query = np.asarray(vector, dtype=np.float32)
        if query.shape != (self._dimensions,):
            raise mismatch(self._uri, self._embedder, self._dimensions, "a vector", query.size)
        return query

    async def _opened(self) -> AsyncTable:
        table: AsyncTable = await self._tables.answering()
        built_with, size = lance_rows.vector_space(await table.schema())
        if (built_with, size) != (self._embedder, self._dimensions):
            raise mismatch(self._uri, built_with, size, self._embedder, self._dimensions)
        return table

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            # The handle stays at its version until it is told to move on: see lance_newest.py.
            self._connection = await lancedb.connect_async(
                self._uri, read_consistency_interval=None, storage_options=self._options
            )
        return self._connection


def _match(looked_for: Wanted) -> Match:
    # A match query takes its text as words; quotes and operators in it mean nothing.
    def match(tokens: Sequence[str], weight: float) -> MatchQuery:
        words = lance_rows.storable(" ".join(tokens))
        return MatchQuery(words, KEYWORDS, boost=weight)  # type: ignore[call-arg]

    parts = [match(t, weight) for weight, t in looked_for.by_weight().items()] or [match((), 1.0)]
    any_part: list[tuple[Occur, FullTextQuery]] = [(Occur.SHOULD, part) for part in parts]
    return Match(BooleanQuery(any_part) if looked_for.terms else parts[0], parts)


def _vectors(design: VectorDesign) -> IvfRq | IvfSq:
    if design.bits == 4:
        return IvfRq(distance_type="cosine", num_bits=4, num_partitions=design.partitions)
    return IvfSq(distance_type="cosine", num_partitions=design.partitions)


_INDEXES = Indexes(
    words=FTS(
        with_position=False,
        base_tokenizer="whitespace",
        max_token_length=LONGEST_TOKEN + 1,
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
    ),
    filters={
        "readers": LabelList(),
        "doc_id": BTree(),
        "source_id": Bitmap(),
        "embedded_id": BTree(),
    },
    vectors=_vectors,
)
