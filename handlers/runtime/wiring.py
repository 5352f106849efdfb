"""The composition root: settings in, working parts out. Nothing else builds an adapter.

Every import of something heavy stands inside the function that needs it, so that the Slack door
pays for Slack and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from handlers.runtime import embedders, tracing
from handlers.runtime.settings import Settings
from handlers.work.feedback import Counter, uncounted
from handlers.work.measures import Observer, unobserved
from index.errors import KnowledgeError

if TYPE_CHECKING:
    from bot.app import FootnoteApp
    from bot.client import SlackClient
    from handlers.adapters.sqlite_queue import SqliteQueue
    from handlers.adapters.sqs import SqsQueue
    from handlers.answering.ports import Answerer
    from handlers.answering.worker import AnswerWorker
    from handlers.work.agents import AgentDoor
    from handlers.work.ports import JobQueue, ListedStore, StateStore
    from handlers.work.seal import Seal
    from index.lance import LanceIndex
    from index.ports import Embedder
    from index.retrieval import Retriever

log = logging.getLogger(__name__)


def state_path(settings: Settings) -> Path:
    """Return the SQLite file that holds queue and state on a laptop."""
    return settings.home / "state.sqlite"


def job_queue(settings: Settings) -> JobQueue:
    """Return SQS when a queue URL is set, else the laptop's durable queue."""
    return answer_queue(settings) if settings.queue_url else laptop_queue(settings)


def answer_queue(settings: Settings) -> SqsQueue:
    """Return the SQS queue of questions."""
    from handlers.adapters.aws import make_client
    from handlers.adapters.sqs import SqsQueue

    return SqsQueue(settings.queue_url, make_client("sqs", settings.aws_client_options()))


def prepare_queue(settings: Settings) -> SqsQueue:
    """Return the SQS queue of portions of documents."""
    from handlers.adapters.aws import make_client
    from handlers.adapters.sqs import SqsQueue

    return SqsQueue(settings.prepare_queue_url, make_client("sqs", settings.aws_client_options()))


def laptop_queue(settings: Settings) -> SqliteQueue:
    """Return the SQLite queue, which can also be received from."""
    from handlers.adapters.sqlite_queue import SqliteQueue
    from handlers.work.deliveries import DELIVERIES, LEASE_SECONDS

    return SqliteQueue(state_path(settings), lease_seconds=LEASE_SECONDS, max_attempts=DELIVERIES)


def state_store(settings: Settings) -> ListedStore:
    """Return DynamoDB when a table is set, else SQLite."""
    if settings.state_table:
        from handlers.adapters.aws import make_client
        from handlers.adapters.dynamodb import DynamoStore

        client = make_client("dynamodb", settings.aws_client_options())
        return DynamoStore(settings.state_table, client)
    from handlers.adapters.sqlite_store import SqliteStore

    return SqliteStore(state_path(settings))


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[ListedStore]:
    """Yield the state store, and close it when the block is left."""
    if settings.state_table:
        yield state_store(settings)
        return
    from handlers.adapters.sqlite_store import SqliteStore

    store = SqliteStore(state_path(settings))
    try:
        yield store
    finally:
        await store.close()


def seal(settings: Settings) -> Seal:
    """Return the seal that both door and worker derive from the signing secret."""
    from handlers.work.seal import Seal

    secret = settings.slack_signing_secret or settings.slack_app_token
    return Seal(secret.get_secret_value() if secret else "")


def slack_client(settings: Settings) -> SlackClient:
    """Return the Web API client. Raises SettingsError without a bot token."""
    from bot.app import make_client

    settings.require_slack()
    assert settings.slack_bot_token is not None
    return make_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)


def slack_app(
    settings: Settings,
    client: SlackClient,
    queue: JobQueue,
    store: StateStore,
    count: Counter = uncounted,
    agent: AgentDoor | None = None,
) -> FootnoteApp:
    """Return the Slack app of the door: it accepts mentions, opens footnotes and keeps votes.

    With the door's side of the ``agent`` it also takes what is asked of the agent, and decisions.
    """
    from bot.app import create_app
    from handlers.answering.room import may_read
    from handlers.work.reception import Reception

    settings.require_slack()
    secret = settings.slack_signing_secret
    signing = secret.get_secret_value() if secret else ""
    own = seal(settings)
    reception = Reception(
        queue=queue,
        store=store,
        seal=own,
        may_read=partial(may_read, client),
        spans=tracing.span,
        count=count,
        agents=agent.agents if agent else None,
        desk=agent.desk if agent else None,
    )
    return create_app(
        reception,
        signing_secret=signing,
        token=client.token or "",
        client=client,
        agents=agent is not None,
    )


