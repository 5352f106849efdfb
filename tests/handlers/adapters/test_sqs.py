"""SqsQueue: what is on the wire."""

from collections.abc import Iterator

import pytest

from handlers.adapters.sqs import SqsQueue
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import AnswerJob, SyncJob
from tests.doubles.aws import Aws, running_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


def attributes(aws: Aws, url: str) -> list[tuple[str, str]]:
    received = aws.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )
    return [
        (m["Attributes"]["MessageGroupId"], m["Attributes"]["MessageDeduplicationId"])
        for m in received.get("Messages", [])
    ]


async def test_ids_fit_sqs_whatever_a_thread_is_called(aws: Aws) -> None:
    url = aws.new_queue()
    await SqsQueue(url, aws.sqs).put(
        AnswerJob("T", "ü" * 300, "U", "1.1", "1.0 \n", place="channel")
    )
    [(group, dedupe)] = attributes(aws, url)
    for given in (group, dedupe):
        assert given.isalnum()
        assert given.isascii()
        assert len(given) <= 128
    assert group != dedupe


async def test_two_syncs_of_a_source_are_not_taken_for_one(aws: Aws) -> None:
    url = aws.new_queue()
    queue = SqsQueue(url, aws.sqs)
    await queue.put(SyncJob(source="files"))
    await queue.put(SyncJob(source="files"))
    [(first, one), (second, two)] = attributes(aws, url)
    assert first == second
    assert one != two


async def test_a_missing_queue_is_named_by_its_code_with_what_to_do(aws: Aws) -> None:
    queue = SqsQueue(f"{aws.endpoint}/123456789012/nowhere.fifo", aws.sqs)
    with pytest.raises(QueueUnavailable, match=r"NonExistent.*AWS_REGION"):
        await queue.put(SyncJob(source="files"))
