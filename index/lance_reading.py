"""How a table is searched, and what a warm process keeps of it in memory.

    cold   both arms read numbers of rows from the storage,  several requests a row
           and then the rows of both together
    warm   both arms read numbers from indexes in memory,    1 request: is there a newer version?
           the rows come from memory too

Chunks at known places come from memory as well, without any request, or with one query.

Of a small table rows and indexes are fetched before the first search, except the index of words,
which is only opened: most of the time that fetching it takes is spent on words nobody has asked for
yet. A large table is fetched after the first search: until then its indexes have been opened, and a
search reads of them, and of the rows, what it needs. Only who may read is fetched whole, for a
search needs a piece of it for each group of the audience, and would wait for one after the other.
Of one that is too large for memory it stays like that.

Rows in memory belong to one version of one table. As soon as the table moves on they are not used
any more, and those of the new version are fetched in the background, in a few large pieces.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from index import lance_rows
from index.lance_beside import Beside
from index.lance_filters import standing_at
from index.lance_found import Found, Hits, RowsMoved, found_by_reading, found_in
from index.lance_kept import KeptRows, Name, kept_rows, named
from index.lance_maintenance import KEYWORDS
from index.lance_newest import read_newest
from index.lance_opening import (
    FETCHED_WHOLE,
    fetch_indexes,
    open_others,
    open_parts,
    open_words,
    quietly,
    searched,
)
from index.lance_packed import table_of
from index.lance_upkeep import AT_ONCE_ROWS, KEPT_ROWS, REFINED_TIMES, vector_design
from index.ports import Vector

RELOAD_SECONDS = 20.0
"""Least time between two fetches of all rows; a sync may commit more often than that."""

PAUSE_SECONDS = 0.2
"""Between a search that found rows or indexes not loaded, and loading them."""

READINGS = 3
"""Searches that are begun anew because the table moved on before their rows were read."""

KEPT_ANSWERS = 256
"""Filters of which is kept whether they admit a row: one a kind of audience, about 100 bytes."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Match:
    """What the keyword arm looks for, as the engine takes it, and the parts that it consists of.

    The engine reads for one part after the other.
    """

    whole: object
    parts: Sequence[object]


