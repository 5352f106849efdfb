"""A sync whose documents are prepared by the deployed function, in processes of its own.

SQS, DynamoDB and S3 over HTTP; the real doors, the real embedder, the sample handbook. One worker
dies by SIGKILL with a portion in its hands.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handlers.adapters.aws import make_client
from handlers.runtime.demo import HANDBOOK
from handlers.work.deliveries import PORTION_DELIVERIES
from tests.doubles.aws import Aws, aws_environment, client_options, running_aws
from tests.doubles.queue_feed import fed
from tests.doubles.stored_rows import Rows, stored_rows

ROOT = Path(__file__).parents[2]
BUCKET = "footnote"
PORTION = 5

CONTAINER = """
import json, sys, importlib, types
door = importlib.import_module(sys.argv[1])
context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 240_000)
for line in sys.stdin:
    print("result", json.dumps(door.handler(json.loads(line), context), default=str), flush=True)
"""

pytestmark = pytest.mark.timeout(300)


class Died(Exception):
    """The process of a function ended while it had an event."""


class Container:
    """A process that runs a door, one event after the other."""

    def __init__(self, door: str, environment: Mapping[str, str]) -> None:
        self._door, self._environment = door, environment
        self._process: asyncio.subprocess.Process | None = None
        self.begun = asyncio.Event()
        self.starts = 0

    async def invoke(self, event: Any) -> Any:
        if self._process is None:
            self.starts += 1
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", CONTAINER, f"handlers.{self._door}"),
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], **self._environment},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        process = self._process
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(event).encode() + b"\n")
        self.begun.set()
        while line := await process.stdout.readline():
            if line.startswith(b"result "):
                return json.loads(line.removeprefix(b"result "))
        await process.wait()
        self._process = None
        raise Died

    def kill(self) -> None:
        assert self._process
        self._process.kill()

    async def close(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as started:
        client = make_client("s3", client_options(started.endpoint))
        client.create_bucket(Bucket=BUCKET)
        client.close()
        yield started


@asynccontextmanager
async def working(
    aws: Aws, queue: str, environment: Mapping[str, str], count: int
) -> AsyncIterator[list[Container]]:
    """Run so many containers of prepare, each begun anew when it died."""
    containers = [Container("prepare", environment) for _ in range(count)]

    async def work(container: Container) -> None:
        async def invoke(records: Sequence[dict[str, Any]]) -> Sequence[str]:
            try:
                answer = await container.invoke({"Records": list(records)})
            except Died:
                return [record["messageId"] for record in records]
            return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]

        await fed(aws, queue, invoke)

    tasks = [asyncio.create_task(work(container)) for container in containers]
    try:
        yield containers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for container in containers:
            await container.close()


async def ingested(environment: Mapping[str, str]) -> Any:
    container = Container("ingest", environment)
    try:
        return await container.invoke({})
    finally:
        await container.close()


async def rows_of(aws: Aws, prefix: str) -> tuple[Rows, np.ndarray[Any, Any]]:
    """Return the rows of an index without their vectors, and the vectors."""
    options = {
        "endpoint": aws.endpoint,
        "region": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "allow_http": "true",
    }
    rows = await stored_rows(f"s3://{BUCKET}/{prefix}", options)
    vectors = np.array([row.pop("vector") for row in rows], dtype=np.float32)
    return rows, vectors


async def test_a_worker_that_is_killed_is_replaced_and_the_index_is_that_of_a_plain_sync(
    aws: Aws, environment: dict[str, str]
) -> None:
    queue, dead = aws.new_queue_with_dead_letters(PORTION_DELIVERIES)
    alone = {
        **environment,
        **aws_environment(aws.endpoint),
        "FOOTNOTE_QUEUE_URL": aws.new_queue(),
        "FOOTNOTE_STATE_TABLE": aws.new_table(),
        "FOOTNOTE_DOCS": str(HANDBOOK),
        "FOOTNOTE_INDEX": f"s3://{BUCKET}/alone/index",
    }
    shared = alone | {
        "FOOTNOTE_INDEX": f"s3://{BUCKET}/shared/index",
        "FOOTNOTE_PREPARE_QUEUE_URL": queue,
        "FOOTNOTE_PORTION": str(PORTION),
    }
    async with working(aws, queue, shared, 2) as containers:
        running = asyncio.create_task(ingested(shared))
        await containers[0].begun.wait()
        containers[0].kill()
        report = await running
    assert report["complete"], report
    plain = await ingested(alone)
    counts = ("added", "changed", "removed", "unchanged", "chunks_embedded", "skipped")
    (by_others,), (by_one,) = report["sources"], plain["sources"]
    assert [by_others[name] for name in counts] == [by_one[name] for name in counts]
    assert by_others["added"] > 2 * PORTION
    assert containers[0].starts > 1
    (rows, vectors), (expected, exact) = (
        await rows_of(aws, "shared/index"),
        await rows_of(aws, "alone/index"),
    )
    assert rows == expected
    # Texts of other lengths were embedded together, which rounds some last bits otherwise.
    assert (vectors * exact).sum(axis=1).min() > 0.999
    client = make_client("s3", client_options(aws.endpoint))
    left = client.list_objects_v2(Bucket=BUCKET, Prefix="shared/staged/")
    client.close()
    assert left["KeyCount"] == 0
    assert aws.lambda_records(dead) == []
