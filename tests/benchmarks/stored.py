"""What an index takes up where it is stored: bytes, versions and kinds of indexes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lancedb

from index.lance import TABLE
from tests.doubles.object_storage import ObjectStorage


def stored_bytes(uri: str, storage: ObjectStorage | None) -> int:
    """Return the bytes of all files below ``uri``, those of old versions too."""
    if storage is None:
        return sum(one.stat().st_size for one in Path(uri).rglob("*") if one.is_file())
    place = urlsplit(uri)
    pages = storage.client().get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=place.netloc, Prefix=f"{place.path.strip('/')}/")
    return sum(one["Size"] for page in found for one in page.get("Contents", []))


async def described(uri: str, storage_options: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the newest version of the first table, how many are kept, and its indexes by kind.

    An index is told with the rows that it does not cover yet.
    """
    connection = await lancedb.connect_async(uri, storage_options=dict(storage_options or {}))
    table = await connection.open_table(TABLE)
    indexes = {}
    for one in sorted(await table.list_indices(), key=lambda one: str(one.name)):
        stats = await table.index_stats(one.name)
        left = stats.num_unindexed_rows if stats is not None else 0
        indexes[str(one.name)] = {"kind": str(one.index_type), "unindexed_rows": int(left)}
    fragments = (await table.stats())["fragment_stats"]
    told = {
        "version": int(await table.version()),
        "versions": len(await table.list_versions()),
        "fragments": int(fragments["num_fragments"]),
        "small_fragments": int(fragments["num_small_fragments"]),
        "indexes": indexes,
    }
    table.close()
    connection.close()
    return told
