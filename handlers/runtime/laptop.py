"""The whole of Footnote in one process: Slack in, the queue, the workers and the sync schedule.

The same parts as on AWS, held together by one event loop. Everything that was accepted is in the
SQLite queue before Slack hears "ok", so a killed process owes its answers to the next one.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from bot.errors import SlackConversationError
from bot.socket_mode import connected
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.answering.delivering import Worker, deliver
from handlers.runtime import agents, tracing
from handlers.runtime.http import serve_http
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import (
    answer_worker,
    laptop_queue,
    opened_store,
    slack_app,
    slack_client,
    warm_index,
)
from handlers.work.errors import QueueUnavailable, WorkError
from handlers.work.jobs import AgentJob, AnswerJob
from handlers.work.reconciliation import reconcile_once
from index.errors import KnowledgeError

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
"""Pause after the queue did not answer."""

MAINTAIN_SECONDS = 6 * 3600.0
"""How often the index is tidied and what was removed is taken out of its bytes, as on AWS."""

EXPIRE_SECONDS = 60.0
"""How often is looked for proposals of the agent that nobody decided about in time."""

RECONCILE_SECONDS = 120.0
"""How often a bounded part of Slack is searched for questions that did not arrive."""


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    sync: Callable[[], Awaitable[object]] | None = None,
    maintain: Callable[[], Awaitable[object]] | None = None,
    reconciles: bool = False,
) -> AsyncIterator[str]:
    """Run everything until the block is left; yields the address Slack should post to.

    The address is empty with Socket Mode. ``sync`` is called every ``sync_minutes``, ``maintain``
    every ``MAINTAIN_SECONDS``. With ``reconciles`` questions are looked for that Slack could not
    deliver while this machine slept. Leaving the block gives the jobs in hand back to the queue.
    """
    tracing.start(settings)
    client = slack_client(settings)
    queue = laptop_queue(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(queue.close)
        store = await stack.enter_async_context(opened_store(settings))
        warm = await stack.enter_async_context(warm_index(settings))
        agent = await stack.enter_async_context(agents.on_a_laptop(settings, client, store, warm))
        app = slack_app(settings, client, queue, store, agent=agent.door if agent else None)
        worker = await stack.enter_async_context(answer_worker(settings, client, store, warm=warm))
        tasks = [
            asyncio.create_task(_work(queue, worker, AnswerJob)) for _ in range(settings.workers)
        ]
        if agent is not None:
            # Tasks of their own: a run takes minutes, and no answer shall wait for it.
            tasks += [
                asyncio.create_task(_work(agent.queue, agent.worker, AgentJob))
                for _ in range(settings.workers)
            ]
            expire = partial(agents.expire, agent.door.agents, store)
            tasks.append(asyncio.create_task(_repeat("expiry", expire, EXPIRE_SECONDS)))
        if sync is not None and settings.sync_minutes:
            tasks.append(asyncio.create_task(_repeat("sync", sync, settings.sync_minutes * 60)))
        if maintain is not None:
            tasks.append(asyncio.create_task(_repeat("maintain", maintain, MAINTAIN_SECONDS)))
        if reconciles:
            way = agent.door.agents if agent else None
            look = partial(reconcile_once, client, queue, store, agents=way)
            tasks.append(asyncio.create_task(_repeat("reconcile", look, RECONCILE_SECONDS)))
        stack.push_async_callback(_stop, tasks)
        address = ""
        if settings.slack_app_token:
            token = settings.slack_app_token.get_secret_value()
            await stack.enter_async_context(connected(app, token, settings.slack_api_url))
        else:
            address = await stack.enter_async_context(
                serve_http(app, host=settings.host, port=settings.port)
            )
        yield address


async def _work(queue: SqliteQueue, worker: Worker, kind: type[AnswerJob] | type[AgentJob]) -> None:
    while True:
        try:
            delivery = await queue.receive(wait=20.0)
            if delivery is not None:
                await deliver(worker, delivery, kind=kind)
        except QueueUnavailable as error:
            # What was in hand comes back when its lease ends.
            log.error("the queue did not answer, trying again: %s", error)
            await asyncio.sleep(RETRY_SECONDS)


async def _repeat(what: str, chore: Callable[[], Awaitable[object]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await chore()
        except (KnowledgeError, WorkError, SlackConversationError) as error:
            log.error("%s failed, will be tried again: %s", what, error)
        except Exception as error:
            # Of an error nobody foresaw only the name is sure to hold no words of a document.
            log.error("%s failed, will be tried again: %s", what, type(error).__name__)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
