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

    def __init__(
        self,
        uri: str,
        open_table: Callable[[], Awaitable[Table]],
        *,
        replaced: Callable[[Table], Awaitable[bool]] | None = None,
    ) -> None:
        """Keep how to open the table; ``uri`` is what errors call it.

        ``replaced`` tells of an open table that another one is to be opened in its place.
        """
        self._uri = uri
        self._open_table = open_table
        self._replaced = replaced
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
                # What asks itself knows of the newest version, and so of this, when it is done.
                if asks_itself or not await self._is_replaced(table):
                    done = await work(table)
                    if not asks_itself or not await self._is_replaced(table):
                        return done
        except (Vanished, IndexMissing):
            if held is None:
                raise
        # Files that the held version needs were cleaned up, or another table answers now.
        self._table = None
        return await self.use(work, asks_itself=asks_itself)

    async def _is_replaced(self, table: Table) -> bool:
        return self._replaced is not None and await self._replaced(table)

    async def use_or(self, without: T, work: Callable[[Table], Awaitable[T]]) -> T:
        """Return what ``work`` returns, or ``without`` where there is no table."""
        try:
            return await self.use(work)
        except IndexMissing:
            return without

    def offer(self, table: Table) -> bool:
        """Take a table that was opened just now, unless one is held; tell whether it was taken."""
        taken = self._table is None
        if taken:
            self._table = table
        return taken

    def close(self) -> None:
        """Let go of the table; the next use opens it again."""
        table, self._table = self._table, None
        if table is not None:
            table.close()
