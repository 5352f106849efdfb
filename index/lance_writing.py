"""How a table is changed: documents are staged, and replaced in one version of the table."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from index import lance_rows
from index.errors import IndexMissing, KnowledgeError, WriterConflict
from index.lance_erasure import clean_up, erase, is_erased
from index.lance_errors import explained
from index.lance_fence import Fence
from index.lance_filters import any_of
from index.lance_handle import Handle
from index.lance_maintenance import Indexes, index_words, maintain
from index.lance_packing import pack, to_pack
from index.lance_tables import tell
from index.ports import IndexEntry

ROUNDS = 5
"""A table that is missing is made, the fence is taken, and another writer may come in between."""

_log = logging.getLogger(__name__)


class Writing:
    """The changes of one process to one index."""

    def __init__(
        self,
        uri: str,
        handle: Handle[Any],
        *,
        create: Callable[[], Awaitable[object]],
        indexes: Indexes,
        fence: Fence,
    ) -> None:
        """Change the table of ``handle``, behind ``fence``; ``uri`` is what errors call it.

        ``create`` makes an empty table where there is none.
        """
        self.handle = handle
        self._uri = uri
        self._create = create
        self._indexes = indexes
        self._fence = fence
        self.dropped = False
        """Whether a row was dropped or replaced since this was last set to False."""
        self._staged: dict[str, IndexEntry] = {}
        self._one_at_a_time = asyncio.Lock()

    def stage(self, entries: Sequence[IndexEntry]) -> None:
        """Keep entries in memory for the next commit."""
        self._staged |= {entry.document.ref.id: entry for entry in entries}

    def discard(self) -> None:
        """Forget what is staged."""
        self._staged = {}

    async def take_over(self, seen: int | None) -> bool:
        """Keep earlier writers out from now on.

        Returns whether the table differs from version ``seen``; None stands for no table.
        """

        async def take(table: Any) -> bool:
            commits = 0 if await self._fence.stands(table) else await self._fence.take(table)
            if seen is None:
                return bool(await table.count_rows())
            return bool(await table.version() != seen + commits)

        async with self._one_at_a_time:
            await self._fence.ask()
            return await self.handle.use_or(seen is not None, take)

    async def commit(self) -> None:
        """Replace the staged documents; they stay staged if that fails."""
        async with self._one_at_a_time:
            batch, self._staged = self._staged, {}
            try:
                if batch:
                    await self._change(lambda table: self._replace(table, batch), create=True)
            except BaseException:
                self._staged = {**batch, **self._staged}
                raise
            if batch:
                await self._maintain_quietly()

    async def remove(self, where: str, document_ids: Sequence[str] = ()) -> None:
        """Drop the rows that ``where`` is true for, and these documents if they are staged."""
        async with self._one_at_a_time:
            for document_id in document_ids:
                self._staged.pop(document_id, None)
            await self._change(lambda table: self._delete(table, where))

    async def tell(self, *brought: str, state: str = "") -> None:
        """Write down in the table what it is, and ids of sources that are wholly in it."""
        said = dict.fromkeys(brought, "wholly") | ({"state": state} if state else {})
        async with self._one_at_a_time:
            await self._change(lambda table: tell(table, **said), create=True)

    async def maintain(self, *, force: bool) -> None:
        """Bring the table into shape if enough has piled up, or in any case."""
        async with self._one_at_a_time:
            await self._fence.ask()
            if await self.handle.use_or(False, lambda t: to_pack(t, self._indexes.packed_above)):
                condition = self._fence.condition_of_target
                await self._change(lambda table: pack(table, condition=condition))
            await self.handle.use_or(None, lambda t: maintain(t, self._indexes, force=force))

    async def erase(self, older_than: timedelta) -> None:
        """Take out of the stored bytes what was dropped."""

        async def change(table: Any) -> None:
            await erase(
                table,
                older_than=older_than,
                condition=self._fence.condition,
                index_words_anew=lambda table: index_words(table, self._indexes, anew=True),
            )

        async with self._one_at_a_time:
            await self._fence.ask()
            # A fence is a change too, after which everything would have to be erased again.
            if await self.handle.use_or(True, is_erased):
                await self.handle.use_or(None, lambda t: clean_up(t, older_than=older_than))
            else:
                await self._change(change)

    async def _change(
        self, change: Callable[[Any], Awaitable[object]], *, create: bool = False
    ) -> None:
        """Do it behind the fence; where there is no table, make one if ``create``, or do nothing.

        The right to write is asked for after the fence was taken, and before every change.
        """

        async def behind_fence(table: Any) -> bool:
            if await self._fence.stands(table):
                await change(table)
                return True
            await self._fence.take(table)
            return False

        for left in reversed(range(ROUNDS)):
            await self._fence.ask()
            try:
                if await self.handle.use(behind_fence):
                    return
            except IndexMissing:
                if not create:
                    return
                with explained(self._uri):
                    await self._create()
            except WriterConflict:
                # An earlier writer has woken up, or this one is the earlier: the next round asks.
                if not left:
                    raise
        raise WriterConflict("Another writer keeps changing the index. Try again later.")

    async def _replace(self, table: Any, batch: Mapping[str, IndexEntry]) -> None:
        theirs = any_of("doc_id", batch)
        if not any(entry.chunks for entry in batch.values()):
            await self._delete(table, theirs)
            return
        await index_words(table, self._indexes)
        rows = await asyncio.to_thread(lance_rows.rows_of, batch.values(), await table.schema())
        merge = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        # An index on the key would hide from each other two writers that insert the same new id.
        fenced = f"{theirs} AND {self._fence.condition}"
        merge = merge.when_not_matched_by_source_delete(fenced).use_index(False)
        done = await merge.execute(rows)
        self.dropped |= bool(done.num_deleted_rows or done.num_updated_rows)

    async def _delete(self, table: Any, where: str) -> None:
        self.dropped = True
        await table.delete(f"({where}) AND {self._fence.condition}")

    async def _maintain_quietly(self) -> None:
        try:
            await self.handle.use(lambda t: maintain(t, self._indexes, scattered_only=True))
        except KnowledgeError as error:
            # The commit stands. The next one tries again.
            _log.warning("maintenance of the index failed: %s", type(error).__name__)
