"""A writer that is paused in its commit until another one has taken over commits nothing more.

Both are real: two processes with a lease of one store, and an S3 server. A proxy holds one of the
writes of the first process, right before or right after it arrives, while SIGSTOP holds the
process; the second takes over and commits; then both are let go.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import lancedb
import pytest

from index.lance import TABLE
from tests.doubles.object_storage import ObjectStorage, running_object_storage
from tests.doubles.slow_storage import Request, SlowStorage, slowed
from tests.doubles.writing_process import Writing, started, write

LEASE = 0.6


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as started:
        yield started


@pytest.fixture(scope="module")
def bucket(storage: ObjectStorage) -> Iterator[SlowStorage]:
    with slowed(storage, read=0, write=0) as proxy:
        yield proxy


class Pause:
    """Stops a process at its n-th write, and keeps that write or its answer back."""

    def __init__(self, bucket: SlowStorage, number: int, *, arrives: bool) -> None:
        self.pid = 0
        self.reached = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._go_on = asyncio.Event()
        self._number, self._arrives = number, arrives
        self._writes = count(1)
        self._numbers: dict[Request, int] = {}
        bucket.refuse, bucket.arriving, bucket.done = self._count, self._before, self._after

    def _count(self, request: Request) -> bool:
        if request.method not in ("GET", "HEAD"):
            self._numbers[request] = next(self._writes)
        return False

    async def _before(self, request: Request) -> None:
        if self._numbers.get(request) == self._number and not self._arrives:
            await self._hold()

    async def _after(self, request: Request) -> None:
        if self._numbers.get(request) == self._number and self._arrives:
            await self._hold()

    async def _hold(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        self._loop.call_soon_threadsafe(self.reached.set)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._go_on.wait(), self._loop))

    def end(self) -> None:
        self._go_on.set()
        os.kill(self.pid, signal.SIGCONT)


async def one_try(
    storage: ObjectStorage, bucket: SlowStorage, place: Path, number: int, *, arrives: bool
) -> str:
    """Return the error that ended the paused writer."""
    uri, store = storage.new_uri(), place / f"{number}{arrives}.sqlite"
    await write(Writing(uri, storage.storage_options, store, "before", 1, LEASE))
    pause = Pause(bucket, number, arrives=arrives)
    slow = Writing(uri, bucket.storage.storage_options, store, "slow", 1_000, LEASE)
    process, ends = started(slow)
    pause.pid = process.pid or 0
    await asyncio.wait_for(pause.reached.wait(), 30)
    quick = Writing(uri, storage.storage_options, store, "quick", 2, LEASE)
    first = await write(quick, patience=20)
    pause.end()
    await asyncio.to_thread(process.join, 60)
    error = str(ends.recv())
    bucket.refuse, bucket.arriving, bucket.done = (lambda request: False), None, None
    connection = await lancedb.connect_async(uri, storage_options=storage.storage_options)
    table = await connection.open_table(TABLE)
    seen = []
    for version in range(first, await table.version() + 1):
        await table.checkout(version)
        texts = (await table.query().select(["text"]).to_arrow())["text"].to_pylist()
        assert sum(text.startswith("quick") for text in texts) == 20
        seen.append(sorted(text for text in texts if not text.startswith("quick")))
    assert all(texts == seen[0] for texts in seen), "a stale commit"
    return error


@pytest.mark.parametrize("arrives", [False, True], ids=["before", "after"])
async def test_a_paused_writer_commits_nothing_once_another_has_taken_over(
    storage: ObjectStorage, bucket: SlowStorage, tmp_path: Path, arrives: bool
) -> None:
    for number in (4, 7):
        error = await one_try(storage, bucket, tmp_path, number, arrives=arrives)
        assert error == "ClaimLost"


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_none_of_a_hundred_paused_writers_commits_anything_late(
    storage: ObjectStorage, bucket: SlowStorage, tmp_path: Path
) -> None:
    for number in range(1, 51):
        for arrives in (False, True):
            error = await one_try(storage, bucket, tmp_path, number, arrives=arrives)
            assert error == "ClaimLost"
