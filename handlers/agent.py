"""DOOR: the worker of the agent. SQS hands over steps of runs; each goes as far as it can.

A run that needs a human ends its step here and waits in the store, for minutes or days.
"""

from contextlib import AsyncExitStack
from typing import Any

from handlers.adapters.sqs import SqsQueue
from handlers.runtime import tracing
from handlers.runtime.agents import deployed_agent_queue, deployed_agent_worker
from handlers.runtime.batches import answer_batch
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.invoke import Warm, prepare, run
from handlers.runtime.live_agents import LiveAgentWorker
from handlers.runtime.logs import configure
from handlers.runtime.opening import opened
from handlers.runtime.settings import Settings
from handlers.work.jobs import AgentJob

MARGIN_SECONDS = 10.0
"""Kept free at the end of an invocation, to save where the run is and to give its job back."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on a batch; returns what SQS must deliver again (a partial batch response)."""
    return run(_handle(event, context), context)


async def _handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    queue, records = await _queue.get(), event["Records"]
    opening = _worker.get()
    worker = await (opening if _worker.is_open else opened(opening, queue, records))
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    failed = await answer_batch(worker, queue, records, seconds=seconds, kind=AgentJob)
    if worker.token_refused:
        _worker.forget()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


async def _queue_opening(stack: AsyncExitStack) -> SqsQueue:
    # Without the parameter store: what cannot be worked on must be given back all the same.
    return deployed_agent_queue(Settings.load())


async def _worker_opening(stack: AsyncExitStack) -> LiveAgentWorker:
    settings = await deployed_settings()
    configure(settings.log_level)
    tracing.start(settings)
    return await stack.enter_async_context(deployed_agent_worker(settings))


_queue, _worker = Warm(_queue_opening), Warm(_worker_opening)
prepare(_worker)
