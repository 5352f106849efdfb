"""Which table answers, and which one is being built beside it.

::

    1 answers ──────────────────────────────────────────┬─ 1 is superseded ── dropped an hour later
    2 is filled by another recipe, source after source ─┴─ 2 is complete, and answers

A table is read only as it was written: its parser, its way of cutting, its embedder and its
analysis of words are its recipe. What a table is stands in its own schema, so a handle that asks
for a newer version of the old table learns in the same breath that there is a new one.

The first table of a place, and any that is older than this module, answers from its first row on.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from index.keywords import ANALYSIS
from index.lance_errors import is_missing, missing
from index.lance_rows import ANALYSIS_KEY, RECIPE_KEY, vector_space
from index.lance_upkeep import KEEP

PREFIX: Final = "chunks-"
NUMBERED: Final = re.compile(rf"{PREFIX}(\d{{5}})")

A_TABLE: Final = 1_000_000
"""More than a table has versions."""

COLUMN: Final = "source"
"""The column whose metadata tells what a table is; the schema's own cannot be changed later."""

STATE: Final = "footnote.state"
BUILDING: Final = "building"
ANSWERING: Final = "answering"
SUPERSEDED: Final = "superseded at "
BROUGHT: Final = "footnote.brought."


@dataclass(frozen=True, slots=True)
class About:
    """What a table says of itself. ``brought`` holds ids of sources that are wholly in it."""

    recipe: str
    analysis: str
    embedder: str
    state: str
    brought: frozenset[str]

    @classmethod
    def of(cls, schema: pa.Schema) -> "About":
        """Read it from the schema."""
        metadata: Mapping[bytes, bytes] = schema.field(COLUMN).metadata or {}
        told = {key.decode(): value.decode() for key, value in metadata.items()}
        written = schema.metadata or {}
        return cls(
            written.get(RECIPE_KEY, b"").decode(),
            written.get(ANALYSIS_KEY, b"").decode(),
            vector_space(schema)[0],
            told.get(STATE, ANSWERING),
            frozenset(key.removeprefix(BROUGHT) for key in told if key.startswith(BROUGHT)),
        )

    def made_by(self, recipe: str) -> bool:
        """Tell whether this recipe, with the analysis that is used now, made the table."""
        return (self.recipe, self.analysis) == (recipe, ANALYSIS)

    def superseded_for(self, now: float) -> float:
        """Return for how many seconds another table has answered; 0 while this one does."""
        began = self.state.removeprefix(SUPERSEDED)
        return now - float(began) if began != self.state else 0.0


