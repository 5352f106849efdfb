"""What a writer does to an index: runs of changes, to the table that answers or one beside it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pyarrow as pa

from index import lance_rows
from index.lance_fence import Fence
from index.lance_filters import any_of, source_id
from index.lance_handle import Handle
from index.lance_known import Past, vectors_in
from index.lance_maintenance import Indexes
from index.lance_tables import ANSWERING, About, Tables, superseded, tell
from index.lance_writing import Writing
from index.ports import Outgoing, Vector

NOTHING: Mapping[str, Vector] = {}


class Changes:
    """The changes of one process. They go to the table that answers until a run has begun."""

    def __init__(
        self,
        uri: str,
        tables: Tables,
        answering: Handle[Any],
        *,
        schema: Callable[[str], pa.Schema],
        indexes: Indexes,
        before_change: Callable[[], Awaitable[object]] | None,
    ) -> None:
        """Change the table of ``answering``, or one of ``schema`` (a recipe) beside it."""
        self._uri = uri
        self._tables = tables
        self._answering = answering
        self._schema = schema
        self._indexes = indexes
        self._fence = Fence(before_change)
        self._past = Past(tables.open)
        self._several = self._follows = False
        self._seen: list[int | None] = []
        self._recipe = ""
        self._building: str | None = None
        self._outgoing: Writing | None = None
        self.writing = self._writes(answering, None)

    @property
    def answering(self) -> Handle[Any]:
        """The handle of the table that answers; one for any embedder while another is built."""
        return self._answering if self._outgoing is None else self._outgoing.handle

    async def begin(self, recipe: str) -> None:
        """See ports.py."""
        found = await self._tables.survey()
        self._several = len(found.tables) > 1
        building = found.to_fill(recipe)
        if (building, recipe) != (self._building, self._recipe):
            self._turn_to(building, recipe)
        for table in found.overtaken:
            # Whoever completed the newer table died before it could say so.
            await self._fence.ask()
            await tell(table, state=superseded())
        tables = [found.answering] if building is None else [found.named(building), found.answering]
        self._seen = [None if table is None else int(await table.version()) for table in tables]
        await self._remember([table for table in tables if table is not None])
        pairs = zip(self._written(), tables, strict=True)
        found.close(*(table for one, table in pairs if table and one.handle.offer(table)))

    async def ask(self) -> None:
        """Ask whether this process may still write."""
        await self._fence.ask()

    def remembered(self) -> Sequence[tuple[str, int]]:
        """Return the earlier versions that ``vectors`` looks into; none if it has no need to."""
        return self._past.known() if self._looks_back() else ()

    async def follow(self, recipe: str, remembered: Sequence[tuple[str, int]]) -> None:
        """See what another process sees in its run; see lance_runs.py."""
        found = await self._tables.survey()
        found.close()
        building = found.to_fill(recipe)
        if (building, recipe) != (self._building, self._recipe):
            self._turn_to(building, recipe)
        self._past.forget()
        for name, version in remembered:
            self._past.remember(name, version)
        self._follows = bool(remembered)

    async def take_over(self) -> bool:
        """See ports.py."""
        pairs = zip(self._written(), self._seen, strict=True)
        return any([await one.take_over(seen) for one, seen in pairs])

    async def fingerprints(self, source: str) -> Mapping[str, str]:
        """Return document id -> fingerprint of the table that changes go to."""
        return await _fingerprints(self.writing.handle, source)

    async def readers(self, document_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return who may read documents of the table that changes go to."""
        return await self.writing.handle.use_or({}, partial(_readers, document_ids))

    async def outgoing(self, source: str) -> Outgoing | None:
        """See ports.py."""
        if self._outgoing is None:
            return None
        about = await self._outgoing.handle.use(_about)
        return Outgoing(about.recipe, await _fingerprints(self._outgoing.handle, source))

    async def vectors(self, text_ids: Collection[str]) -> Mapping[str, Vector]:
        """See ports.py."""
        found: dict[str, Vector] = {}
        for one in self._written():
            missing = [one for one in text_ids if one not in found]
            found |= await one.handle.use_or(NOTHING, partial(self._alike, missing))
        if self._looks_back():
            found |= await self._past.vectors([one for one in text_ids if one not in found])
        return found

    async def remove(self, document_ids: Sequence[str]) -> None:
        """Drop documents from whatever is written and whatever answers."""
        if document_ids:
            for one in self._written():
                await one.remove(any_of("doc_id", document_ids), document_ids)

    async def retire(self, document_ids: Sequence[str]) -> None:
        """See ports.py."""
        if self._outgoing is not None and document_ids:
            await self._outgoing.remove(any_of("doc_id", document_ids))

    async def remove_source(self, name: str) -> None:
        """Drop all documents of a source from whatever is written and whatever answers."""
        for one in self._written():
            await one.remove(any_of("source_id", [source_id(name)]))

    async def finish(self, source: str, among: Collection[str] | None) -> frozenset[str]:
        """See ports.py."""
        if self._outgoing is None:
            if self._several:
                await self._fence.ask()
                await self._tables.drop_old(None)
            return frozenset()
        await self.writing.tell(source_id(source))
        about = await self.writing.handle.use(_about)
        held = await held_in(self._outgoing.handle)
        awaited = {
            name
            for name in held
            if source_id(name) not in about.brought and (among is None or name in among)
        }
        if not awaited:
            await self._switch()
        return frozenset(awaited)

    async def maintain(self, *, force: bool) -> None:
        """Bring what is written into shape."""
        await self.writing.maintain(force=force)

    async def erase(self, older_than: timedelta) -> None:
        """Take out of the stored bytes what was dropped."""
        for one in self._written():
            await one.erase(older_than)

    def forget(self) -> None:
        """Let go of everything but the handle that answers."""
        self._past.forget()
        self.writing.discard()
        for one in self._written():
            if one.handle is not self._answering:
                one.handle.close()
        self._turn_to(None, "")

    async def _switch(self) -> None:
        assert self._outgoing is not None
        await self.writing.maintain(force=True)
        await self.writing.tell(state=ANSWERING)
        await self._outgoing.tell(state=superseded())
        self._answering.close()
        for one in self._written():
            one.handle.close()
        self._turn_to(None, self._recipe)

    def _turn_to(self, building: str | None, recipe: str) -> None:
        self._building, self._recipe, self._outgoing = building, recipe, None
        if building is None:
            self.writing = self._writes(self._answering, None)
            return
        self.writing = self._writes(
            Handle(self._uri, lambda: self._tables.open(building)), building
        )
        self._outgoing = self._writes(Handle(self._uri, self._tables.answering), None)

    def _writes(self, handle: Handle[Any], building: str | None) -> Writing:
        async def create() -> None:
            await self._tables.create(building, self._schema(self._recipe))

        return Writing(self._uri, handle, create=create, indexes=self._indexes, fence=self._fence)

    def _looks_back(self) -> bool:
        dropped = any(one.dropped for one in self._written())
        return dropped or self._follows or len(self._past) > 1

    def _written(self) -> list[Writing]:
        return [self.writing] if self._outgoing is None else [self.writing, self._outgoing]

    async def _alike(self, text_ids: Collection[str], table: Any) -> Mapping[str, Vector]:
        return await vectors_in(table, text_ids) if await self._is_alike(table) else NOTHING

    async def _is_alike(self, table: Any) -> bool:
        return (await _about(table)).embedder == About.of(self._schema("")).embedder

    async def _remember(self, tables: Sequence[Any]) -> None:
        if self._past and not any(one.dropped for one in self._written()):
            return
        for one in self._written():
            one.dropped = False
        for table in tables:
            if await self._is_alike(table):
                self._past.remember(table.name, int(await table.version()))


