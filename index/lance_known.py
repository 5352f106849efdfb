"""Vectors that need not be computed again: those of equal texts, now and when a run began.

A run removes first and adds afterwards, so what it moves or renames is gone from the newest version
when its vectors are wanted. The version that was the newest when the run began still holds them,
for as long as old versions are kept.
"""

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
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

    def __init__(self, open_table: Callable[[str], Awaitable[Any]]) -> None:
        """Remember nothing yet; ``open_table`` returns a handle for the table of a name."""
        self._open_table = open_table
        self._versions: deque[_Version] = deque(maxlen=MOST_VERSIONS)

    def remember(self, name: str, version: int) -> None:
        """Keep in mind which version was the newest, for as long as it can be read."""
        self._versions.append(_Version(name, version, time.monotonic()))

    def __len__(self) -> int:
        return len(self._versions)

    def known(self) -> list[tuple[str, int]]:
        """Return what is remembered, so that another process can remember it too."""
        return [(one.name, one.number) for one in self._versions]

    async def vectors(self, text_ids: Collection[str]) -> dict[str, Vector]:
        """Return what the remembered versions hold of these; nothing of one that was cleaned up."""
        while self._versions and self._versions[0].at < time.monotonic() - PAST_SECONDS:
            self._versions.popleft().close()
        found: dict[str, Vector] = {}
        for version in reversed(self._versions):
            missing = [one for one in text_ids if one not in found]
            try:
                if version.table is None:
                    version.table = await self._open_table(version.name)
                    await version.table.checkout(version.number)
                found |= await vectors_in(version.table, missing)
            except (OSError, RuntimeError, ValueError) as error:
                # What is not found is computed.
                _log.warning("an earlier version could not be read: %s", type(error).__name__)
        return found

    def forget(self) -> None:
        """Let go of all versions."""
        while self._versions:
            self._versions.popleft().close()


@dataclass(slots=True)
class _Version:
    name: str
    number: int
    at: float
    table: Any = None

    def close(self) -> None:
        if self.table is not None:
            self.table.close()
