"""How a table is changed: documents are staged, and replaced in one version of the table."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from index import lance_rows
from index.errors import IndexMissing, KnowledgeError
from index.lance_filters import any_of
from index.lance_handle import Handle
from index.ports import IndexEntry

_log = logging.getLogger(__name__)


class Maintain(Protocol):
    """Brings an open table into shape if enough has piled up, or in any case."""

    async def __call__(
        self, table: Any, *, force: bool = False, scattered_only: bool = False
    ) -> None:
        """See lance_maintenance.py."""
        ...


class Writing:
    """The changes of one process to one index."""

    def __init__(
        self,
        handle: Handle[Any],
        *,
        create: Callable[[], Awaitable[object]],
        index_words: Callable[[Any], Awaitable[None]],
        maintain: Maintain,
        before_change: Callable[[], Awaitable[object]] | None,
    ) -> None:
        """Change the table of ``handle``; what ``before_change`` raises prevents a change.

        ``create`` makes an empty table where there is none, ``index_words`` its keyword index.
        """
        self._handle = handle
        self._create = create
        self._index_words = index_words
        self._maintain = maintain
        self._before_change = before_change
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

    async def commit(self) -> None:
        """Replace the staged documents; they stay staged if that fails."""
        async with self._one_at_a_time:
            batch, self._staged = self._staged, {}
            try:
                if batch:
                    await self._ask_first()
                    await self._replace_or_create(batch)
            except BaseException:
                self._staged = {**batch, **self._staged}
                raise
            if batch:
                await self._maintain_quietly()

    async def remove(self, document_ids: Sequence[str]) -> None:
        """Drop documents, staged or stored."""
        theirs = any_of("doc_id", document_ids)
        async with self._one_at_a_time:
            for document_id in document_ids:
                self._staged.pop(document_id, None)
            if document_ids:
                await self._ask_first()
                self.dropped = True
                await self._handle.use_or(None, lambda table: table.delete(theirs))

    async def maintain(self, *, force: bool) -> None:
        """Bring the table into shape if enough has piled up, or in any case."""
        async with self._one_at_a_time:
            await self._ask_first()
            await self._handle.use_or(None, lambda t: self._maintain(t, force=force))

    async def _ask_first(self) -> None:
        if self._before_change is not None:
            await self._before_change()

    async def _replace_or_create(self, batch: Mapping[str, IndexEntry]) -> None:
        with contextlib.suppress(IndexMissing):
            return await self._handle.use(lambda table: self._replace(table, batch))
        await self._create()
        return await self._handle.use(lambda table: self._replace(table, batch))

    async def _replace(self, table: Any, batch: Mapping[str, IndexEntry]) -> None:
        theirs = any_of("doc_id", batch)
        if not any(entry.chunks for entry in batch.values()):
            self.dropped = True
            await table.delete(theirs)
            return
        await self._index_words(table)
        rows = await asyncio.to_thread(lance_rows.rows_of, batch.values(), await table.schema())
        merge = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        # An index on the key would hide from each other two writers that insert the same new id.
        merge = merge.when_not_matched_by_source_delete(theirs).use_index(False)
        done = await merge.execute(rows)
        self.dropped |= bool(done.num_deleted_rows or done.num_updated_rows)

    async def _maintain_quietly(self) -> None:
        try:
            await self._handle.use(lambda table: self._maintain(table, scattered_only=True))
        except KnowledgeError as error:
            # The commit stands. The next one tries again.
            _log.warning("maintenance of the index failed: %s", type(error).__name__)
