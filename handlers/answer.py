"""DOOR: the worker. SQS hands over answer jobs; each ends as a finished reply in Slack."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from handlers.runtime import tracing, wiring
from handlers.runtime.answering import deployed_answer_worker
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.invoke import Warm, prepare, run
from handlers.runtime.logs import configure
from handlers.runtime.settings import Settings

if TYPE_CHECKING:
    from handlers.adapters.sqs import SqsQueue
    from handlers.answering.worker import AnswerWorker

MARGIN_SECONDS = 5.0
"""Kept free at the end of an invocation, to give back what is not done."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a batch; returns what SQS must deliver again (a partial batch response)."""
    return run(_handle(event, context), context)


async def _handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    # Heavy, and imported already where the container could prepare itself.
    from handlers.runtime.batches import answer_batch
    from handlers.runtime.opening import opened

    queue, records = await _queue.get(), event["Records"]
    opening = _worker.get()
    worker = await (opening if _worker.is_open else opened(opening, queue, records))
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    failed = await answer_batch(worker, queue, records, seconds=seconds)
    if worker.token_refused:
        # The next event reads the parameters again: perhaps there is a new token by then.
        _worker.forget()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


async def _queue_opening(stack: AsyncExitStack) -> SqsQueue:
    # Without the parameter store: what cannot be answered must be given back all the same.
    return wiring.answer_queue(Settings.load())


async def _worker_opening(stack: AsyncExitStack) -> AnswerWorker:
    settings = await deployed_settings()
    configure(settings.log_level)
    tracing.start(settings)
    return await stack.enter_async_context(deployed_answer_worker(settings))


_queue, _worker = Warm(_queue_opening), Warm(_worker_opening)
prepare(_worker)
