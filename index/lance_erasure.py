"""Make the storage forget what was dropped, and not only the searches.

A dropped row stays in its file until the file is written anew, its words stay among the words of
the keyword index, and old versions hold it until they are cleaned up::

    erase   rewrite files that hold dropped rows ── make the keyword index anew ── mark ── clean up
    erase, an hour later                                                  nothing new ──── clean up

The engine leaves a file alone of which less than a tenth was dropped, and offers no way to ask for
more. So a little more than a tenth of such a file is moved to a new one first: then it counts.

What a process left that died before its commit was done is known to no version. The engine takes
such files for work under way, and removes them when they are a week old.
"""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MOVED: Final = 0.11
"""Share of a file's rows that is moved: above the 0.1 at which the engine rewrites the rest."""

MARK: Final = "footnote.erased"
"""Metadata of the column of keywords: the version behind which nothing dropped is stored."""

_FRAGMENT = 32
"""A row's address is the number of its fragment, and in as many bits its place in there."""


async def erase(
    table: Any,
    *,
    older_than: timedelta,
    condition: str,
    index_words_anew: Callable[[Any], Awaitable[object]],
) -> None:
    """Take out of the files what no row holds any more; clean up versions ``older_than`` that.

    ``condition`` is added to that of every change.
    """
    if await _dropped(table):
        addresses = (await table.query().select(["_rowaddr"]).to_arrow())["_rowaddr"].to_numpy()
        for first, last in moved(addresses, await _dropped(table)):
            where = f"_rowaddr >= {first} AND _rowaddr <= {last} AND {condition}"
            await table.update(updates_sql={"ordinal": "ordinal"}, where=where)
    await index_words_anew(table)
    await table.optimize(cleanup_older_than=older_than)
    mark = str(await table.version() + 1)
    await table.update_field_metadata({"path": "keywords", "metadata": {MARK: mark}})
    await clean_up(table, older_than=older_than)


async def is_erased(table: Any) -> bool:
    """Tell whether nothing has changed since the table was erased: only cleaning up is left."""
    metadata = (await table.schema()).field("keywords").metadata or {}
    version: int = await table.version()
    return int(metadata.get(MARK.encode(), b"0")) == version


async def clean_up(table: Any, *, older_than: timedelta) -> None:
    """Remove the files of versions ``older_than`` that."""
    await table.optimize(cleanup_older_than=older_than)


def moved(addresses: NDArray[np.uint64], dropped: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last address of what is to be moved out of each file with dropped rows.

    Rows dropped from the end of a file leave no gap between the others; if there are such rows, any
    file may be meant.
    """
    fragments = addresses >> np.uint64(_FRAGMENT)
    gaps: list[tuple[NDArray[np.uint64], int]] = []
    for fragment in np.unique(fragments):
        own = np.sort(addresses[fragments == fragment])
        end = int(own[-1]) & ((1 << _FRAGMENT) - 1)
        gaps.append((own, end + 1 - len(own)))
    hidden = dropped - sum(gap for _, gap in gaps)
    for own, gap in gaps:
        if gap or hidden:
            yield int(own[0]), int(own[min(len(own) - 1, int(MOVED * (len(own) + gap + hidden)))])


async def _dropped(table: Any) -> int:
    versions = await table.list_versions()
    newest = max(versions, key=lambda one: int(one["version"]))
    return int(newest["metadata"]["total_deletion_file_rows"])
