"""The runs of changes that a writer makes, and how another process follows one of them."""

from collections.abc import Collection, Sequence

from index.lance_changes import Changes
from index.lance_errors import explained
from index.ports import Outgoing


class Runs:
    """The part of a VectorIndex that is about runs."""

    _uri: str
    _changes: Changes

    async def begin(self, recipe: str) -> None:
        """Begin a run of changes, to the table that answers or to one beside it."""
        with explained(self._uri):
            await self._changes.begin(recipe)

    async def take_over(self) -> bool:
        """Keep earlier writers out; tell whether one has changed the index since ``begin``."""
        return await self._changes.take_over()

    async def outgoing(self, source: str) -> Outgoing | None:
        """Return what still answers of a source while a new table is built beside it."""
        return await self._changes.outgoing(source)

    async def finish(self, source: str, among: Collection[str] | None = None) -> frozenset[str]:
        """End a run; let a new table answer if no other source has to be brought into it."""
        with explained(self._uri):
            return await self._changes.finish(source, among)

    async def ask(self) -> None:
        """Ask whether this process may still write; raises what keeps it from any change."""
        await self._changes.ask()

    def remembered(self) -> Sequence[tuple[str, int]]:
        """Return the earlier versions that ``vectors`` looks into: names of tables, and numbers."""
        return self._changes.remembered()

    async def follow(self, recipe: str, remembered: Sequence[tuple[str, int]]) -> None:
        """See from now on what a writer sees in its run, which remembers these versions.

        Nothing is changed: ``readers`` and ``vectors`` are answered as the writer's would be.
        """
        with explained(self._uri):
            await self._changes.follow(recipe, remembered)
