"""What `footnote doctor` says of the queue that syncs share, and of what they gave up."""

import uuid
from collections.abc import Iterator

import pytest

from handlers.runtime.doctor.findings import Verdict
from handlers.runtime.doctor.sync_checks import sync_findings
from handlers.runtime.settings import Settings
from tests.doubles.aws import Aws, on_aws, running_aws

OK, SKIPPED, WARNING, FAILED = Verdict
ONCE = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture
def settings(aws: Aws) -> Settings:
    return on_aws(aws)


@pytest.fixture
def outputs(aws: Aws) -> dict[str, str]:
    plain = aws.sqs.create_queue(QueueName=f"s{uuid.uuid4().hex}")["QueueUrl"]
    fifo = ("PrepareQueueUrl", "PrepareDeadLettersUrl", "AnswerDeadLettersUrl")
    return {**{name: aws.new_queue() for name in fifo}, "ScheduleDeadLettersUrl": plain}


async def test_what_waits_is_counted_and_a_stage_in_order_is_ok(
    aws: Aws, settings: Settings, outputs: dict[str, str]
) -> None:
    aws.sqs.send_message(QueueUrl=outputs["PrepareQueueUrl"], MessageBody="{}", **ONCE)
    queue, dead = await sync_findings(settings, outputs)
    assert (queue.verdict, dead.verdict) == (OK, OK)
    assert "1 waiting, 0 being prepared" in queue.found


async def test_what_was_given_up_is_counted_with_its_entries_of_the_runbook(
    aws: Aws, settings: Settings, outputs: dict[str, str]
) -> None:
    for queue in ("PrepareDeadLettersUrl", "AnswerDeadLettersUrl"):
        aws.sqs.send_message(QueueUrl=outputs[queue], MessageBody="{}", **ONCE)
    for _ in range(2):
        aws.sqs.send_message(QueueUrl=outputs["ScheduleDeadLettersUrl"], MessageBody="{}")
    _, dead = await sync_findings(settings, outputs)
    assert dead.verdict is WARNING
    # Questions are another check's.
    assert dead.found == "Given up: 1 portion of a sync, 2 scheduled runs."
    assert "prepare-dead-letters and schedule-dead-letters in infra/RUNBOOK.md" in dead.todo


async def test_queues_that_are_gone_are_said_to_be_and_none_is_no_fault(
    aws: Aws, settings: Settings
) -> None:
    nowhere = f"{aws.endpoint}/123456789012/nowhere.fifo"
    gone = {"PrepareQueueUrl": nowhere, "PrepareDeadLettersUrl": nowhere}
    assert [found.verdict for found in await sync_findings(settings, gone)] == [FAILED, FAILED]
    assert [found.verdict for found in await sync_findings(settings, {})] == [SKIPPED, SKIPPED]
