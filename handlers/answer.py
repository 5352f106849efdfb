"""DOOR: the worker. SQS hands over answer jobs; each ends as a finished reply in Slack."""

from contextlib import AsyncExitStack
from typing import Any

from handlers.adapters.sqs import SqsQueue
from handlers.answering.worker import AnswerWorker
from handlers.runtime import tracing
from handlers.runtime.batches import answer_batch
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.invoke import Warm, prepare, run
from handlers.runtime.logs import configure
from handlers.runtime.metrics import Metrics
from handlers.runtime.opening import opened
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import answer_queue, answer_worker, slack_client, state_store

MARGIN_SECONDS = 5.0
"""Kept free at the end of an invocation, to give back what is not done."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a batch; returns what SQS must deliver again (a partial batch response)."""
    return run(_handle(event, context), context)


async def _handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
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
    return answer_queue(Settings.load())


async def _worker_opening(stack: AsyncExitStack) -> AnswerWorker:
    settings = await deployed_settings()
    configure(settings.log_level)
    tracing.start(settings)
    opening = answer_worker(
        settings,
        slack_client(settings),
        state_store(settings),
        observer=Metrics(settings.stage).observe_answer,
    )
    return await stack.enter_async_context(opening)


_queue, _worker = Warm(_queue_opening), Warm(_worker_opening)
prepare(_worker)
