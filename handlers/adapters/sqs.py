"""The production queue: an SQS FIFO queue."""

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import code_of, explain
from handlers.work.deliveries import LEASE_SECONDS
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import Job, decode, encode, opaque

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_HIDDEN = 12 * 3600
"""Seconds for which SQS can hide a message at most."""

_LOST = ("ReceiptHandleIsInvalid", "MessageNotInflight")


class SqsQueue:
    """A JobQueue on the FIFO queue at ``queue_url``. Its receiving side is Lambda.

    SQS drops duplicates for 5 minutes only; what comes later is stopped by the claim of the worker.
    """

    def __init__(self, queue_url: str, client: "SQSClient") -> None:
        self._queue_url = queue_url
        self._client = client

    async def put(self, job: Job) -> None:
        """Return when SQS has stored the job in several places. Raises QueueUnavailable."""
        await _call(
            self._client.send_message,
            QueueUrl=self._queue_url,
            MessageBody=encode(job),
            MessageGroupId=opaque(job.group),
            MessageDeduplicationId=opaque(_identity(job)),
        )

    def delivered(self, record: Mapping[str, Any]) -> "SqsDelivery":
        """Return the delivery in a record of Lambda's SQS event. Raises BadJob."""

        async def hold(seconds: float) -> bool:
            return await self.hide(record, seconds)

        attempts = int(record["attributes"]["ApproximateReceiveCount"])
        return SqsDelivery(decode(record["body"]), attempts, hold)

    async def hide(self, record: Mapping[str, Any], seconds: float) -> bool:
        """Hide a received message for ``seconds`` from now; False when it is in other hands.

        Raises QueueUnavailable.
        """
        try:
            await _call(
                self._client.change_message_visibility,
                QueueUrl=self._queue_url,
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=min(math.ceil(max(0.0, seconds)), LONGEST_HIDDEN),
            )
        except _Lost:
            return False
        return True


class SqsDelivery:
    """A message that Lambda was given: Lambda deletes it when the invocation reports no failure.

    The queue hides it for six times the time of the function, as AWS wants it. Whoever works on it
    hides it for a lease at a time instead, so that it comes back soon after its worker was killed.
    SQS counts every delivery, so an attempt cannot be given back.
    """

    def __init__(self, job: Job, attempts: int, hold: Callable[[float], Awaitable[bool]]) -> None:
        self.job = job
        self.attempts = attempts
        self._hold = hold
        self._one_at_a_time = asyncio.Lock()
        self._released = False

    async def extend(self) -> bool:
        """Hide the message for ``LEASE_SECONDS`` from now; False once it was released.

        Raises QueueUnavailable.
        """

        async def locked() -> bool:
            async with self._one_at_a_time:
                return not self._released and await self._hold(LEASE_SECONDS)

        # Shielded: a call under way cannot be called back, and must not land after the release.
        return await asyncio.shield(locked())

    async def done(self) -> bool:
        """Leave the deleting to Lambda."""
        return True

    async def release(self, delay: float = 0.0, *, tried: bool = True) -> bool:
        """Let the message appear again after ``delay`` seconds. Raises QueueUnavailable."""
        self._released = True
        async with self._one_at_a_time:
            return await self._hold(delay)


async def _call(operation: Callable[..., Any], **arguments: Any) -> None:
    try:
        await asyncio.to_thread(operation, **arguments)
    except (BotoCoreError, ClientError) as error:
        kind = _Lost if code_of(error).endswith(_LOST) else QueueUnavailable
        raise kind(explain(error, "The queue")) from error


class _Lost(QueueUnavailable):
    """The receipt is no longer good: the message is gone, or in other hands."""


def _identity(job: Job) -> str:
    # A job that nothing remembers may be put again right away, which SQS would drop for 5 minutes.
    # One call keeps its identity through the retries of botocore.
    return job.key if job.dedupe_seconds else f"{job.key}:{secrets.token_hex(8)}"