query_embedder = embedders.query_embedder
indexing_embedder = embedders.indexing_embedder


def index_engine(settings: Settings) -> type[LanceIndex]:
    """Load the engine of the index, which takes most of a second, and return its class."""
    settings.tune_process()
    from index.lance_import import spare_rest_client

    spare_rest_client()
    from index.lance import LanceIndex

    return LanceIndex


@asynccontextmanager
async def opened_index(
    settings: Settings,
    embedder: Embedder,
    *,
    before_change: Callable[[], Awaitable[object]] | None = None,
) -> AsyncIterator[LanceIndex]:
    """Yield the configured index, and close it when the block is left."""
    index = index_engine(settings)(
        settings.index,
        embedder=embedder.name,
        dimensions=embedder.dimensions,
        storage_options=settings.storage_options(),
        before_change=before_change,
    )
    try:
        yield index
    finally:
        await index.close()


Warm: TypeAlias = "tuple[Embedder, LanceIndex]"


@asynccontextmanager
async def loaded_index(settings: Settings) -> AsyncIterator[Warm]:
    """Yield the embedder for questions and the index, of which nothing is fetched yet."""
    embedder, _ = await asyncio.gather(
        asyncio.to_thread(query_embedder, settings), asyncio.to_thread(index_engine, settings)
    )
    async with opened_index(settings, embedder) as index:
        yield embedder, index


@asynccontextmanager
async def warm_index(settings: Settings) -> AsyncIterator[Warm]:
    """Yield the embedder for questions and the index, both ready for a quick first question."""
    async with loaded_index(settings) as (embedder, index):
        await warmed(index)
        yield embedder, index


async def warmed(index: LanceIndex) -> None:
    """Fetch what the first question needs, as far as the storage can be reached."""
    try:
        await index.warm()
    except KnowledgeError as error:
        # The first question meets the same error, and tells the one who asked.
        log.warning("the index could not be warmed: %s", error)


def retriever(settings: Settings, index: LanceIndex, embedder: Embedder) -> Retriever:
    """Return retrieval with the configured budgets."""
    from index.retrieval import Retriever

    return Retriever(
        index,
        embedder,
        limit=settings.passages,
        context_characters=settings.context_characters,
        reranker=embedders.reranker(settings),
        rerank_limit=settings.reranked,
    )


@asynccontextmanager
async def answerer(settings: Settings, embedder: Embedder) -> AsyncIterator[Answerer]:
    """Yield the model's answerer when a model is configured, else the extractive one."""
    from handlers.runtime.answerers import answering

    async with answering(settings, embedder) as parts:
        yield parts.answerer


@asynccontextmanager
async def answer_worker(
    settings: Settings,
    client: SlackClient,
    store: StateStore,
    *,
    observer: Observer = unobserved,
    warm: Warm | None = None,
) -> AsyncIterator[AnswerWorker]:
    """Yield the worker with a warm embedder and a warm index, those of ``warm`` if given."""
    from bot.app import bot_user_id
    from handlers.answering.worker import AnswerWorker
    from handlers.runtime.agent_mode import why_not
    from handlers.runtime.answerers import answering
    from handlers.work.claims import Claims
    from handlers.work.deliveries import LEASE_SECONDS
    from handlers.work.syncs import last_sync

    async with AsyncExitStack() as stack:
        if warm is None:
            warm = await stack.enter_async_context(warm_index(settings))
        embedder, index = warm
        parts = await stack.enter_async_context(answering(settings, embedder))

        async def was_synced() -> bool:
            return await last_sync(store, settings.index) is not None

        yield AnswerWorker(
            client=client,
            bot_user_id=lambda: bot_user_id(client),
            retriever=retriever(settings, index, embedder),
            answerer=parts.answerer,
            rewriter=parts.rewriter,
            store=store,
            claims=Claims(store, lease_seconds=LEASE_SECONDS),
            seal=seal(settings),
            observer=observer,
            spans=tracing.span,
            was_synced=was_synced,
            why_not=partial(why_not, settings),
            renew_every=LEASE_SECONDS / 3,
        )
