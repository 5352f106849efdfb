"""The laptop's queue: leases, retries, dead letters, and nothing lost to kill -9."""

import asyncio
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.adapters.sqlite_queue import DEAD_SECONDS, QueueCounts, SqliteQueue
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import DEDUPE_SECONDS, AnswerJob, SyncJob
from tests.doubles.clocks import ManualClock

ROOT = Path(__file__).parents[3]


def mention(ts: str = "1.1", thread: str = "1.0") -> AnswerJob:
    return AnswerJob(team="T1", channel="C1", user="U1", ts=ts, thread_ts=thread, place="channel")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def queue(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteQueue]:
    queue = SqliteQueue(
        tmp_path / "home" / "q.sqlite", lease_seconds=30, max_attempts=3, clock=clock
    )
    yield queue
    await queue.close()


async def test_nothing_is_touched_before_the_first_call(tmp_path: Path) -> None:
    SqliteQueue(tmp_path / "home" / "q.sqlite")
    assert os.listdir(tmp_path) == []


async def test_a_job_comes_back_when_its_lease_ends_and_not_before(
    queue: SqliteQueue, clock: ManualClock
) -> None:
    await queue.put(mention())
    first = await queue.receive()
    assert first is not None
    clock.advance(29)
    assert await queue.receive() is None
    clock.advance(1)
    second = await queue.receive()
    assert second is not None
    assert (second.job, second.attempts) == (mention(), 2)


async def test_who_lost_the_lease_can_neither_finish_extend_nor_release(
    queue: SqliteQueue, clock: ManualClock
) -> None:
    await queue.put(mention())
    slow = await queue.receive()
    clock.advance(31)
    quick = await queue.receive()
    assert slow is not None
    assert quick is not None
    assert not await slow.extend()
    assert not await slow.release()
    assert not await slow.done()
    assert await queue.counts() == QueueCounts(waiting=0, held=1, dead=0)
    assert await quick.done()
    assert await queue.counts() == QueueCounts(waiting=0, held=0, dead=0)


async def test_an_extended_lease_keeps_the_job_from_others(
    queue: SqliteQueue, clock: ManualClock
) -> None:
    await queue.put(mention())
    delivery = await queue.receive()
    assert delivery is not None
    for _ in range(5):
        clock.advance(20)
        assert await delivery.extend()
        assert await queue.receive() is None
    assert await delivery.done()


async def test_a_released_job_waits_for_its_delay_and_holds_its_thread(
    queue: SqliteQueue, clock: ManualClock
) -> None:
    await queue.put(mention(ts="1.1"))
    await queue.put(mention(ts="1.2"))
    delivery = await queue.receive()
    assert delivery is not None
    assert await delivery.release(10)
    assert await queue.receive() is None
    clock.advance(10)
    again = await queue.receive()
    assert again is not None
    assert (again.job.key, again.attempts) == (mention(ts="1.1").key, 2)


async def test_a_release_that_was_not_a_try_gives_the_attempt_back(queue: SqliteQueue) -> None:
    await queue.put(mention())
    for _ in range(10):
        delivery = await queue.receive()
        assert delivery is not None
        assert delivery.attempts == 1
        assert await delivery.release(tried=False)


