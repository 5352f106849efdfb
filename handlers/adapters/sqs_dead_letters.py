"""The receiving side of the dead-letter queue: what was given up goes back to be handled again.

    receive ─▶ send to the answer queue ── accepted ─▶ delete ─▶ next
                        └── refused ─▶ stays a dead letter; nothing further is moved

A process that dies between sending and deleting leaves the message in both queues. The copy that
is moved later bears the same deduplication id, and after SQS's 5 minutes the claim stops it.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import explain
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import opaque

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH = 10
"""Messages that SQS hands out at once at most."""

WAIT_SECONDS = 1
"""How long SQS looks for messages; without waiting it may overlook some."""


class SqsDeadLetters:
    """Moves messages from one FIFO queue to another, in the order of each group."""

    def __init__(self, dead_letters_url: str, queue_url: str, client: "SQSClient") -> None:
        self._dead_letters_url = dead_letters_url
        self._queue_url = queue_url
        self._client = client

    async def count(self) -> int:
        """Return about how many dead letters there are. Raises QueueUnavailable."""
        found = await _call(
            self._client.get_queue_attributes,
            QueueUrl=self._dead_letters_url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )
        return sum(int(value) for value in found["Attributes"].values())

    async def move(self, limit: int) -> AsyncGenerator[int]:
        """Move ``limit`` dead letters at most; yield after each one how many were moved.

        Closing the generator lets what was received and not moved be seen again at once; so does an
        error. Raises QueueUnavailable.
        """
        moved = seen = 0
        while seen < limit:
            received = await _call(
                self._client.receive_message,
                QueueUrl=self._dead_letters_url,
                MaxNumberOfMessages=min(BATCH, limit - seen),
                WaitTimeSeconds=WAIT_SECONDS,
                MessageSystemAttributeNames=["MessageGroupId"],
            )
            messages = list(received.get("Messages", []))
            if not messages:
                return
            seen += len(messages)
            try:
                while messages:
                    await self._moved(messages[0])
                    messages.pop(0)
                    moved += 1
                    yield moved
            finally:
                await self._shown_again(messages)

    async def _moved(self, message: Mapping[str, Any]) -> None:
        """Send and delete; a cancellation in between waits until both are done."""
        moving = asyncio.ensure_future(self._send_and_delete(message))
        try:
            await asyncio.shield(moving)
        except asyncio.CancelledError:
            with suppress(QueueUnavailable):
                await moving
            raise

    async def _send_and_delete(self, message: Mapping[str, Any]) -> None:
        await _call(
            self._client.send_message,
            QueueUrl=self._queue_url,
            MessageBody=in_a_new_round(message["Body"], message["MessageId"]),
            MessageGroupId=message["Attributes"]["MessageGroupId"],
            # Another than the first time, or SQS might take it for what it has seen already.
            MessageDeduplicationId=opaque(f"redrive:{message['MessageId']}"),
        )
        await _call(
            self._client.delete_message,
            QueueUrl=self._dead_letters_url,
            ReceiptHandle=message["ReceiptHandle"],
        )

    async def _shown_again(self, messages: list[Any]) -> None:
        if not messages:
            return
        entries = [
            {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            for n, message in enumerate(messages)
        ]
        # They appear by themselves after half a minute; this is only a courtesy.
        with suppress(QueueUnavailable):
            await _call(
                self._client.change_message_visibility_batch,
                QueueUrl=self._dead_letters_url,
                Entries=entries,
            )


def in_a_new_round(body: str, name: str) -> str:
    """Return the job with another ``round``; what is no job is left as it is. Pure."""
    try:
        job = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(job, dict) or "round" not in job:
        return body
    return json.dumps({**job, "round": name}, sort_keys=True)


async def _call(operation: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
    try:
        answer: Mapping[str, Any] = await asyncio.to_thread(operation, **arguments)
    except (BotoCoreError, ClientError) as error:
        raise QueueUnavailable(explain(error, "A queue of dead letters or questions")) from error
    return answer
