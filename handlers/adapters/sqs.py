"""The production queue: an SQS FIFO queue."""

import asyncio
import secrets
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import explain
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import Job, encode, opaque

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueue:
    """A JobQueue on the FIFO queue at ``queue_url``. Its receiving side is Lambda.

    SQS drops duplicates for 5 minutes only; what comes later is stopped by the claim of the worker.
    """

    def __init__(self, queue_url: str, client: "SQSClient") -> None:
        self._queue_url = queue_url
        self._client = client

    async def put(self, job: Job) -> None:
        """Return when SQS has stored the job in several places. Raises QueueUnavailable."""
        try:
            await asyncio.to_thread(
                self._client.send_message,
                QueueUrl=self._queue_url,
                MessageBody=encode(job),
                MessageGroupId=opaque(job.group),
                MessageDeduplicationId=opaque(_identity(job)),
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(explain(error, "The queue")) from error


def _identity(job: Job) -> str:
    # A job that nothing remembers may be put again right away, which SQS would drop for 5 minutes.
    # One call keeps its identity through the retries of botocore.
    return job.key if job.dedupe_seconds else f"{job.key}:{secrets.token_hex(8)}"
