"""DOOR: the schedule. Queues questions that Slack could not deliver, and runs that waited in vain.

It is deployed in the same small zip as the Slack door, so nothing heavy is imported here.
"""

import time
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any, NamedTuple

from slack_sdk.web.async_client import AsyncWebClient

from handlers.runtime import agents, tracing
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.invoke import Warm, prepare, run
from handlers.runtime.logs import configure
from handlers.runtime.metrics import Metrics
from handlers.runtime.wiring import job_queue, slack_client, state_store
from handlers.work.agents import Agents
from handlers.work.ports import JobQueue, StateStore
from handlers.work.reconciliation import reconcile_once
from handlers.work.syncs import last_sync


class _Parts(NamedTuple):
    index_uri: str
    client: AsyncWebClient
    queue: JobQueue
    store: StateStore
    metrics: Metrics
    way: Agents | None


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Do a bounded part of the search, and return what it found in numbers."""
    return run(_search(), context)


async def _search() -> dict[str, Any]:
    index_uri, client, queue, store, metrics, way = await _open.get()
    await agents.expire(way, store)
    report = await reconcile_once(client, queue, store, agents=way)
    metrics.observe_reconcile(report.found)
    # It is run most often, so it also tells how long nobody has read the documents.
    if (synced := await last_sync(store, index_uri)) is not None:
        metrics.observe_sync_age(time.time() - synced)
    return asdict(report)


async def _opening(stack: AsyncExitStack) -> _Parts:
    settings = await deployed_settings()
    configure(settings.log_level)
    tracing.start(settings)
    queue, store, way = job_queue(settings), state_store(settings), agents.agents(settings)
    client, metrics = slack_client(settings), Metrics(settings.stage)
    return _Parts(settings.index, client, queue, store, metrics, way)


_open = Warm(_opening)
prepare(_open)
