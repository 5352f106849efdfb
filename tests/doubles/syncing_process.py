"""A process that syncs made-up sources into an index, and dies by SIGKILL where it is told to."""

import asyncio
import itertools
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from index.audience import EVERYONE, Principal
from index.documents import DocumentRef, RawDocument
from index.lance import LanceIndex
from index.staging import FolderStaging, beside
from index.sync import sync
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser
from tests.doubles.workforce import Workforce, fan_out


@dataclass(frozen=True, slots=True)
class Work:
    """What a process is to do. What the sources hold depends on ``seed`` and ``state`` alone.

    ``shared`` has workers of the process prepare the documents, for an index in a folder.
    ``dies_at`` counts what the process does to the index and its sources, from 1; without it the
    process lives, unless somebody else ends it.
    """

    uri: str
    options: Mapping[str, str] | None
    seed: int
    state: int
    documents: int
    parser: str = "text-1"
    dies_at: int = 0
    shared: bool = False


EMBEDDER = HashingEmbedder()
NAMES = ("docs", "wiki")
PORTION = 7
TEAM = frozenset({Principal("group", "team").id})


def sources(seed: int, state: int, documents: int) -> list[MemorySource]:
    """Return two sources in state 1, or in state 2 after edits, removals, moves and additions."""
    made = {name: _pages(random.Random(f"{seed} {name}"), documents) for name in NAMES}
    readers = {name: frozenset({EVERYONE.id}) for name in NAMES}
    if state == 2:
        rng = random.Random(f"{seed} changes")
        for name, other in itertools.permutations(NAMES):
            pages, names = made[name], sorted(made[name])
            for place in rng.sample(names, documents // 3):
                match rng.randrange(4):
                    case 0:
                        del pages[place]
                    case 1:
                        pages[place] += f"\n\nAn edit, number {rng.random()}."
                    case 2:
                        made[other][f"moved/{place}"] = pages.pop(place)
                    case 3:
                        pages[f"renamed/{place}"] = pages.pop(place)
            pages |= {f"new/{place}": text for place, text in _pages(rng, documents // 4).items()}
        readers[NAMES[seed % 2]] = TEAM
    return [MemorySource(made[name], name=name, readers=readers[name]) for name in NAMES]


def _pages(rng: random.Random, count: int) -> dict[str, str]:
    words = [f"word{number}" for number in range(500)]

    def text(number: int) -> str:
        lines = (" ".join(rng.choices(words, k=60)) + "." for _ in range(rng.randint(1, 4)))
        return f"Page {number}\n\n" + "\n\n".join(lines)

    return {f"p{number:03}.txt": text(number) for number in range(count)}


async def bring_in_step(
    uri: str,
    options: Mapping[str, str] | None,
    made: list[MemorySource],
    *,
    parser: str = "text-1",
    shared: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Sync the sources and maintain the index, ticking before and after each effect of that."""

    async def ticked() -> None:
        tick()

    index = _Ticking(
        uri,
        embedder=EMBEDDER.name,
        dimensions=EMBEDDER.dimensions,
        storage_options=options,
        before_change=ticked,
    )
    index.tick = tick
    for source in made:
        parts = (_TickingSource(source, tick), TextParser(parser), EMBEDDER)
        if not shared:
            await sync(*parts, index)
            continue
        staging = _TickingStaging(Path(beside(uri)), tick)
        workforce = Workforce(staging, *parts, lambda: _opened(uri, options))
        async with workforce.working(2):
            await sync(*parts, index, fan_out=fan_out(workforce, staging, index, PORTION))
    await index.maintain(force=True)
    await index.close()


def _opened(uri: str, options: Mapping[str, str] | None) -> LanceIndex:
    return LanceIndex(
        uri, embedder=EMBEDDER.name, dimensions=EMBEDDER.dimensions, storage_options=options
    )


class _TickingStaging(FolderStaging):
    def __init__(self, path: Path, tick: Callable[[], None]) -> None:
        super().__init__(path)
        self._tick = tick

    async def write(self, name: str, content: bytes) -> None:
        self._tick()
        await super().write(name, content)
        self._tick()

    async def delete(self, names: Sequence[str]) -> None:
        for name in names:
            self._tick()
            await super().delete([name])


class _TickingSource(MemorySource):
    def __init__(self, source: MemorySource, tick: Callable[[], None]) -> None:
        super().__init__(source.pages, name=source.name, readers=source.readers)
        self._tick = tick

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        if len(self.fetched) % 40 == 0:
            self._tick()
        return await super().fetch(ref)


class _Ticking(LanceIndex):
    tick: Callable[[], None]

    async def commit(self) -> int:
        self.tick()
        version = await super().commit()
        self.tick()
        return version

    async def stage(self, entries: Any) -> None:
        await super().stage(entries)
        self.tick()

    async def remove(self, document_ids: Any) -> int:
        self.tick()
        version = await super().remove(document_ids)
        self.tick()
        return version

    async def maintain(self, *, force: bool = False) -> None:
        self.tick()
        await super().maintain(force=force)
        self.tick()


def run(work: Work, ends: Connection) -> None:
    """Do the work; the body of a process. Sends how often it ticked, unless it dies."""
    ticks = itertools.count(1)

    def tick() -> None:
        if next(ticks) == work.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    made = sources(work.seed, work.state, work.documents)
    how = {"parser": work.parser, "shared": work.shared}
    asyncio.run(bring_in_step(work.uri, work.options, made, **how, tick=tick))
    ends.send(next(ticks) - 1)


def started(work: Work) -> tuple[BaseProcess, Connection]:
    """Start a process on the work, forked from one that has imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    receives, sends = context.Pipe(duplex=False)
    process = context.Process(target=run, args=(work, sends))
    process.start()
    sends.close()
    return process, receives
