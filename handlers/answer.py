"""DOOR: the worker. SQS hands over answer jobs; each ends as a finished reply in Slack."""

from contextlib import AsyncExitStack
from typing import Any

from handlers.adapters.sqs import SqsQueue
from handlers.answering.worker import AnswerWorker
from handlers.runtime.batches import answer_batch
from handlers.runtime.invoke import run
from handlers.runtime.logs import configure
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import answer_queue, answer_worker, slack_client, state_store

MARGIN_SECONDS = 5.0
"""Kept free at the end of an invocation, to give back what is not done."""

_opened: tuple[AnswerWorker, SqsQueue] | None = None
_open = AsyncExitStack()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a batch; returns what SQS must deliver again (a partial batch response)."""
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    return run(_handle(event, seconds))


async def _handle(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    global _opened
    if _opened is None:
        settings = Settings.load()
        configure(settings.log_level)
        # Never closed: it lives as long as the container.
        opening = answer_worker(settings, slack_client(settings), state_store(settings))
        _opened = await _open.enter_async_context(opening), answer_queue(settings)
    failed = await answer_batch(*_opened, event["Records"], seconds=seconds)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
