"""The rows of one version of one table, kept in memory by a warm process."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from index.lance_found import ROW_ID
from index.lance_rows import CANDIDATE_COLUMNS, SHOWN_COLUMNS

PORTION_ROWS = 20_000
"""Rows that are fetched at a time. The engine holds twice what it hands over, and what it has once
held it does not give back, so the whole table at once would need three times its size."""

Name = tuple[frozenset[str | None], int]
"""What tells one state of one table from all others: the ids of its indexes, and the version."""


@dataclass(frozen=True, slots=True)
class KeptRows:
    """All rows of one version, by the number that the engine gives a row for as long as it lives.

    ``of`` names the version; ``numbers`` are sorted, as are the ``rows``.
    """

    of: Name
    numbers: NDArray[np.uint64]
    rows: pa.Table

    @classmethod
    def sorted(cls, of: Name, portions: list[pa.Table]) -> "KeptRows":
        """Keep rows, which come in any order and hold their numbers. Empties ``portions``.

        They are copied column by column, so that no more than one column is held twice.
        """
        columns = {}
        for name in portions[0].column_names:
            columns[name] = pa.chunked_array([one[name].combine_chunks() for one in portions])
            columns[name] = columns[name].combine_chunks()
            portions[:] = [one.drop_columns([name]) for one in portions]
        portions.clear()
        numbers = columns.pop(ROW_ID).to_numpy()
        rows = pa.table(columns)
        if (numbers[1:] < numbers[:-1]).any():
            order = np.argsort(numbers)
            numbers, rows = numbers[order], rows.take(order)
        return cls(of, numbers, rows)

    def numbered(self, wanted: NDArray[np.uint64]) -> pa.Table | None:
        """Return the rows of these numbers, in their order; None if one is not among them."""
        places = np.searchsorted(self.numbers, wanted)
        inside = places < len(self.numbers)
        if not inside.all() or (self.numbers[places] != wanted).any():
            return None
        return self.rows.take(places)

    def of_documents(self, ids: Iterable[str]) -> pa.Table:
        """Return the rows of these documents."""
        return self.rows.filter(pc.is_in(self.rows["doc_id"], pa.array(sorted(set(ids)))))


async def named(table: Any) -> Name:
    """Return what tells the state that a handle holds from all others."""
    # A table that was deleted and made anew counts from 1 again, but no two indexes share an id.
    made = frozenset(index.index_uuid for index in await table.list_indices())
    return made, await table.version()


async def kept_rows(table: Any, *, at_once: bool) -> KeptRows | None:
    """Fetch all rows, or return None when the table moved on meanwhile.

    ``at_once``: somebody waits, so they come in one scan, which takes fewer rounds than portions.
    Rows that come in portions, of a large table, lack the words of the keyword arm, which follow
    from the text: so they are about half as large, and a search takes some hundredths of a second
    longer.
    """
    before = await named(table)
    if at_once:
        scan = table.query().with_row_id().select(list(CANDIDATE_COLUMNS))
        portions = [await scan.to_arrow()]
    else:
        portions = [
            await asyncio.to_thread(_copied, await _portion(table, first))
            for first in range(0, await table.count_rows(), PORTION_ROWS)
        ]
    # A commit may have fallen into it, and then nobody knows of which version the rows are.
    if before != await named(table):
        return None
    return await asyncio.to_thread(KeptRows.sorted, before, portions)


async def _portion(table: Any, first: int) -> pa.Table:
    scan = table.query().with_row_id().select([*SHOWN_COLUMNS, "vector"])
    rows: pa.Table = await scan.offset(first).limit(PORTION_ROWS).to_arrow()
    return rows


def _copied(portion: pa.Table) -> pa.Table:
    """Return the rows in memory of our own, so that the engine can use its own again."""
    return portion.take(np.arange(portion.num_rows))
