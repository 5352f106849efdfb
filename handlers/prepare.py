"""DOOR: the worker of a large sync. SQS hands over portions of documents to fetch, read and embed.

What is made of them is staged beside the index; the door ingest, which asked for it, commits it.
"""

from contextlib import AsyncExitStack
from typing import Any

from handlers.adapters.sqs import SqsQueue
from handlers.runtime import tracing
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.fanning_out import preparer
from handlers.runtime.invoke import Warm, prepare, run
from handlers.runtime.logs import configure
from handlers.runtime.opening import opened
from handlers.runtime.preparing import Preparer, prepare_batch
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import prepare_queue

MARGIN_SECONDS = 30.0
"""Kept free at the end of an invocation: a batch is being embedded, a result is written."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Prepare a batch; returns what SQS must deliver again (a partial batch response)."""
    return run(_handle(event, context), context)


async def _handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    queue, records = await _queue.get(), event["Records"]
    worker = await opened(_preparer.get(), queue, records)
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    failed = await prepare_batch(worker, queue, records, seconds=seconds)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


async def _queue_opening(stack: AsyncExitStack) -> SqsQueue:
    # Without the parameter store: what cannot be prepared must be given back all the same.
    return prepare_queue(Settings.load())


async def _preparer_opening(stack: AsyncExitStack) -> Preparer:
    settings = await deployed_settings()
    configure(settings.log_level)
    tracing.start(settings)
    return await stack.enter_async_context(preparer(settings))


_queue, _preparer = Warm(_queue_opening), Warm(_preparer_opening)
prepare(_preparer)