async def test_a_job_that_kills_its_workers_is_set_aside_and_the_thread_goes_on(
    queue: SqliteQueue, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await queue.put(mention(ts="1.1"))
    await queue.put(mention(ts="1.2"))
    for attempt in (1, 2, 3):
        delivery = await queue.receive()
        assert delivery is not None
        assert (delivery.job.key, delivery.attempts) == (mention(ts="1.1").key, attempt)
        clock.advance(31)
    with caplog.at_level(logging.ERROR):
        following = await queue.receive()
    assert following is not None
    assert following.job.key == mention(ts="1.2").key
    assert await queue.counts() == QueueCounts(waiting=0, held=1, dead=1)
    assert "set aside" in caplog.text


async def test_a_body_that_nobody_can_read_is_set_aside(queue: SqliteQueue, tmp_path: Path) -> None:
    await queue.put(mention())
    await queue.close()
    with sqlite3.connect(tmp_path / "home" / "q.sqlite") as db:
        db.execute('UPDATE jobs SET body = \'{"kind": "from the future"}\'')
    db.close()
    assert await queue.receive() is None
    assert await queue.counts() == QueueCounts(waiting=0, held=0, dead=1)


async def test_redriven_jobs_are_delivered_as_if_for_the_first_time(
    queue: SqliteQueue, clock: ManualClock
) -> None:
    await queue.put(mention())
    for _ in range(4):
        await queue.receive()
        clock.advance(31)
    assert await queue.redrive() == 1
    assert await queue.redrive() == 0
    delivery = await queue.receive()
    assert delivery is not None
    assert (delivery.job.key, delivery.attempts) == (mention().key, 1)
    assert await queue.counts() == QueueCounts(waiting=0, held=1, dead=0)


async def test_dead_jobs_are_kept_for_14_days(queue: SqliteQueue, clock: ManualClock) -> None:
    await queue.put(mention())
    for _ in range(4):
        await queue.receive()
        clock.advance(31)
    clock.advance(DEAD_SECONDS - 100)
    await queue.put(mention(ts="2.0"))
    assert (await queue.counts()).dead == 1
    clock.advance(101)
    await queue.put(mention(ts="3.0"))
    assert (await queue.counts()).dead == 0


async def test_an_answered_message_is_remembered_for_24_hours(
    queue: SqliteQueue, clock: ManualClock
) -> None:
    await queue.put(mention())
    delivery = await queue.receive()
    assert delivery is not None
    await delivery.done()
    clock.advance(DEDUPE_SECONDS - 1)
    await queue.put(mention())
    assert await queue.receive() is None
    clock.advance(1)
    await queue.put(mention())
    assert await queue.receive() is not None


async def test_a_second_sync_adds_nothing_while_one_waits_but_does_while_one_runs(
    queue: SqliteQueue,
) -> None:
    await queue.put(SyncJob(source="files"))
    await queue.put(SyncJob(source="files"))
    assert (await queue.counts()).waiting == 1
    assert await queue.receive() is not None
    await queue.put(SyncJob(source="files"))
    assert await queue.counts() == QueueCounts(waiting=1, held=1, dead=0)


async def test_a_waiting_receiver_wakes_at_once_when_a_job_is_put(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "q.sqlite")
    await queue.counts()
    receiving = asyncio.create_task(queue.receive(wait=30))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    await queue.put(mention())
    assert await receiving is not None
    # Polling alone would take an eighth of a second on average; several rounds rule luck out.
    waits = [time.monotonic() - started]
    for n in range(4):
        receiving = asyncio.create_task(queue.receive(wait=30))
        await asyncio.sleep(0.02)
        started = time.monotonic()
        await queue.put(mention(ts=f"2.{n}", thread=f"2.{n}"))
        assert await receiving is not None
        waits.append(time.monotonic() - started)
    assert min(waits) < 0.1
    await queue.close()


async def test_a_waiting_receiver_notices_a_job_of_another_process(tmp_path: Path) -> None:
    queue, other = SqliteQueue(tmp_path / "q.sqlite"), SqliteQueue(tmp_path / "q.sqlite")
    receiving = asyncio.create_task(queue.receive(wait=30))
    await asyncio.sleep(0.1)
    await other.put(mention())
    assert await asyncio.wait_for(receiving, 5) is not None
    await queue.close()
    await other.close()


async def test_receive_returns_none_when_its_wait_is_over(queue: SqliteQueue) -> None:
    started = time.monotonic()
    assert await queue.receive(wait=0.3) is None
    assert 0.3 <= time.monotonic() - started < 3


async def test_a_receiver_that_is_cancelled_half_way_leaves_the_job_to_the_next(
    queue: SqliteQueue, tmp_path: Path
) -> None:
    await queue.put(mention())
    holder = sqlite3.connect(tmp_path / "home" / "q.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    receiving = asyncio.create_task(queue.receive(wait=1))
    await asyncio.sleep(0.1)
    receiving.cancel()
    await asyncio.sleep(0)
    holder.execute("COMMIT")
    holder.close()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    assert await queue.counts() == QueueCounts(waiting=1, held=0, dead=0)
    delivery = await queue.receive()
    assert delivery is not None
    assert delivery.attempts == 1


async def test_the_event_loop_goes_on_while_another_process_holds_the_file(
    queue: SqliteQueue, tmp_path: Path
) -> None:
    await queue.counts()
    holder = sqlite3.connect(tmp_path / "home" / "q.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    putting = asyncio.create_task(queue.put(mention()))
    started = time.monotonic()
    await asyncio.sleep(0.3)
    assert time.monotonic() - started < 1.5
    assert not putting.done()
    holder.execute("COMMIT")
    holder.close()
    await putting
    assert (await queue.counts()).waiting == 1


async def test_many_consumers_answer_every_job_once_and_each_thread_in_order(
    tmp_path: Path,
) -> None:
    queues = [SqliteQueue(tmp_path / "q.sqlite") for _ in range(3)]
    jobs = [mention(ts=f"{n}", thread=f"{n % 5}") for n in range(40)]
    seen: list[str] = []

    async def consume(queue: SqliteQueue) -> None:
        while delivery := await queue.receive(wait=0.5):
            assert isinstance(delivery.job, AnswerJob)
            seen.append(delivery.job.ts)
            await asyncio.sleep(0)
            assert await delivery.done()

    for job in jobs:
        await queues[0].put(job)
    await asyncio.gather(*(consume(queue) for queue in queues * 2))
    assert sorted(seen, key=int) == [job.ts for job in jobs]
    for thread in range(5):
        mine = [int(ts) for ts in seen if int(ts) % 5 == thread]
        assert mine == sorted(mine)
    for queue in queues:
        await queue.close()


async def test_the_file_stays_as_large_as_its_busiest_day(
    queue: SqliteQueue, clock: ManualClock, tmp_path: Path
) -> None:
    async def a_day(day: int) -> int:
        for n in range(25):
            await queue.put(mention(ts=f"{day}.{n}", thread=f"{n}"))
            delivery = await queue.receive()
            assert delivery is not None
            await delivery.done()
        clock.advance(DEDUPE_SECONDS + 1)
        await queue.close()
        return (tmp_path / "home" / "q.sqlite").stat().st_size

    first = await a_day(0)
    later = [await a_day(day) for day in range(1, 5)]
    assert max(later) <= first + 8192


async def test_a_file_that_is_removed_while_in_use_is_made_again(
    queue: SqliteQueue, tmp_path: Path, clock: ManualClock
) -> None:
    await queue.put(mention(ts="1.1"))
    shutil.rmtree(tmp_path / "home")
    await queue.put(mention(ts="1.2"))
    fresh = SqliteQueue(tmp_path / "home" / "q.sqlite", clock=clock)
    delivery = await fresh.receive()
    assert delivery is not None
    assert delivery.job.key == mention(ts="1.2").key
    await fresh.close()


async def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "q.sqlite"
    path.write_bytes(b"This is no database at all. " * 100)
    queue = SqliteQueue(path)
    with pytest.raises(QueueUnavailable, match=r"q\.sqlite cannot be used.*Move it away"):
        await queue.put(mention())
    path.unlink()
    await queue.put(mention())
    await queue.close()


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "q.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    queue = SqliteQueue(path)
    with pytest.raises(QueueUnavailable, match="Update Footnote"):
        await queue.put(mention())
    await queue.close()


async def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    queue = SqliteQueue(tmp_path / "a-file" / "q.sqlite")
    with pytest.raises(QueueUnavailable, match="choose another with FOOTNOTE_HOME"):
        await queue.put(mention())
    await queue.close()


FILLING = """
import asyncio, resource, sys
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import AnswerJob
async def main():
    queue = SqliteQueue(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    for n in range(1000):
        try:
            await queue.put(AnswerJob("T", "C", "U", f"{n}", f"{n}", "channel", sealed="x" * 2000))
        except QueueUnavailable as error:
            print(n, error)
            break
asyncio.run(main())
"""


async def test_a_full_disk_refuses_new_jobs_and_keeps_the_old(tmp_path: Path) -> None:
    process = start(FILLING, tmp_path / "q.sqlite")
    said, _ = await asyncio.to_thread(process.communicate)
    stored, sentence = said.split(" ", 1)
    assert "cannot be used" in sentence
    assert "Traceback" not in said
    queue = SqliteQueue(tmp_path / "q.sqlite")
    assert (await queue.counts()).waiting == int(stored) > 5
    await queue.put(mention())
    await queue.close()


PUTTING = """
import asyncio, sys
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.work.jobs import AnswerJob
async def main():
    queue = SqliteQueue(sys.argv[1])
    for n in range(100000):
        await queue.put(AnswerJob("T", "C", "U", f"{sys.argv[2]}.{n}", f"{n}", "channel"))
        print(n, flush=True)
asyncio.run(main())
"""

HOLDING = """
import asyncio, sys, time
from handlers.adapters.sqlite_queue import SqliteQueue
async def main():
    delivery = await SqliteQueue(sys.argv[1], lease_seconds=1.0).receive(wait=10)
    print(delivery.job.key, flush=True)
    time.sleep(60)
asyncio.run(main())
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def kill(process: subprocess.Popen[str]) -> str:
    """Kill as a power cut would, and return what it had said by then."""
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    return said


async def test_nothing_that_was_accepted_is_lost_to_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "q.sqlite"
    accepted = 0
    for life in range(3):
        process = start(PUTTING, path, life)
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        await asyncio.sleep(0.05 * life)
        accepted += 1 + len([line for line in kill(process).splitlines() if line.isdigit()])
    queue = SqliteQueue(path)
    found = (await queue.counts()).waiting
    # The last put of each life may have been stored without having been told.
    assert accepted <= found <= accepted + 3
    await queue.close()


async def test_a_job_whose_worker_was_killed_comes_back_after_the_lease(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "q.sqlite")
    await queue.put(mention())
    process = start(HOLDING, tmp_path / "q.sqlite")
    assert process.stdout is not None
    assert (await asyncio.to_thread(process.stdout.readline)).strip() == mention().key
    assert await queue.receive() is None
    kill(process)
    delivery = await queue.receive(wait=10)
    assert delivery is not None
    assert (delivery.job, delivery.attempts) == (mention(), 2)
    await queue.close()


async def test_six_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    processes = [start(PUTTING, tmp_path / "q.sqlite", n) for n in range(6)]
    for process in processes:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "0\n"
    for process in processes:
        kill(process)