async def held_in(handle: Handle[Any]) -> Mapping[str, int]:
    """Return the names of the sources that a table holds, and how many documents of each."""

    async def read(table: Any) -> pa.Table:
        rows = await lance_rows.columns_of(table, None, ["source", "doc_id"])
        return rows.group_by(["source", "doc_id"]).aggregate([])

    rows = await handle.use_or(None, read)
    if rows is None:
        return {}
    counted = rows.group_by("source").aggregate([("doc_id", "count")])
    return dict(
        zip(counted["source"].to_pylist(), counted["doc_id_count"].to_pylist(), strict=True)
    )


async def _fingerprints(handle: Handle[Any], source: str) -> Mapping[str, str]:
    theirs = any_of("source_id", [source_id(source)])
    columns = ["doc_id", "fingerprint"]
    rows = await handle.use_or(None, lambda t: lance_rows.columns_of(t, theirs, columns))
    if rows is None:
        return {}
    return dict(zip(*(rows[name].to_pylist() for name in columns), strict=True))


async def _about(table: Any) -> About:
    return About.of(await table.schema())


async def _readers(document_ids: Sequence[str], table: Any) -> dict[str, frozenset[str]]:
    rows = await lance_rows.columns_of(table, any_of("doc_id", document_ids), ["doc_id", "readers"])
    return {row["doc_id"]: frozenset(row["readers"]) for row in rows.to_pylist()}
