"""LanceDB's own hybrid search as its manual shows it: native full-text search, vectors, RRF."""

import asyncio
from pathlib import Path

import lancedb
import pyarrow as pa
from lancedb.index import FTS, LabelList

from tests.benchmarks.peers.corpus import Asked, Corpus

BATCH = 10_000


class LanceDefault:
    """Every setting at its default; no vector index, so that its vectors are exact.

    For the filter it gets the index that its manual recommends for lists.
    """

    name = "LanceDB, hybrid default"
    filters = True

    def __init__(self, folder: Path) -> None:
        """Keep the table in ``folder``."""
        self._folder = folder
        self._runner = asyncio.Runner()

    def build(self, corpus: Corpus) -> None:
        """Write the table and its indexes unless the folder holds them."""
        self._runner.run(self._build(corpus))

    async def _build(self, corpus: Corpus) -> None:
        self._connection = await lancedb.connect_async(self._folder)
        if "chunks" in await self._connection.table_names():
            self._table = await self._connection.open_table("chunks")
            if await self._table.count_rows() == len(corpus.chunks):
                return
        batches = [
            _rows(corpus, start, start + BATCH) for start in range(0, len(corpus.chunks), BATCH)
        ]
        data = pa.concat_tables(batches)
        self._table = await self._connection.create_table("chunks", data, mode="overwrite")
        await self._table.create_index("text", config=FTS())
        await self._table.create_index("readers", config=LabelList())

    def search(self, asked: Asked, limit: int, readers: list[str] | None) -> list[int]:
        """Return the fused ranking of both searches."""
        return self._runner.run(self._search(asked, limit, readers))

    async def _search(self, asked: Asked, limit: int, readers: list[str] | None) -> list[int]:
        # A quotation mark makes a phrase of it, which an index of default settings refuses.
        words = asked.text.replace('"', " ")
        query = self._table.query().nearest_to(asked.vector).nearest_to_text(words)
        if readers:
            held = ", ".join(f"'{one}'" for one in readers)
            query = query.where(f"array_has_any(readers, [{held}])")
        found = await query.select(["number", "text"]).limit(limit).to_arrow()
        numbers: list[int] = found["number"].to_pylist()
        return numbers

    def close(self) -> None:
        """Let go of the table."""
        self._table.close()  # type: ignore[no-untyped-call]
        self._connection.close()  # type: ignore[no-untyped-call]
        self._runner.close()


def _rows(corpus: Corpus, start: int, end: int) -> pa.Table:
    vectors = corpus.vectors[start:end]
    return pa.table(
        {
            "number": pa.array(range(start, start + len(vectors)), pa.int64()),
            "text": pa.array(corpus.texts[start:end], pa.string()),
            "readers": pa.array(corpus.readers[start:end], pa.list_(pa.string())),
            "vector": pa.FixedSizeListArray.from_arrays(vectors.reshape(-1), vectors.shape[1]),
        }
    )
