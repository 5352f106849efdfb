"""A table that is opened on first use, kept, moved to its newest version and opened again."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from index.errors import IndexMissing
from index.lance_errors import Vanished, explained
from index.lance_newest import Versioned

Table = TypeVar("Table", bound=Versioned)
T = TypeVar("T")


class Handle(Generic[Table]):
    """One table for all callers. Every use sees what was committed before it began."""

    def __init__(self, uri: str, open_table: Callable[[], Awaitable[Table]]) -> None:
        """Keep how to open the table; ``uri`` is what errors call it."""
        self._uri = uri
        self._open_table = open_table
        self._table: Table | None = None

    async def use(self, work: Callable[[Table], Awaitable[T]], *, asks_itself: bool = False) -> T:
        """Return what ``work`` returns for the newest version.

        With ``asks_itself`` it is given whatever version is held, and must see to that itself.
        Raises IndexMissing, EmbedderMismatch, WriterConflict, IndexUnavailable.
        """
        held = self._table
        try:
            with explained(self._uri):
                if held is None:
                    self._table = table = await self._open_table()
                else:
                    table = held
                    if not asks_itself:
                        await table.checkout_latest()
                return await work(table)
        except Vanished:
            if held is None:
                raise
        # A clean-up took files that the held version needs: open the newest one.
        self._table = None
        return await self.use(work, asks_itself=asks_itself)

    async def use_or(self, without: T, work: Callable[[Table], Awaitable[T]]) -> T:
        """Return what ``work`` returns, or ``without`` where there is no table."""
        try:
            return await self.use(work)
        except IndexMissing:
            return without

    def forget(self) -> Table | None:
        """Return the open table and let go of it; the next use opens it again."""
        table, self._table = self._table, None
        return table
