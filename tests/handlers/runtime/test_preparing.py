"""The function prepare behind a real queue: portions are done side by side, once, and told of."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from handlers.adapters.aws import make_client
from handlers.adapters.s3_staging import S3Staging
from handlers.adapters.sqs import SqsQueue
from handlers.runtime.preparing import GIVEN_UP, Preparer, prepare_batch
from handlers.work.deliveries import LEASE_SECONDS, PORTION_DELIVERIES
from handlers.work.jobs import PrepareJob
from index.documents import DocumentRef, RawDocument
from index.errors import DocumentsMissing
from index.fan_out import FanOut, keep_only
from index.lance import LanceIndex
from index.staging import FolderStaging, Staging, beside
from index.sync import SyncReport, sync
from tests.doubles.aws import Aws, client_options, running_aws
from tests.doubles.hashing_embedder import CountingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser
from tests.doubles.object_storage import (
    ACCESS_KEY,
    SECRET_KEY,
    ObjectStorage,
    running_object_storage,
)
from tests.doubles.queue_feed import fed
from tests.doubles.stored_rows import stored_rows


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as running:
        yield running


class Deployment:
    """A queue with dead letters, a place for index and results, and as many workers as wanted."""

    def __init__(self, aws: Aws, uri: str, staging: Staging, options: dict[str, str]) -> None:
        self.aws, self.uri, self.staging, self.options = aws, uri, staging, options
        self.url, self.dead = aws.new_queue_with_dead_letters(PORTION_DELIVERIES)
        self.queue = SqsQueue(self.url, aws.sqs)
        self.source = MemorySource({f"p{number:03}.txt": page(number) for number in range(60)})
        self.parser = TextParser()
        self.embedder = CountingEmbedder()
        self.most_at_once = self.busy = 0
        self.records: list[dict[str, Any]] = []
        self.declared: Callable[[], Sequence[MemorySource]] = lambda: [self.source]

    def index(self) -> LanceIndex:
        return LanceIndex(
            self.uri,
            embedder=self.embedder.name,
            dimensions=self.embedder.dimensions,
            storage_options=self.options,
        )

    @asynccontextmanager
    async def working(self, workers: int) -> AsyncIterator[None]:
        async def work() -> None:
            index = self.index()
            preparer = Preparer(self.declared, self.parser, self.embedder, index, self.staging)

            async def invoke(records: Sequence[dict[str, Any]]) -> Sequence[str]:
                self.busy += 1
                self.most_at_once = max(self.busy, self.most_at_once)
                self.records += records
                try:
                    return await prepare_batch(preparer, self.queue, records, seconds=30.0)
                finally:
                    self.busy -= 1

            try:
                await fed(self.aws, self.url, invoke)
            finally:
                await index.close()

        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended

    def fan_out(self, index: LanceIndex, stalled_after: float = 60.0) -> FanOut:
        async def ask(source: str, portion: str) -> None:
            await self.queue.put(PrepareJob(source, portion))

        return FanOut(
            staging=self.staging,
            ask=ask,
            remembered=index.remembered,
            may_write=index.ask,
            most=10,
            look_every=0.05,
            stalled_after=stalled_after,
        )

    async def sync(self, *, stalled_after: float = 60.0) -> SyncReport:
        index = self.index()
        by = self.fan_out(index, stalled_after)
        try:
            return await sync(self.source, self.parser, self.embedder, index, fan_out=by)
        finally:
            await index.close()

    def waiting(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)  # type: ignore[arg-type]
        return sum(map(int, asked["Attributes"].values()))


def page(number: int) -> str:
    return f"Title {number}\n\n" + "\n\n".join(
        f"Page {number} line {line} " + "word " * 40 for line in range(3)
    )


@pytest.fixture
def deployment(aws: Aws, tmp_path: Path) -> Deployment:
    uri = str(tmp_path / "index")
    return Deployment(aws, uri, FolderStaging(Path(beside(uri))), {})


@pytest.fixture
def on_s3(aws: Aws, storage: ObjectStorage) -> Iterator[Deployment]:
    uri = f"{storage.new_uri()}/index"
    options = client_options(storage.endpoint) | {
        "aws_access_key_id": ACCESS_KEY,
        "aws_secret_access_key": SECRET_KEY,
    }
    client = make_client("s3", options)
    yield Deployment(aws, uri, S3Staging(beside(uri), client), storage.storage_options)
    client.close()


@pytest.mark.parametrize("place", ["deployment", "on_s3"])
async def test_workers_behind_a_queue_make_the_index_that_one_process_would(
    place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    one: Deployment = request.getfixturevalue(place)
    async with one.working(4):
        assert (await one.sync()).added == 60
        for number in range(30):
            one.source.pages[f"p{number:03}.txt"] = page(number + 500)
        report = await one.sync()
        assert (report.changed, report.unchanged, report.removed) == (30, 30, 0)
    assert one.most_at_once > 1
    assert max(one.embedder.texts.values()) == 1
    alone = LanceIndex(
        str(tmp_path / "alone"), embedder=one.embedder.name, dimensions=one.embedder.dimensions
    )
    await sync(one.source, one.parser, CountingEmbedder(), alone)
    await alone.close()
    rows = await stored_rows(one.uri, one.options)
    assert rows == await stored_rows(str(tmp_path / "alone"))
    assert list(await one.staging.names()) == []
    assert (one.waiting(one.url), one.waiting(one.dead)) == (0, 0)


async def test_a_job_names_a_portion_and_holds_no_text(deployment: Deployment) -> None:
    deployment.source.pages["a secret name.txt"] = "A secret title\n\nand secret words"
    async with deployment.working(1):
        await deployment.sync()
    bodies = [record["body"] for record in deployment.records]
    assert len(bodies) > 3
    assert "secret" not in " ".join(bodies)


async def test_a_source_that_is_out_of_order_is_told_in_its_own_words_and_is_no_dead_letter(
    deployment: Deployment,
) -> None:
    class Broken(MemorySource):
        broken_now = True

        async def fetch(self, ref: DocumentRef) -> RawDocument:
            self.broken = self.broken_now
            return await super().fetch(ref)

    deployment.source = Broken(deployment.source.pages)
    async with hurried(deployment).working(4):
        with pytest.raises(DocumentsMissing, match="The memory is out of order"):
            await deployment.sync()
    assert (deployment.waiting(deployment.url), deployment.waiting(deployment.dead)) == (0, 0)
    deployment.source.broken = Broken.broken_now = False
    async with deployment.working(2):
        assert (await deployment.sync()).added == 60


async def test_an_error_that_nobody_foresaw_ends_among_the_dead_letters_and_is_reported(
    deployment: Deployment,
) -> None:
    class Crashing(MemorySource):
        crashes = True

        async def fetch(self, ref: DocumentRef) -> RawDocument:
            if self.crashes and ref.location == "p007.txt":
                raise ZeroDivisionError
            return await super().fetch(ref)

    source = deployment.source = Crashing(deployment.source.pages)
    async with hurried(deployment).working(4):
        with pytest.raises(DocumentsMissing, match="prepare-dead-letters") as told:
            await deployment.sync()
        assert GIVEN_UP in str(told.value)
        missing = int(str(told.value).partition(" ")[0])
        assert 1 <= missing <= 10
        await until(lambda: deployment.waiting(deployment.dead) == 1)
    assert deployment.waiting(deployment.url) == 0
    assert list(await deployment.staging.names()) == []
    source.crashes = False
    async with deployment.working(2):
        assert (await deployment.sync()).added == missing


async def test_a_message_that_no_version_wrote_is_set_aside_and_holds_nobody_up(
    deployment: Deployment,
) -> None:
    deployment.aws.sqs.send_message(
        QueueUrl=deployment.url,
        MessageBody="{}",
        MessageGroupId="another",
        MessageDeduplicationId="1",
    )
    async with hurried(deployment).working(2):
        assert (await deployment.sync()).added == 60
        await until(lambda: deployment.waiting(deployment.dead) == 1)


async def test_a_portion_of_a_source_that_is_not_declared_any_more_is_dropped(
    deployment: Deployment,
) -> None:
    deployment.declared = list
    async with deployment.working(2):
        with pytest.raises(DocumentsMissing):
            await deployment.sync(stalled_after=1.0)
        await until(lambda: deployment.waiting(deployment.url) == 0)
    assert len(await deployment.staging.names()) > 3
    index = deployment.index()
    await keep_only(deployment.fan_out(index), ["another"])
    await index.close()
    assert list(await deployment.staging.names()) == []


def hurried(deployment: Deployment) -> Deployment:
    """Return it with a queue that does not wait before it shows a failed message again."""

    class Hurried(SqsQueue):
        async def hide(self, record: Any, seconds: float) -> bool:
            is_lease = seconds == LEASE_SECONDS and record["body"] != "{}"
            return await super().hide(record, seconds if is_lease else 0.0)

    deployment.queue = Hurried(deployment.url, deployment.aws.sqs)
    return deployment


async def until(look: Callable[[], bool]) -> None:
    for _ in range(400):
        if await asyncio.to_thread(look):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError
