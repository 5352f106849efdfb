"""DOOR: the worker. SQS hands over answer jobs; each ends as a finished reply in Slack."""

import logging
from contextlib import AsyncExitStack
from typing import Any

from handlers.answering.worker import AnswerWorker, Later
from handlers.runtime.invoke import run
from handlers.runtime.logs import configure
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import TRIES, answer_worker, slack_client, state_store
from handlers.work.errors import BadJob
from handlers.work.jobs import AnswerJob, decode

log = logging.getLogger(__name__)

_worker: AnswerWorker | None = None
_open = AsyncExitStack()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a batch; returns what SQS must deliver again (a partial batch response)."""
    return run(_handle(event))


async def _handle(event: dict[str, Any]) -> dict[str, Any]:
    global _worker
    if _worker is None:
        settings = Settings.load()
        configure(settings.log_level)
        # Never closed: it lives as long as the container.
        opening = answer_worker(settings, slack_client(settings), state_store(settings))
        _worker = await _open.enter_async_context(opening)
    records = event["Records"]
    for position, record in enumerate(records):
        if not await _answered(_worker, record):
            # A FIFO batch stops at its first failure, or the order in a thread would be lost.
            rest = records[position:]
            return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in rest]}
    return {"batchItemFailures": []}


async def _answered(worker: AnswerWorker, record: dict[str, Any]) -> bool:
    last_try = int(record["attributes"]["ApproximateReceiveCount"]) >= TRIES
    try:
        job = decode(record["body"])
        if not isinstance(job, AnswerJob):
            raise BadJob("Only answer jobs belong on this queue.")
        return not isinstance(await worker.handle(job, last_try=last_try), Later)
    except Exception as error:
        log.error("answer job returned to the queue: %s", type(error).__name__)
        return False
