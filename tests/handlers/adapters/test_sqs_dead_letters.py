"""SqsDeadLetters: what is moved, in which order, and what a sudden end leaves behind."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import aclosing, suppress

import pytest

from handlers.adapters.sqs_dead_letters import SqsDeadLetters
from handlers.work.errors import QueueUnavailable
from tests.doubles.aws import Aws, running_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


class Pair:
    """A queue of dead letters and the queue that they came from."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.answers = aws.new_queue()
        created = aws.sqs.create_queue(
            QueueName=f"d{uuid.uuid4().hex}.fifo",
            Attributes={"FifoQueue": "true", "VisibilityTimeout": "60"},
        )
        self.dead = created["QueueUrl"]
        self.letters = SqsDeadLetters(self.dead, self.answers, aws.sqs)

    def bury(self, body: str, group: str = "g") -> None:
        self.aws.sqs.send_message(
            QueueUrl=self.dead,
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=f"first-{body[:50]}",
        )

    def came_back(self) -> list[tuple[str, str]]:
        """Take everything off the answer queue: bodies and groups, in order."""
        found = []
        for record in self.aws.lambda_records(self.answers):
            found.append((record["body"], record["attributes"]["MessageGroupId"]))
            self.aws.sqs.delete_message(
                QueueUrl=self.answers, ReceiptHandle=record["receiptHandle"]
            )
        return found

    async def moved(self, limit: int) -> int:
        return max([n async for n in self.letters.move(limit)], default=0)


@pytest.fixture
def pair(aws: Aws) -> Pair:
    return Pair(aws)


async def test_a_letter_that_is_no_job_is_moved_as_it_is_and_holds_up_no_other(pair: Pair) -> None:
    bodies = ["[" * 20_000, "no json", '{"kind": 1}']
    for body in bodies:
        pair.bury(body)
    assert await pair.moved(3) == 3
    assert [body for body, _ in pair.came_back()] == bodies


async def test_every_letter_is_moved_once_in_the_order_of_its_thread(pair: Pair) -> None:
    for number in range(3):
        pair.bury(f"a{number}", "a")
        pair.bury(f"b{number}", "b")
    assert await pair.letters.count() == 6
    assert await pair.moved(6) == 6
    back = pair.came_back()
    assert [body for body, group in back if group == "a"] == ["a0", "a1", "a2"]
    assert [body for body, group in back if group == "b"] == ["b0", "b1", "b2"]
    assert await pair.letters.count() == 0


async def test_a_letter_that_the_queue_saw_a_moment_ago_is_taken_again(pair: Pair) -> None:
    pair.aws.sqs.send_message(
        QueueUrl=pair.answers,
        MessageBody="a",
        MessageGroupId="g",
        MessageDeduplicationId="first-a",
    )
    pair.bury("a")
    assert await pair.moved(1) == 1
    assert pair.came_back() == [("a", "g"), ("a", "g")]


async def test_no_more_is_moved_than_there_was_at_the_start(pair: Pair) -> None:
    for number in range(12):
        pair.bury(str(number))
    assert await pair.moved(11) == 11
    assert await pair.letters.count() == 1


async def test_an_empty_queue_is_no_error(pair: Pair) -> None:
    assert await pair.moved(5) == 0


async def test_what_the_queue_does_not_take_stays_a_dead_letter(pair: Pair) -> None:
    nowhere = f"{pair.aws.endpoint}/123456789012/nowhere.fifo"
    letters = SqsDeadLetters(pair.dead, nowhere, pair.aws.sqs)
    pair.bury("a")
    pair.bury("b")
    with pytest.raises(QueueUnavailable):
        async for _ in letters.move(2):
            pass
    # Not after the 60 seconds of its queue, but at once.
    assert await pair.moved(2) == 2
    assert [body for body, _ in pair.came_back()] == ["a", "b"]


async def test_stopping_in_the_middle_loses_nothing_and_moves_nothing_twice(pair: Pair) -> None:
    for number in range(4):
        pair.bury(str(number))
    async with aclosing(pair.letters.move(4)) as moving:
        assert await anext(moving) == 1
    assert await pair.moved(4) == 3
    assert [body for body, _ in pair.came_back()] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.03, 0.06])
async def test_a_cancellation_loses_nothing_and_moves_nothing_twice(
    pair: Pair, seconds: float
) -> None:
    async def move() -> None:
        async for _ in pair.letters.move(4):
            pass

    for number in range(4):
        pair.bury(str(number))
    task = asyncio.create_task(move())
    await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    # Each was moved or was not; never both, never neither.
    back = [body for body, _ in pair.came_back()]
    assert back == ["0", "1", "2", "3"][: len(back)]
    assert len(back) + await pair.letters.count() == 4


async def test_a_letter_that_was_sent_and_not_deleted_is_taken_for_a_duplicate(pair: Pair) -> None:
    pair.bury("a")
    received = pair.aws.sqs.receive_message(
        QueueUrl=pair.dead, MessageSystemAttributeNames=["MessageGroupId"]
    )
    [message] = received["Messages"]
    # As two operators do, or one whose first command died between sending and deleting.
    for _ in range(2):
        await pair.letters._send_and_delete(message)
    assert pair.came_back() == [("a", "g")]
