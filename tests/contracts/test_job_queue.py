"""What every JobQueue promises, checked on SQLite and on SQS over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from mypy_boto3_sqs import SQSClient

from handlers.adapters.aws import make_client
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqs import SqsQueue
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import AnswerJob, Job, SyncJob, decode
from handlers.work.ports import JobQueue
from tests.doubles.aws import Aws, client_options, running_aws


@dataclass
class Bench:
    """A queue, the same queue as another process sees it, one that is out of reach, and its end."""

    queue: JobQueue
    other: JobQueue
    broken: JobQueue
    receive: Callable[[], Awaitable[Job | None]]
    """Take the next job without finishing it; None when there is none to be had now."""
    finish_all: Callable[[], Awaitable[list[Job]]]
    """Take and finish every job there is, in order."""


def mention(ts: str = "1.1", thread: str = "1.0", channel: str = "C1") -> AnswerJob:
    return AnswerJob(
        team="T1", channel=channel, user="U1", ts=ts, thread_ts=thread, place="channel"
    )


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture(scope="module")
def nowhere() -> Iterator[SQSClient]:
    client = make_client("sqs", client_options("http://127.0.0.1:9"))
    yield client
    client.close()


@pytest.fixture(params=["sqlite", "sqs"])
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, aws: Aws, nowhere: SQSClient
) -> AsyncIterator[Bench]:
    if request.param == "sqs":
        url = aws.new_queue()
        far_end = _SqsEnd(aws, url)
        yield Bench(
            SqsQueue(url, aws.sqs),
            SqsQueue(url, aws.sqs),
            SqsQueue(url, nowhere),
            far_end.receive,
            far_end.finish_all,
        )
        return
    queue, other = SqliteQueue(tmp_path / "q.sqlite"), SqliteQueue(tmp_path / "q.sqlite")
    (tmp_path / "a-file").write_text("")
    end = _SqliteEnd(other)
    yield Bench(
        queue, other, SqliteQueue(tmp_path / "a-file" / "q.sqlite"), end.receive, end.finish_all
    )
    await queue.close()
    await other.close()


class _SqliteEnd:
    def __init__(self, queue: SqliteQueue) -> None:
        self._queue = queue

    async def receive(self) -> Job | None:
        delivery = await self._queue.receive()
        return delivery.job if delivery else None

    async def finish_all(self) -> list[Job]:
        jobs = []
        while delivery := await self._queue.receive():
            jobs.append(delivery.job)
            assert await delivery.done()
        return jobs


class _SqsEnd:
    """What Lambda does with the queue."""

    def __init__(self, aws: Aws, url: str) -> None:
        self._aws, self._url = aws, url

    async def receive(self) -> Job | None:
        taken = await self._take()
        return taken[0] if taken else None

    async def finish_all(self) -> list[Job]:
        jobs = []
        while taken := await self._take():
            jobs.append(taken[0])
            await asyncio.to_thread(
                self._aws.sqs.delete_message, QueueUrl=self._url, ReceiptHandle=taken[1]
            )
        return jobs

    async def _take(self) -> tuple[Job, str] | None:
        answer = await asyncio.to_thread(
            self._aws.sqs.receive_message, QueueUrl=self._url, MaxNumberOfMessages=1
        )
        messages = answer.get("Messages", [])
        return (decode(messages[0]["Body"]), messages[0]["ReceiptHandle"]) if messages else None


async def test_a_job_arrives_as_it_was_put(bench: Bench) -> None:
    job = replace(mention(), sealed="gAAAA=", trace="t", accepted_at=1.5)
    await bench.queue.put(job)
    assert await bench.finish_all() == [job]


async def test_jobs_of_one_thread_arrive_in_the_order_they_were_put(bench: Bench) -> None:
    jobs = [mention(ts=f"{n}.0") for n in range(6)]
    for n, job in enumerate(jobs):
        await (bench.queue, bench.other)[n % 2].put(job)
    assert await bench.finish_all() == jobs


async def test_a_job_in_hand_holds_back_its_own_thread_and_no_other(bench: Bench) -> None:
    first, second = mention(ts="1.1"), mention(ts="1.2")
    elsewhere = mention(ts="1.3", thread="9.0")
    for job in (first, second, elsewhere):
        await bench.queue.put(job)
    assert await bench.receive() == first
    assert await bench.receive() == elsewhere
    assert await bench.receive() is None


async def test_the_same_message_in_two_channels_is_two_jobs(bench: Bench) -> None:
    here, there = mention(channel="C1"), mention(channel="C2")
    await bench.queue.put(here)
    await bench.queue.put(there)
    assert await bench.finish_all() == [here, there]


async def test_a_message_that_is_delivered_again_is_one_job_and_no_error(bench: Bench) -> None:
    for n in range(4):
        await bench.queue.put(replace(mention(), trace=f"delivery {n}"))
    assert await bench.finish_all() == [replace(mention(), trace="delivery 0")]


async def test_eight_deliveries_at_once_are_one_job(bench: Bench) -> None:
    queues = [bench.queue, bench.other] * 4
    await asyncio.gather(*(queue.put(mention()) for queue in queues))
    assert await bench.finish_all() == [mention()]


async def test_a_source_can_be_synced_again_as_soon_as_its_sync_began(bench: Bench) -> None:
    await bench.queue.put(SyncJob(source="files"))
    assert await bench.finish_all() == [SyncJob(source="files")]
    await bench.queue.put(SyncJob(source="files"))
    assert await bench.finish_all() == [SyncJob(source="files")]


@pytest.mark.parametrize("odd", ["x" * 5000, "naïve ☃ \n\t 'quoted\" ; --", "\ud83d"])
async def test_odd_ids_are_carried_unchanged(bench: Bench, odd: str) -> None:
    job = mention(ts="1.1", thread=odd, channel=odd[:1000])
    await bench.queue.put(job)
    assert await bench.finish_all() == [job]


async def test_a_queue_out_of_reach_is_a_retryable_error_with_a_sentence(bench: Bench) -> None:
    with pytest.raises(QueueUnavailable) as raised:
        await bench.broken.put(mention())
    assert raised.value.retryable
    assert str(raised.value).endswith(".")
    assert "C1" not in str(raised.value)
