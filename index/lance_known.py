"""Vectors that need not be computed again: those of equal texts, now and when a run began.

A run removes first and adds afterwards, so what it moves or renames is gone from the newest version
when its vectors are wanted. The version that was the newest when the run began still holds them,
for as long as old versions are kept.
"""

import logging
import time
from collections import deque
from collections.abc import Collection, Iterable
from typing import Any, Final

from index import lance_rows
from index.lance_filters import any_of
from index.lance_upkeep import KEEP
from index.ports import Vector

AT_ONCE = 1_000
"""Ids a query: the engine plans a filter of this length in milliseconds."""


PAST_SECONDS: Final = KEEP.total_seconds() * 0.9
MOST_VERSIONS: Final = 16

_log = logging.getLogger(__name__)


async def vectors_in(table: Any, text_ids: Iterable[str]) -> dict[str, Vector]:
    """Return the vectors that this version of a table holds, by the id of the embedded text.

    Raises ValueError if something is not a hex id.
    """
    wanted = sorted(set(text_ids))
    found: dict[str, Vector] = {}
    for start in range(0, len(wanted), AT_ONCE):
        query = table.query().where(any_of("embedded_id", wanted[start : start + AT_ONCE]))
        # In batches, for one text may stand in very many documents.
        async for batch in await query.select(["embedded_id", "vector"]).to_batches():
            names = batch["embedded_id"].to_pylist()
            found.update(zip(names, lance_rows.vectors_in(batch), strict=True))
    return found


class Past:
    """Versions as they were when runs began. The sources of one catalog are runs after each other,
    and a page may move from one to another, so several versions are remembered."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._tables: deque[tuple[float, Any]] = deque()

    def remember(self, table: Any) -> None:
        """Keep this handle, which is checked out at a version, for as long as that can be read."""
        self._tables.append((time.monotonic(), table))
        self._forget_before(time.monotonic() - PAST_SECONDS, MOST_VERSIONS)

    def __len__(self) -> int:
        return len(self._tables)

    async def vectors(self, text_ids: Collection[str]) -> dict[str, Vector]:
        """Return what the remembered versions hold of these; nothing of one that was cleaned up."""
        self._forget_before(time.monotonic() - PAST_SECONDS, MOST_VERSIONS)
        found: dict[str, Vector] = {}
        for _, table in reversed(self._tables):
            missing = [one for one in text_ids if one not in found]
            try:
                found |= await vectors_in(table, missing)
            except (OSError, RuntimeError) as error:
                # What is not found is computed.
                _log.warning("an earlier version could not be read: %s", type(error).__name__)
        return found

    def forget(self) -> None:
        """Let go of all versions."""
        self._forget_before(float("inf"), 0)

    def _forget_before(self, moment: float, most: int) -> None:
        while self._tables and (self._tables[0][0] < moment or len(self._tables) > most):
            self._tables.popleft()[1].close()
