"""A fence in the table itself: no commit of a writer lands once another one has taken over.

::

    A  lease ── column writer_a ── merge, merge ── (sleeps in a commit) ────────── refused
    B                              lease lapsed ── column writer_b instead ── merge, merge

The lease says who may write, yet it cannot stop a commit that is under way when it lapses. So a
writer adds an empty column whose name is its token, drops those of all others, and names its own in
the condition of everything that it changes. An engine that evaluates a condition where the column
is gone fails. A commit that was evaluated before is refused as well: the column was added by a
commit that conflicts with it, so the engine evaluates it again.

The lease is asked for again once the fence was taken: a writer that slept in front of the fence may
take it from its successor, yet changes nothing after that, and the successor takes it back.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pyarrow as pa

PREFIX = "writer_"


class Fence:
    """The token of one writer; without ``before_change`` there is only one, and no fence."""

    def __init__(self, before_change: Callable[[], Awaitable[object]] | None) -> None:
        """``before_change`` raises when the right to write was lost."""
        self._before_change = before_change
        self._column = f"{PREFIX}{uuid.uuid4().hex}"

    @property
    def condition(self) -> str:
        """What is to be added to the condition of every change, in brackets or alone."""
        return "true" if self._before_change is None else f"{self._column} IS NULL"

    @property
    def condition_of_target(self) -> str:
        """The same, for an update of a merge, where what is stored is called ``target``."""
        return "true" if self._before_change is None else f"target.{self.condition}"

    async def ask(self) -> None:
        """Ask whether this writer may still write; raises what ``before_change`` raises."""
        if self._before_change is not None:
            await self._before_change()

    async def stands(self, table: Any) -> bool:
        """Tell whether only this writer can change the table, as far as its handle knows."""
        if self._before_change is None:
            return True
        return writers_in((await table.schema()).names) == [self._column]

    async def take(self, table: Any) -> int:
        """Let this writer change the table and no other one; return how many commits that took."""
        others = [one for one in writers_in((await table.schema()).names) if one != self._column]
        if others:
            await table.drop_columns(others)
        await table.add_columns(pa.schema([pa.field(self._column, pa.bool_())]))
        return 2 if others else 1


def writers_in(columns: Iterable[str]) -> list[str]:
    """Return the columns that are tokens of writers."""
    return [column for column in columns if column.startswith(PREFIX)]


def fenced_off(message: str) -> bool:
    """Tell whether the engine says so that the column of a writer is gone."""
    said = message.lower()
    return "no field named" in said and PREFIX in said
