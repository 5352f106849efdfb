"""What a search will need of a table, fetched whole or only opened before anybody asks.

Each file of an index says at its end where things are in it, so opening one is a few requests in a
row, and reading from it one or two more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Sequence
from typing import Any

import numpy as np

from index.lance_found import open_rows
from index.lance_maintenance import KEYWORDS

_NOT_SEARCHED = {"doc_id", "source_id", "embedded_id"}
"""Indexes that no search of a table uses that is kept in memory."""

FETCHED_WHOLE = frozenset({"readers"})
"""Indexes of which a piece is no use; of a large table the others are read in parts."""

_NO_DOCUMENT = "8" * 32
"""An id amid those of all documents, so that the pages of their index are opened to look for it."""

_LIKELY = "1 2"
"""Words of which nearly every index holds one; of one that holds none, less is opened ahead."""

_log = logging.getLogger(__name__)


async def searched(table: Any) -> set[str]:
    """Return the names of the indexes that searches use."""
    return {index.name for index in await table.list_indices()} - _NOT_SEARCHED


async def fetch_indexes(table: Any, names: Collection[str]) -> None:
    """Fetch these indexes into memory."""
    await asyncio.gather(*(table.prewarm_index(name) for name in names))


async def open_words(table: Any) -> None:
    """Let a search that finds little open the index of words for the first one with a question."""
    await _matching(table, _LIKELY, 1).to_arrow()


async def open_parts(table: Any, parts: Sequence[object]) -> None:
    """Let the index of words be read for these parts at once, where it is read one by one."""
    await asyncio.gather(*(quietly(_matching(table, part, 1).to_arrow()) for part in parts))


def _matching(table: Any, match: object, limit: int) -> Any:
    """Return a search that reads of the index of words what ``match`` needs, and little else."""
    query = table.query().nearest_to_text(match, columns=[KEYWORDS]).fast_search()
    return query.select(["_score"]).limit(limit)


async def open_others(table: Any) -> None:
    """Let searches that find little open everything else that the first question will need."""
    searches = [
        table.query().where(f"doc_id = '{_NO_DOCUMENT}'").select(["ordinal"]).to_arrow(),
        open_rows(table),
    ]
    if any(index.name.startswith("vector_") for index in await table.list_indices()):
        anything = np.ones((await table.schema()).field("vector").type.list_size, np.float32)
        nearest = table.query().nearest_to(anything).distance_type("cosine").fast_search()
        searches.append(nearest.nprobes(1).select(["_distance"]).limit(1).to_arrow())
    await asyncio.gather(*searches)


async def quietly(work: Awaitable[object]) -> bool:
    """Wait for what may fail, and tell whether it did not.

    Whoever needs what it would have opened opens it himself.
    """
    try:
        await work
    except (OSError, RuntimeError, ValueError) as error:
        _log.info("an index was not opened ahead: %s", type(error).__name__)
        return False
    return True
