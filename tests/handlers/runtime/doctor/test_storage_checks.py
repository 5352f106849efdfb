"""What `footnote doctor` says of index, bucket, queue and table, on real servers."""

import asyncio
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from handlers.adapters.s3_probe import PROBES
from handlers.runtime import wiring
from handlers.runtime.doctor import index_checks, work_checks
from handlers.runtime.doctor.findings import Finding, Verdict
from handlers.runtime.settings import Settings
from handlers.work.deliveries import DELIVERIES
from handlers.work.jobs import AnswerJob
from handlers.work.syncs import note_sync
from index.lance import LanceIndex
from index.weights import PUBLISHED_DIMENSIONS, PUBLISHED_NAME
from tests.doubles.aws import Aws, client_options, on_aws, running_aws
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.limited_storage import limited

OK, SKIPPED, WARNING, FAILED = Verdict


class PublishedHashes(HashingEmbedder):
    """Hashes under the name of the built-in embedder, so that nothing large is loaded."""

    name = PUBLISHED_NAME

    def __init__(self) -> None:
        super().__init__(PUBLISHED_DIMENSIONS)


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture
def bucket(aws: Aws) -> str:
    name = f"bucket-{uuid.uuid4().hex}"
    s3 = boto3.client("s3", **client_options(aws.endpoint))
    s3.create_bucket(Bucket=name)
    s3.close()
    return name


def laptop(home: Path) -> Settings:
    return Settings.load({"FOOTNOTE_HOME": str(home)})


