"""Give a table that has grown large its packed column: see lance_packed.py.

::

    add the column ── write 20,000 rows anew, with values ── 20,000 ── ... ── mark it as filled

From then on whatever is committed has its value. A search reads rows without one in the other way,
so nobody notices a process that dies in between, and the next maintenance goes on.
"""

import asyncio
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from index.lance_packed import FIELDS, PACKED, packed, packed_field
from index.lance_rows import columns_of, vector_space, vectors_in

PORTION_ROWS = 20_000
"""Rows that are written at a time, 100 MB in memory."""

FILLED = "footnote.filled"
"""Metadata of the column once every row has its value."""


async def to_pack(table: Any, above: int) -> bool:
    """Tell whether a table has more than ``above`` rows, and some of them no packed value."""
    schema = await table.schema()
    if PACKED in schema.names:
        return FILLED.encode() not in (schema.field(PACKED).metadata or {})
    return bool(await table.count_rows() > above)


async def pack(table: Any, *, condition: str) -> None:
    """Add the column where there is none, and the values that are missing.

    ``condition``, on the columns of ``target``, must hold for every row that is written.
    """
    schema = await table.schema()
    if PACKED not in schema.names:
        await table.add_columns(pa.schema([packed_field(vector_space(schema)[1])]))
        schema = await table.schema()
    query = table.query().where(f"{PACKED} IS NULL").with_row_id().select(["ordinal"])
    missing = np.sort((await query.to_arrow())["_rowid"].to_numpy())
    chunks = Counter((await columns_of(table, None, ["doc_id"]))["doc_id"].to_pylist())
    condition = f"target.{PACKED} IS NULL AND {condition}"
    for first in range(0, len(missing), PORTION_ROWS):
        numbers = missing[first : first + PORTION_ROWS].tolist()
        rows = await table.take_row_ids(numbers).select(schema.names).to_arrow()
        merge = table.merge_insert("id").when_matched_update_all(where=condition).use_index(False)
        await merge.execute(await asyncio.to_thread(_filled, rows, chunks))
    await table.update_field_metadata({"path": PACKED, "metadata": {FILLED: "wholly"}})


def _filled(rows: pa.Table, chunks: Counter[str]) -> pa.Table:
    vectors = vectors_in(rows).astype(np.float16)
    values = [
        packed(row, vector, chunks[row["doc_id"]])
        for row, vector in zip(rows.select(FIELDS).to_pylist(), vectors, strict=True)
    ]
    place = rows.schema.get_field_index(PACKED)
    field = rows.schema.field(place)
    return rows.set_column(place, field, pa.array(values, field.type))
