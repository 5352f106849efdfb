"""What Lambda does between a queue and a function: receive, invoke, and delete what is done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.doubles.aws import Aws

Invoke = Callable[[Sequence[dict[str, Any]]], Awaitable[Sequence[str]]]
"""Given the records of an event, returns the ids of the messages that failed."""


async def fed(aws: Aws, queue: str, invoke: Invoke, *, batch: int = 1) -> None:
    """Feed one container of a function until it is cancelled."""
    while True:
        records = await asyncio.to_thread(aws.lambda_records, queue, batch)
        if not records:
            await asyncio.sleep(0.05)
            continue
        failed = await invoke(records)
        for record in records:
            if record["messageId"] not in failed:
                await asyncio.to_thread(
                    aws.sqs.delete_message, QueueUrl=queue, ReceiptHandle=record["receiptHandle"]
                )
