"""What both arms of one search found, and the rows that belong to it.

    nearest   row numbers ─────────────┐
                                       ├─ each number once ─ vectors ─ the nearest ─ rows
    matching  row numbers with scores ─┘

Vectors and rows come from memory, or each in one reading of the storage. There a row costs about
one request for each wide column, so the words of the keyword arm are not read, for they follow from
the text, and rows only of what is offered in the end: the index of a large table estimates
distances, so it is asked for more than that. A large table has all of it in one value a row, so
there it is one reading: see lance_packed.py.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from index.lance_beside import Beside, with_neighbours
from index.lance_packed import PACKED, Unpacked, table_of
from index.lance_rows import SHOWN_COLUMNS, cosines, vectors_in
from index.ports import Vector

ROW_ID = "_rowid"

MOVED = "Rows that were found are not found under their numbers any more."

Numbers = NDArray[np.uint64]


class RowsMoved(RuntimeError):
    """The table moved on to another version between a search and the reading of its rows."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Row numbers, each once, in growing order, which arm found each, and its BM25 score or 0."""

    numbers: Numbers
    near: NDArray[np.bool_]
    matched: NDArray[np.bool_]
    score: NDArray[np.float32]

    @classmethod
    def of(cls, nearest: pa.Table, matching: pa.Table) -> "Hits":
        """Return the union of both arms."""
        near, matched = nearest[ROW_ID].to_numpy(), matching[ROW_ID].to_numpy()
        numbers = np.union1d(near, matched)
        score = np.zeros(len(numbers), np.float32)
        score[np.searchsorted(numbers, matched)] = matching["_score"].to_numpy()
        return cls(numbers, np.isin(numbers, near), np.isin(numbers, matched), score)

    def offered(self, similarities: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
        """Return the places of the ``limit`` nearest rows, and of all that match."""
        near = np.flatnonzero(self.near)
        nearest = near[np.argsort(-similarities[near], kind="stable")[:limit]]
        return np.union1d(nearest, np.flatnonzero(self.matched))


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of chunks with the exact cosine and the BM25 score of each (0 if it was not matched)."""

    rows: pa.Table
    similarities: NDArray[np.float32]
    scores: NDArray[np.float32]

    @property
    def is_of_one_version(self) -> bool:
        """Tell whether no document appears with two fingerprints, as after a commit in between."""
        seen: dict[str, str] = {}
        documents, fingerprints = (self.rows[one].to_pylist() for one in ("doc_id", "fingerprint"))
        return all(
            seen.setdefault(document, fingerprint) == fingerprint
            for document, fingerprint in zip(documents, fingerprints, strict=True)
        )


def found_in(rows: pa.Table, hits: Hits, query: Vector, limit: int) -> Found:
    """Return what is offered of the rows of the hits, which stand in their order."""
    similarities = cosines(vectors_in(rows), query)
    offered = hits.offered(similarities, limit)
    return Found(rows.take(offered), similarities[offered], hits.score[offered])


async def found_by_reading(
    table: Any, hits: Hits, query: Vector, limit: int, beside: Beside
) -> Found:
    """Return what is offered, read from the storage; ``beside`` gets what stands around it.

    Raises RowsMoved when the table holds another version by now.
    """
    if PACKED in (schema := await table.schema()).names:
        rows = await _unpacked(table, hits.numbers, schema, beside)
        return found_in(rows, hits, query, limit)
    if len(hits.numbers) <= 2 * limit:
        # Next to nothing will be left out, so the rows need not wait for their vectors.
        rows = await _taken(table, hits.numbers, [*SHOWN_COLUMNS, "vector"])
        return found_in(rows, hits, query, limit)
    vectors = await _taken(table, hits.numbers, ["vector"])
    similarities = cosines(vectors_in(vectors), query)
    offered = hits.offered(similarities, limit)
    rows = await _taken(table, hits.numbers[offered], SHOWN_COLUMNS)
    return Found(rows, similarities[offered], hits.score[offered])


async def _unpacked(table: Any, numbers: Numbers, schema: pa.Schema, beside: Beside) -> pa.Table:
    """Return the rows of these numbers, in their order, with their vectors. Raises RowsMoved."""
    size = schema.field("vector").type.list_size
    # What stands beside a row comes in the same request, and is what is asked for next.
    wanted = with_neighbours(numbers).tolist()
    read = await table.take_row_ids(wanted).with_row_id().select([PACKED]).to_arrow()
    values = dict(zip(read[ROW_ID].to_pylist(), read[PACKED].to_pylist(), strict=True))
    if not values.keys() >= set(numbers.tolist()):
        raise RowsMoved(MOVED)
    rows = {number: Unpacked.of(values[number], size) for number in numbers.tolist()}
    held = {number: row for number, row in rows.items() if row is not None}
    beside.keep(values, held)
    found = table_of([*held.values()], schema)
    if len(held) == len(numbers):
        return found
    others = np.array([number for number in rows if number not in held], np.uint64)
    read = await _taken(table, others, found.column_names)
    order = np.argsort(np.concatenate([np.array([*held], np.uint64), others]))
    both = [found, read.select(found.column_names).cast(found.schema)]
    return pa.concat_tables(both).take(order)


async def open_rows(table: Any) -> None:
    """Read one row for nothing but to have everything opened that reading others needs."""
    packed = PACKED in (await table.schema()).names
    first = table.query().with_row_id().select([PACKED if packed else "ordinal"]).limit(1)
    numbers = (await first.to_arrow())[ROW_ID].to_numpy()
    if packed:
        return
    await asyncio.gather(_taken(table, numbers, ["vector"]), _taken(table, numbers, SHOWN_COLUMNS))


async def _taken(table: Any, numbers: Numbers, columns: list[str]) -> pa.Table:
    """Return the rows of these numbers, in their order. Raises RowsMoved."""
    if not len(numbers):
        schema = await table.schema()
        return pa.schema([schema.field(name) for name in columns]).empty_table()
    taken = await table.take_row_ids(numbers.tolist()).with_row_id().select(columns).to_arrow()
    if taken.num_rows != len(numbers):
        raise RowsMoved(MOVED)
    return taken.take(np.argsort(taken[ROW_ID].to_numpy())).drop_columns([ROW_ID])
