"""All rows of an index as they are stored, vectors and all, to compare two indexes row for row."""

from collections.abc import Mapping

import lancedb

from index.lance import TABLE

Rows = list[dict[str, object]]


async def stored_rows(uri: str, storage_options: Mapping[str, str] | None = None) -> Rows:
    """Return every row that a search could read now, in the order of their ids."""
    connection = await lancedb.connect_async(uri, storage_options=dict(storage_options or {}))
    table = await connection.open_table(TABLE)
    rows = (await table.query().to_arrow()).to_pylist()
    table.close()
    connection.close()
    return sorted(rows, key=lambda row: str(row["id"]))
