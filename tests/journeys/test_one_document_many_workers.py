"""Workers that are given the same document at the same moment leave it in the index once."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.writer import Fence, Writers
from index.lance import LanceIndex
from index.sync import sync
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser
from tests.doubles.stored_rows import stored_rows

EMBEDDER = HashingEmbedder()
WORKERS = 4

Write = Callable[[MemorySource], "asyncio.Future[None]"]


def opened(place: str, fence: Fence | None = None) -> LanceIndex:
    return LanceIndex(
        place,
        embedder=EMBEDDER.name,
        dimensions=EMBEDDER.dimensions,
        before_change=fence,
    )


async def synced(source: MemorySource, place: str, fence: Fence | None = None) -> None:
    index = opened(place, fence)
    await sync(source, TextParser(), EMBEDDER, index)
    await index.close()


async def rounds(place: str, count: int, write: Write) -> None:
    source = MemorySource({"first.txt": "First\n\nsomething to begin with"})
    await synced(source, place)
    for number in range(count):
        text = "\n\n".join(f"round {number} line {line} " + "word " * 60 for line in range(8))
        source.pages["same.txt"] = f"Same title\n\n{text}"
        await asyncio.gather(*(write(source) for _ in range(WORKERS)))
        rows = await stored_rows(place)
        ids = [row["id"] for row in rows]
        assert len(ids) == len(set(ids)) == 1 + 8
        assert sum(f"round {number} " in str(row["text"]) for row in rows) == 8


async def without_lease(place: Path, count: int) -> None:
    async def write(source: MemorySource) -> None:
        await synced(source, str(place))

    await rounds(str(place), count, write)


async def with_lease(place: Path, count: int) -> None:
    store = SqliteStore(place.with_suffix(".sqlite"))

    async def write(source: MemorySource) -> None:
        await Writers(store).alone(
            str(place), lambda fence: synced(source, str(place), fence), patience=60
        )

    await rounds(str(place), count, write)
    await store.close()


@pytest.mark.parametrize("workers", [without_lease, with_lease])
async def test_four_workers_with_one_document_leave_it_once(
    tmp_path: Path, workers: Callable[[Path, int], "asyncio.Future[None]"]
) -> None:
    await workers(tmp_path / "index", 3)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("workers", [without_lease, with_lease])
async def test_four_workers_with_one_document_leave_it_once_fifty_times(
    tmp_path: Path, workers: Callable[[Path, int], "asyncio.Future[None]"]
) -> None:
    await workers(tmp_path / "index", 50)
