"""The agent put together: settings in, the two sides of it out. What is heavy is imported late.

::

    door, schedule   mentions for the agent, and clicks on what it proposes ──▶ its queue
    worker           its queue ──▶ runs, with model, tools, approvals and audit log
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from handlers.runtime import agent_mode, wiring
from handlers.runtime.answerers import entailment
from handlers.runtime.live_agents import LiveAgentWorker
from handlers.runtime.metrics import Metrics
from handlers.runtime.settings import Settings
from handlers.tools.addressed import agent_request
from handlers.work.agents import AgentDoor, Agents

if TYPE_CHECKING:
    from bot.client import SlackClient
    from handlers.adapters.sqlite_queue import SqliteQueue
    from handlers.adapters.sqs import SqsQueue
    from handlers.tools.audit import AuditLog
    from handlers.tools.parts import Parts
    from handlers.tools.worker import Observer
    from handlers.work.ports import JobQueue, StateStore


def deployed_agent_queue(settings: Settings) -> SqsQueue:
    """Return the SQS queue of the agent."""
    from handlers.adapters.aws import make_client
    from handlers.adapters.sqs import SqsQueue

    return SqsQueue(settings.agent_queue_url, make_client("sqs", settings.aws_client_options()))


def laptop_agent_queue(settings: Settings) -> SqliteQueue:
    """Return the SQLite queue of the agent.

    A file of its own: within one queue an answer would wait behind a run of its thread.
    """
    from handlers.adapters.sqlite_queue import SqliteQueue
    from handlers.work.deliveries import DELIVERIES, LEASE_SECONDS

    path = settings.home / "agents.sqlite"
    return SqliteQueue(path, lease_seconds=LEASE_SECONDS, max_attempts=DELIVERIES)


def agent_queue(settings: Settings) -> SqsQueue | SqliteQueue:
    """Return SQS where a queue is set, else the laptop's durable queue."""
    return (deployed_agent_queue if settings.agent_queue_url else laptop_agent_queue)(settings)


def agents(settings: Settings, queue: JobQueue | None = None) -> Agents | None:
    """Return the way to the agent, or None while it does not work here."""
    if not agent_mode.is_on(settings):
        return None
    return Agents(queue or agent_queue(settings), agent_request)


async def expire(agents: Agents | None, store: StateStore) -> int:
    """Have each run go on whose approvals nobody decided about in time; return how many.

    Raises StoreUnavailable, QueueUnavailable.
    """
    if agents is None:
        return 0
    from handlers.tools.waiting import expire_runs

    return await expire_runs(store, agents.queue)


def audit_log(settings: Settings) -> AuditLog:
    """Return the table on AWS where one is set; else see ``opened_audit``."""
    from handlers.adapters.aws import make_client
    from handlers.adapters.dynamodb_audit import DynamoAudit

    client = make_client("dynamodb", settings.aws_client_options())
    return DynamoAudit(settings.audit_table, client)


@asynccontextmanager
async def opened_audit(settings: Settings) -> AsyncIterator[AuditLog]:
    """Yield the audit log, and close it when the block is left."""
    if settings.audit_table:
        yield audit_log(settings)
        return
    from handlers.adapters.sqlite_audit import SqliteAudit

    log = SqliteAudit(settings.home / "audit.sqlite")
    try:
        yield log
    finally:
        await log.close()


def deployed_door(settings: Settings, client: SlackClient, store: StateStore) -> AgentDoor | None:
    """Return the door's side on AWS, or None while the agent does not work here."""
    if not agent_mode.is_on(settings):
        return None
    return agent_door(settings, client, store, audit_log(settings))


def agent_door(
    settings: Settings,
    client: SlackClient,
    store: StateStore,
    audit: AuditLog,
    queue: JobQueue | None = None,
) -> AgentDoor | None:
    """Return the door's side of the agent, or None while it does not work here."""
    way = agents(settings, queue)
    if way is None:
        return None
    from bot.deciders import may_decide
    from handlers.tools.approvals import Approvals
    from handlers.tools.desk import ApprovalDesk

    desk = ApprovalDesk(
        Approvals(store),
        way.queue,
        store,
        may_decide=partial(may_decide, client),
        audit=audit,
        approvers=tuple(settings.agent_approvers.split()),
    )
    return AgentDoor(way, desk)


@asynccontextmanager
async def agent_worker(
    settings: Settings,
    client: SlackClient,
    store: StateStore,
    audit: AuditLog,
    *,
    warm: wiring.Warm | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[LiveAgentWorker]:
    """Yield the worker, with a warm index and everything that its tools need.

    Raises SettingsError for a file or a tool that cannot be used, KnowledgeError, WorkError.
    """
    from bot.client import bot_user_id
    from handlers.answering.room import Rooms
    from handlers.runtime.agent_parts import opened_parts
    from handlers.tools.worker import AgentWorker, unobserved
    from handlers.work.claims import Claims
    from handlers.work.deliveries import LEASE_SECONDS

    async with AsyncExitStack() as stack:
        if warm is None:
            warm = await stack.enter_async_context(wiring.warm_index(settings))
        embedder, index = warm
        retriever = wiring.retriever(settings, index, embedder)
        now = await stack.enter_async_context(
            opened_parts(settings, client, store, audit, index, embedder, retriever)
        )
        second_opinion = entailment(settings)
        rooms = Rooms(client, retriever.withholds)

        def made(parts: Parts) -> AgentWorker:
            return AgentWorker(
                client=client,
                bot_user_id=partial(bot_user_id, client),
                audience_of=rooms.audience,
                parts=parts,
                store=store,
                claims=Claims(store, lease_seconds=LEASE_SECONDS),
                seal=wiring.seal(settings),
                entailment=second_opinion,
                observer=observer or unobserved,
                renew_every=LEASE_SECONDS / 3,
            )

        yield LiveAgentWorker(now, made, await now())


@asynccontextmanager
async def deployed_agent_worker(settings: Settings) -> AsyncIterator[LiveAgentWorker]:
    """Yield the worker of the function on AWS."""
    client, store = wiring.slack_client(settings), wiring.state_store(settings)
    observer = Metrics(settings.stage).observe_run
    opening = agent_worker(settings, client, store, audit_log(settings), observer=observer)
    async with opening as worker:
        yield worker


@dataclass(frozen=True, slots=True)
class LaptopAgent:
    """Both sides of the agent in one process."""

    door: AgentDoor
    queue: SqliteQueue
    worker: LiveAgentWorker


@asynccontextmanager
async def on_a_laptop(
    settings: Settings, client: SlackClient, store: StateStore, warm: wiring.Warm
) -> AsyncIterator[LaptopAgent | None]:
    """Yield the agent on a laptop, or None while it does not work here."""
    if not agent_mode.is_on(settings):
        yield None
        return
    async with AsyncExitStack() as stack:
        queue = laptop_agent_queue(settings)
        stack.push_async_callback(queue.close)
        audit = await stack.enter_async_context(opened_audit(settings))
        door = agent_door(settings, client, store, audit, queue)
        assert door is not None
        opening = agent_worker(settings, client, store, audit, warm=warm)
        yield LaptopAgent(door, queue, await stack.enter_async_context(opening))