def verdicts(findings: list[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def keys(aws: Aws, bucket: str) -> list[str]:
    s3 = boto3.client("s3", **client_options(aws.endpoint))
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    s3.close()
    return [entry["Key"] for entry in listed]


async def filled(address: str, embedder: HashingEmbedder) -> None:
    index = LanceIndex(address, embedder=embedder.name, dimensions=embedder.dimensions)
    await index.stage([entry(embedder, "a.md", "Tea at four.", "Cake at five.")])
    await index.commit()
    await index.close()


def search_files_removed(index: Path) -> int:
    folders = list(index.glob("*.lance/_indices"))
    for folder in folders:
        shutil.rmtree(folder)
    return len(folders)


async def test_an_index_that_is_not_there_says_what_to_run(tmp_path: Path) -> None:
    [found] = await index_checks.index_findings(laptop(tmp_path))
    assert found.verdict is FAILED
    assert "footnote sync" in found.todo


async def test_a_good_index_is_counted_and_its_age_told(tmp_path: Path) -> None:
    settings = laptop(tmp_path)
    await filled(settings.index, PublishedHashes())
    [found] = await index_checks.index_findings(settings)
    assert found.verdict is OK
    assert "1 document in 2 passages; last changed" in found.found
    async with wiring.opened_store(settings) as store:
        await note_sync(store, settings.index, time.time() - 7200)
    [found] = await index_checks.index_findings(settings)
    assert (found.verdict, "in step 2 hours ago" in found.found) == (OK, True)
    later = await index_checks.index_findings(settings, clock=lambda: time.time() + 7 * 86400)
    assert verdicts(later) == [WARNING]


async def test_an_index_of_another_embedder_is_failed(tmp_path: Path) -> None:
    settings = laptop(tmp_path)
    await filled(settings.index, HashingEmbedder())
    [found] = await index_checks.index_findings(settings)
    assert found.verdict is FAILED
    assert PUBLISHED_NAME in found.found


async def test_an_index_whose_keyword_files_are_gone_is_failed(tmp_path: Path) -> None:
    settings = laptop(tmp_path)
    await filled(settings.index, PublishedHashes())
    # Counting does not read them; questions do.
    removed = await asyncio.to_thread(search_files_removed, Path(settings.index))
    assert removed == 1
    [found] = await index_checks.index_findings(settings)
    assert found.verdict is FAILED
    assert "was not found" in found.found
    assert "sync anew" in found.found


async def test_a_bucket_with_all_rights_is_good_and_nothing_is_left_in_it(
    aws: Aws, bucket: str
) -> None:
    settings = on_aws(aws, FOOTNOTE_INDEX=f"s3://{bucket}/index")
    assert verdicts(await index_checks.place_findings(settings)) == [OK]
    assert keys(aws, bucket) == []


async def test_a_bucket_that_writes_over_what_is_there_is_failed(aws: Aws, bucket: str) -> None:
    settings = on_aws(aws, FOOTNOTE_INDEX=f"s3://{bucket}")
    async with limited(aws.endpoint, forget={"if-none-match"}) as endpoint:
        [found] = await index_checks.place_findings(settings.replaced(aws_endpoint_url=endpoint))
    assert found.verdict is FAILED
    assert "If-None-Match" in found.found
    assert keys(aws, bucket) == []


@pytest.mark.parametrize(
    ("method", "right"), [("PUT", "s3:PutObject"), ("DELETE", "s3:DeleteObject")]
)
async def test_a_missing_right_is_named(aws: Aws, bucket: str, method: str, right: str) -> None:
    settings = on_aws(aws, FOOTNOTE_INDEX=f"s3://{bucket}/index")
    async with limited(aws.endpoint, refuse={method}) as endpoint:
        [found] = await index_checks.place_findings(settings.replaced(aws_endpoint_url=endpoint))
    assert found.verdict is FAILED
    assert f"{right} (AccessDenied)" in found.found
    # What could not be cleaned up is named, so that somebody can.
    left = keys(aws, bucket)
    assert all(key.startswith(f"index/{PROBES}/") and key in found.found for key in left)
    assert bool(left) == (method == "DELETE")


async def test_reading_and_listing_are_told_apart_from_writing(aws: Aws, bucket: str) -> None:
    settings = on_aws(aws, FOOTNOTE_INDEX=f"s3://{bucket}/index")
    async with limited(aws.endpoint, refuse={"GET"}) as endpoint:
        [found] = await index_checks.place_findings(settings.replaced(aws_endpoint_url=endpoint))
    assert "s3:ListBucket" in found.found
    assert "s3:GetObject" in found.found
    assert "s3:PutObject" not in found.found


async def test_a_bucket_that_is_not_there_is_said_to_be_missing(aws: Aws) -> None:
    settings = on_aws(aws, FOOTNOTE_INDEX="s3://no-such-bucket-here/index")
    [found] = await index_checks.place_findings(settings)
    assert found.verdict is FAILED
    assert "NoSuchBucket" in found.found


async def test_a_queue_that_nobody_used_is_no_fault(tmp_path: Path) -> None:
    assert verdicts(await work_checks.queue_findings(laptop(tmp_path))) == [SKIPPED, SKIPPED]
    assert not (tmp_path / "state.sqlite").exists()


async def test_the_laptops_queue_and_its_dead_letters_are_counted(tmp_path: Path) -> None:
    settings = laptop(tmp_path)
    queue = wiring.laptop_queue(settings)
    await queue.put(AnswerJob("T", "C", "U", "1.1", "1.1", place="channel"))
    for _ in range(DELIVERIES):
        delivery = await queue.receive()
        assert delivery is not None
        await delivery.release()
    assert await queue.receive() is None
    await queue.put(AnswerJob("T", "C", "U", "2.1", "2.1", place="channel"))
    await queue.close()
    waiting, dead = await work_checks.queue_findings(settings)
    assert (waiting.verdict, dead.verdict) == (OK, WARNING)
    assert "1 waiting" in waiting.found
    assert "1 question" in dead.found
    assert "redrive" in dead.todo


def new_queue(aws: Aws, name: str, **attributes: str) -> str:
    created = aws.sqs.create_queue(QueueName=name, Attributes=attributes)
    return created["QueueUrl"]


async def test_queues_on_sqs_are_counted_and_their_set_up_judged(aws: Aws) -> None:
    dead = new_queue(aws, f"d{uuid.uuid4().hex}.fifo", FifoQueue="true")
    arn = aws.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    policy = f'{{"deadLetterTargetArn": "{arn["QueueArn"]}", "maxReceiveCount": %d}}'
    good = new_queue(
        aws, f"q{uuid.uuid4().hex}.fifo", FifoQueue="true", RedrivePolicy=policy % DELIVERIES
    )
    hasty = new_queue(aws, f"q{uuid.uuid4().hex}.fifo", FifoQueue="true", RedrivePolicy=policy % 2)
    plain = new_queue(aws, f"q{uuid.uuid4().hex}")

    def looking_at(url: str) -> Settings:
        return on_aws(
            aws,
            FOOTNOTE_QUEUE_URL=url,
            FOOTNOTE_DEAD_LETTERS_URL=dead,
            FOOTNOTE_STATE_TABLE="any",
        )

    assert verdicts(await work_checks.queue_findings(looking_at(good))) == [OK, OK]
    for url in (good, dead):
        aws.sqs.send_message(
            QueueUrl=url, MessageBody="{}", MessageGroupId="g", MessageDeduplicationId="d"
        )
    waiting, given_up = await work_checks.queue_findings(looking_at(good))
    assert "1 waiting" in waiting.found
    assert given_up.verdict is WARNING
    assert verdicts(await work_checks.queue_findings(looking_at(hasty)))[0] is WARNING
    assert verdicts(await work_checks.queue_findings(looking_at(plain)))[0] is FAILED
    gone = looking_at(f"{aws.endpoint}/123456789012/nowhere.fifo")
    assert verdicts(await work_checks.queue_findings(gone)) == [FAILED, SKIPPED]


async def test_the_state_store_is_tried_out_and_left_as_it_was(aws: Aws, tmp_path: Path) -> None:
    table = aws.new_table()
    settings = on_aws(
        aws, FOOTNOTE_STATE_TABLE=table, FOOTNOTE_QUEUE_URL="http://127.0.0.1:9/q.fifo"
    )
    assert verdicts(await work_checks.store_findings(settings)) == [OK]
    assert aws.dynamodb.scan(TableName=table)["Count"] == 0
    assert verdicts(await work_checks.store_findings(laptop(tmp_path))) == [OK]


async def test_a_table_that_is_not_there_is_failed(aws: Aws, tmp_path: Path) -> None:
    settings = on_aws(
        aws, FOOTNOTE_STATE_TABLE="nowhere", FOOTNOTE_QUEUE_URL="http://127.0.0.1:9/q.fifo"
    )
    assert verdicts(await work_checks.store_findings(settings)) == [FAILED]
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    assert verdicts(await work_checks.store_findings(laptop(in_the_way / "home"))) == [FAILED]