class Tables:
    """The tables at one place; ``connect`` returns an open connection to it."""

    def __init__(
        self,
        uri: str,
        connect: Callable[[], Awaitable[Any]],
        *,
        first: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``first`` is the name of a table where there is none yet.

        ``clock`` counts seconds since the epoch, because several machines compare it.
        """
        self._uri = uri
        self._connect = connect
        self._first = first
        self._clock = clock

    async def names(self) -> list[str]:
        """Return the names of all tables, the newest first."""
        if "://" not in self._uri and not await asyncio.to_thread(Path(self._uri).is_dir):
            return []
        listed = (await (await self._connect()).list_tables()).tables
        tables = [name for name in listed if name.startswith(PREFIX)]
        return sorted(tables, key=lambda name: (number(name), name == self._first), reverse=True)

    async def open(self, name: str) -> Any:
        """Return a handle of its own for a table. Raises what the engine raises."""
        # Told where it is, the engine does not look first whether the place has a catalogue.
        place = f"{self._uri.rstrip('/')}/{name}.lance" if "://" in self._uri else None
        return await (await self._connect()).open_table(name, location=place)

    async def answering(self) -> Any:
        """Return a handle for the table that answers. Raises IndexMissing."""
        names, guessed = await asyncio.gather(self.names(), self._guessed())
        if guessed is not None and names[:1] != [self._first]:
            guessed.close()
            guessed = None
        for name in names:
            table = guessed if guessed is not None else await self._open_whole(name)
            guessed = None
            if table is not None:
                if About.of(await table.schema()).state == ANSWERING:
                    return table
                table.close()
        raise missing(self._uri)

    async def _guessed(self) -> Any | None:
        """Open the only table that most places have, while a far storage lists its tables."""
        return await self._open_whole(self._first) if "://" in self._uri else None

    async def survey(self) -> "Survey":
        """Open all tables, and see what each says of itself."""
        opened = [await self._open_whole(name) for name in await self.names()]
        return Survey([(one, About.of(await one.schema())) for one in opened if one is not None])

    async def _open_whole(self, name: str) -> Any | None:
        try:
            return await self.open(name)
        except ValueError as error:
            if is_missing(error):
                # A writer died while it made this table, and what it left is no table yet.
                return None
            raise

    async def create(self, name: str | None, schema: pa.Schema) -> None:
        """Make an empty table, to be built; or that which answers, for None."""
        state = {STATE: ANSWERING if name is None else BUILDING}
        place = schema.get_field_index(COLUMN)
        told = schema.set(place, schema.field(place).with_metadata(state))
        connection = await self._connect()
        await connection.create_table(name or self._first, schema=told, exist_ok=True)

    async def drop_old(self, building: str | None) -> None:
        """Drop what has not answered for an hour, and what nobody is ``building`` any more."""
        found = await self.survey()
        for table, about in found.tables if found.answering is not None else ():
            old = about.superseded_for(self._clock())
            if about.state == BUILDING and table.name != building:
                old = self._clock() - await _changed(table)
            if old > KEEP.total_seconds():
                await (await self._connect()).drop_table(table.name)
        found.close()


@dataclass(frozen=True, slots=True)
class Survey:
    """All tables of a place, open, the newest first, with what each says of itself."""

    tables: Sequence[tuple[Any, About]]

    @property
    def answering(self) -> Any | None:
        """The table that answers."""
        return next((table for table, about in self.tables if about.state == ANSWERING), None)

    @property
    def overtaken(self) -> Sequence[Any]:
        """Tables that still think they answer, although a newer one does."""
        return [table for table, about in self.tables if about.state == ANSWERING][1:]

    def named(self, name: str | None) -> Any | None:
        """Return the table of that name, if there is one."""
        return next((table for table, _ in self.tables if table.name == name), None)

    def to_fill(self, recipe: str) -> str | None:
        """Return the name of the table that this recipe is to fill, which may be one to be made.

        None stands for the table that answers: this recipe made it, or there is none yet.
        """
        for table, about in self.tables:
            if about.state == ANSWERING:
                return None if about.made_by(recipe) else _next(self.tables[0][0].name)
            if about.state == BUILDING and about.made_by(recipe):
                return str(table.name)
        return _next(self.tables[0][0].name) if self.tables else None

    def close(self, *but: Any) -> None:
        """Close the tables, except those that somebody goes on using."""
        for table, _ in self.tables:
            if not any(table is one for one in but):
                table.close()


async def tell(table: Any, **said: str) -> None:
    """Write down what a table is: ``state``, and sources that were brought in, by their ids."""
    written = {STATE if key == "state" else f"{BROUGHT}{key}": value for key, value in said.items()}
    await table.update_field_metadata({"path": COLUMN, "metadata": written})


def superseded() -> str:
    """Return the state of a table that has answered until now."""
    return f"{SUPERSEDED}{time.time():.0f}"


async def was_superseded(table: Any) -> bool:
    """Tell whether another table answers by now, as far as this version of the table knows."""
    return About.of(await table.schema()).state.startswith(SUPERSEDED)


def number(name: str) -> int:
    """Return the place of a table in the order in which they were made."""
    numbered = NUMBERED.fullmatch(name)
    return int(numbered[1]) if numbered else 0


async def version_of(table: Any) -> int:
    """Return a number that grows with every version, and when another table takes over."""
    return number(table.name) * A_TABLE + int(await table.version())


async def _changed(table: Any) -> float:
    moments = [one["timestamp"].timestamp() for one in await table.list_versions()]
    return float(max(moments))


def _next(newest: str) -> str:
    return f"{PREFIX}{number(newest) + 1:05}"
