"""All rows of an index as they are stored, vectors and all, to compare two indexes row for row."""

import asyncio
from collections.abc import Collection, Mapping

import lancedb

from index.errors import IndexMissing
from index.lance import TABLE
from index.lance_fence import PREFIX
from index.lance_tables import Tables

Rows = list[dict[str, object]]


async def stored_rows(
    uri: str,
    storage_options: Mapping[str, str] | None = None,
    columns: Collection[str] = (),
) -> Rows:
    """Return every row that a search could read now, in the order of their ids; none without index.

    What tells the writer is left out: see index/lance_fence.py. Of the rest come ``id`` and
    ``columns``, or all without ``columns``.
    """
    connection = await lancedb.connect_async(uri, storage_options=dict(storage_options or {}))
    try:
        table = await Tables(uri, lambda: asyncio.sleep(0, connection), first=TABLE).answering()
    except IndexMissing:
        return []
    names = [one for one in (await table.schema()).names if not one.startswith(PREFIX)]
    wanted = [one for one in names if not columns or one in columns or one == "id"]
    rows = (await table.query().select(wanted).to_arrow()).to_pylist()
    table.close()
    connection.close()
    return sorted(rows, key=lambda row: str(row["id"]))
