"""Vectors that need not be computed again: those of equal texts, now and when a run began.

A run removes first and adds afterwards, so what it moves or renames is gone from the newest version
when its vectors are wanted. The version that was the newest when the run began still holds them,
for as long as old versions are kept.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from index import lance_rows
from index.lance_filters import any_of
from index.ports import Vector

AT_ONCE = 1_000
"""Ids a query: the engine plans a filter of this length in milliseconds."""


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
    """Versions of tables as they were at one moment. None at first."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._tables: list[Any] = []

    def remember(self, tables: Sequence[Any]) -> None:
        """Keep these handles, each checked out at a version, instead of all earlier ones."""
        self.forget()
        self._tables = list(tables)

    async def vectors(self, text_ids: Iterable[str]) -> dict[str, Vector]:
        """Return what the remembered versions hold of these; nothing of one that was cleaned up."""
        found: dict[str, Vector] = {}
        for table in self._tables:
            missing = [one for one in text_ids if one not in found]
            try:
                found |= await vectors_in(table, missing)
            except (OSError, RuntimeError):
                # Only a run of more than an hour gets here; what is not found is computed.
                continue
        return found

    def forget(self) -> None:
        """Let go of all versions."""
        for table in self._tables:
            table.close()
        self._tables = []