class Reading:
    """The searches of one process on one index. Tables are those of the engine's open handle."""

    def __init__(self, *, at_once_rows: int = AT_ONCE_ROWS, kept_rows: int = KEPT_ROWS) -> None:
        """Keep nothing until ``warm`` is called, and never a table of more than ``kept_rows``.

        One of more than ``at_once_rows`` is fetched after the first search.
        """
        self._at_once_rows, self._kept_rows = at_once_rows, kept_rows
        self._kept: KeptRows | None = None
        self._keeps = False
        self._loading: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[bool] | None = None
        self._loaded_at = -RELOAD_SECONDS
        self._complete: Name | None = None
        self._answers: dict[str, tuple[Name, bool]] = {}
        self._beside = Beside(None)

    async def warm(self, table: Any) -> None:
        """Fetch rows and indexes, of a large table only open them.

        The index of words takes longest. It is only opened, which goes on when all else is there:
        the first question waits for no more of it than it needs.
        """
        self._keeps = True
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(quietly(open_words(table)))
        names = await searched(table)
        if await self._is_large(table):
            await asyncio.gather(fetch_indexes(table, names & FETCHED_WHOLE), open_others(table))
        else:
            others = fetch_indexes(table, names - {KEYWORDS})
            await asyncio.gather(others, self._keep(table, at_once=True))

    async def search(
        self, table: Any, query: Vector, match: Match, readable: str, limit: int
    ) -> Found:
        """Return the rows nearest to ``query`` and those that match, of the newest version."""

        async def found() -> Found:
            for _ in range(READINGS):
                state, kept = await named(table), self._kept
                reads = kept is None or kept.of != state
                unread = await self._is_large(table) if reads else self._complete != state
                ahead: Sequence[object] = match.parts[1:] if unread else ()
                hits, _ = await asyncio.gather(
                    _both(table, query, match.whole, readable, limit), open_parts(table, ahead)
                )
                if kept is not None and not reads:
                    rows = kept.numbered(hits.numbers)
                    if rows is not None:
                        self._complete_soon(table, state)
                        return found_in(rows, hits, query, limit)
                try:
                    read = await found_by_reading(table, hits, query, limit, self._around(state))
                except (OSError, RuntimeError, ValueError):
                    if await named(table) == state:
                        raise
                    # The handle moved on meanwhile, and rows have other numbers there.
                    continue
                self._complete_soon(table, state)
                return read
            raise RowsMoved("Commits follow each other so quickly that rows were not found again.")

        return await read_newest(
            table,
            found,
            held=lambda: named(table),
            is_whole=lambda found: found.is_of_one_version,
            catch_up=lambda: self.fetch_ahead(table),
        )

    async def at(self, table: Any, places: Sequence[tuple[str, int]], readable: str) -> pa.Table:
        """Return rows of the version that is held, among them those at ``places`` that there are.

        Without asking the storage they come unfiltered: whoever asked checks who may read them.
        """
        kept = self._kept
        if kept is not None and kept.of == await named(table):
            return kept.of_documents(document for document, _ in places)
        schema = await table.schema()
        known = self._around(await named(table)).at(places, schema.field("vector").type.list_size)
        rows = table_of([one for one in known.values() if one is not None], schema)
        if not (absent := [place for place in places if place not in known]):
            return rows
        query = table.query().where(f"{readable} AND {standing_at(absent)}")
        read = await query.select([*lance_rows.SHOWN_COLUMNS, "vector"]).to_arrow()
        return pa.concat_tables([rows, read.cast(rows.schema)]) if rows.num_rows else read

    async def any_row(self, table: Any, where: str) -> bool:
        """Tell whether a filter admits a row of the version that is held.

        Without a row to find the storage is read to its end, so the answer is kept for the version.
        """
        state = await named(table)
        known = self._answers.get(where)
        if known is None or known[0] != state:
            found = await table.query().where(where).limit(1).select(["id"]).to_arrow()
            if len(self._answers) >= KEPT_ANSWERS:
                self._answers.clear()
            self._answers[where] = known = (state, bool(found.num_rows))
        return known[1]

    async def fetch_ahead(self, table: Any) -> None:
        """Fetch what the next search needs; this one does well without.

        The engine refuses to keep an index of words that holds none, as one of an emptied table.
        """
        try:
            names = await searched(table)
            if await self._is_large(table):
                names &= FETCHED_WHOLE
            await fetch_indexes(table, names)
        except (OSError, RuntimeError) as error:
            _log.info("an index was not fetched ahead: %s", type(error).__name__)

    async def close(self) -> None:
        """Forget what was kept."""
        self._kept, self._complete, self._keeps = None, None, False
        self._beside = Beside(None)
        self._answers.clear()
        running = [one for one in (self._loading, self._opening) if one is not None]
        self._loading = self._opening = None
        for one in running:
            one.cancel()
        if running:
            await asyncio.wait(running)

    async def _is_large(self, table: Any) -> bool:
        # Known without asking the storage: the handle holds the version's manifest.
        return bool(await table.count_rows() > self._at_once_rows)

    def _around(self, state: Name) -> Beside:
        if self._beside.of != state:
            self._beside = Beside(state)
        return self._beside

    def _complete_soon(self, table: Any, state: Name) -> None:
        """After a search: nobody should wait for what only later ones will find loaded."""
        if not self._keeps or self._complete == state:
            return
        busy = self._loading is not None and not self._loading.done()
        if not busy and asyncio.get_running_loop().time() - self._loaded_at >= RELOAD_SECONDS:
            self._loading = asyncio.create_task(self._load_quietly(table))

    async def _load_quietly(self, table: Any) -> None:
        # The search that found something missing has still to read what stands around its hits.
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            await self._load(table)
        except (OSError, RuntimeError, ValueError) as error:
            # Searches go on without; one of the next ones tries again.
            _log.warning("the index could not be kept in memory: %s", type(error).__name__)

    async def _load(self, table: Any) -> None:
        self._loaded_at = asyncio.get_running_loop().time()
        state, count, names = await named(table), await table.count_rows(), await searched(table)
        if count > self._kept_rows:
            self._kept = None
            return
        if count > self._at_once_rows:
            # One after the other: what both need while they are fetched need not add up.
            fetched = await quietly(fetch_indexes(table, names))
            await self._keep(table, at_once=False)
        else:
            fetched, _ = await asyncio.gather(
                quietly(fetch_indexes(table, names)), self._keep(table, at_once=True)
            )
        # The engine refuses to keep an index of words that holds none, now and later.
        if fetched or not count:
            self._complete = state

    async def _keep(self, table: Any, *, at_once: bool) -> None:
        if self._kept is None or self._kept.of != await named(table):
            self._kept = await kept_rows(table, at_once=at_once)


async def _both(table: Any, query: Vector, match: object, readable: str, limit: int) -> Hits:
    nearest, most = table.query().nearest_to(query).distance_type("cosine"), limit
    # Known without asking the storage: the handle holds the version's manifest.
    design = vector_design(await table.count_rows())
    if design is not None and design.bits == 4:
        nearest, most = nearest.nprobes(design.probes), int(REFINED_TIMES * limit)
    matching = table.query().nearest_to_text(match)

    near, matched = await asyncio.gather(
        nearest.where(readable).limit(most).with_row_id().select(["_distance"]).to_arrow(),
        matching.where(readable).limit(limit).with_row_id().select(["_score"]).to_arrow(),
    )
    return Hits.of(near, matched)
