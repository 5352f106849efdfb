"""The composition root: settings in, working parts out. Nothing else builds an adapter.

Every import of something heavy stands inside the function that needs it, so that the Slack door
pays for Slack and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.runtime.settings import Settings

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.app import FootnoteApp
    from handlers.adapters.sqlite_queue import SqliteQueue
    from handlers.adapters.sqs import SqsQueue
    from handlers.answering.ports import Answerer
    from handlers.answering.worker import AnswerWorker
    from handlers.work.ports import JobQueue, StateStore
    from handlers.work.seal import Seal
    from index.embedding import OnnxEmbedder, SentenceTransformerEmbedder
    from index.lance import LanceIndex
    from index.ports import Embedder
    from index.retrieval import Retriever
    from index.sources.files import FolderSource


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


def laptop_queue(settings: Settings) -> SqliteQueue:
    """Return the SQLite queue, which can also be received from."""
    from handlers.adapters.sqlite_queue import SqliteQueue
    from handlers.work.deliveries import DELIVERIES, LEASE_SECONDS

    return SqliteQueue(state_path(settings), lease_seconds=LEASE_SECONDS, max_attempts=DELIVERIES)


def state_store(settings: Settings) -> StateStore:
    """Return DynamoDB when a table is set, else SQLite."""
    if settings.state_table:
        from handlers.adapters.aws import make_client
        from handlers.adapters.dynamodb import DynamoStore

        client = make_client("dynamodb", settings.aws_client_options())
        return DynamoStore(settings.state_table, client)
    from handlers.adapters.sqlite_store import SqliteStore

    return SqliteStore(state_path(settings))


def seal(settings: Settings) -> Seal:
    """Return the seal that both door and worker derive from the signing secret."""
    from handlers.work.seal import Seal

    secret = settings.slack_signing_secret or settings.slack_app_token
    return Seal(secret.get_secret_value() if secret else "")


def slack_client(settings: Settings) -> AsyncWebClient:
    """Return the Web API client. Raises SettingsError without a bot token."""
    from bot.app import make_client

    settings.require_slack()
    assert settings.slack_bot_token is not None
    return make_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)


def slack_app(
    settings: Settings, client: AsyncWebClient, queue: JobQueue, store: StateStore
) -> FootnoteApp:
    """Return the Slack app of the door: it accepts mentions and opens footnotes."""
    from bot.app import create_app
    from handlers.work.reception import Reception

    settings.require_slack()
    assert settings.slack_bot_token is not None
    signing_secret = settings.slack_signing_secret
    return create_app(
        Reception(queue=queue, store=store, seal=seal(settings)),
        signing_secret=signing_secret.get_secret_value() if signing_secret else "",
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.slack_api_url,
        client=client,
    )


def query_embedder(settings: Settings) -> OnnxEmbedder:
    """Return the light embedder for questions; exports the model on first use."""
    from index.embedding import OnnxEmbedder, export_onnx

    models = settings.models or settings.home / "models"
    return OnnxEmbedder(export_onnx(models / "all-MiniLM-L6-v2"))


def indexing_embedder() -> SentenceTransformerEmbedder:
    """Return the embedder for documents: on the GPU if there is one."""
    from index.embedding import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder()


@asynccontextmanager
async def opened_index(settings: Settings, embedder: Embedder) -> AsyncIterator[LanceIndex]:
    """Yield the configured index, and close it when the block is left."""
    settings.tune_process()
    from index.lance import LanceIndex

    index = LanceIndex(
        settings.index,
        embedder=embedder.name,
        dimensions=embedder.dimensions,
        storage_options=settings.storage_options(),
    )
    try:
        yield index
    finally:
        await index.close()


def document_source(settings: Settings) -> FolderSource:
    """Return the configured folder of documents. Raises SettingsError when none is set."""
    from index.sources.files import FolderSource

    return FolderSource(settings.require_docs(), base_url=settings.docs_url)


def retriever(settings: Settings, index: LanceIndex, embedder: Embedder) -> Retriever:
    """Return retrieval with the configured budgets."""
    from index.retrieval import Retriever

    return Retriever(
        index,
        embedder,
        limit=settings.passages,
        context_characters=settings.context_characters,
    )


@asynccontextmanager
async def answerer(settings: Settings, embedder: Embedder) -> AsyncIterator[Answerer]:
    """Yield the model's answerer when a model is configured, else the extractive one."""
    from handlers.answering.extractive import ExtractiveAnswerer

    extractive = ExtractiveAnswerer(embedder, floor=settings.refusal_floor)
    if not settings.openai_model:
        yield extractive
        return
    from handlers.adapters.openai_model import OpenAIModel
    from handlers.answering.rag import ModelAnswerer

    key = settings.openai_api_key
    model = OpenAIModel(
        model=settings.openai_model,
        api_key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url,
        first_token_timeout=settings.model_first_token_seconds,
    )
    try:
        yield ModelAnswerer(model, extractive, deadline_seconds=settings.answer_seconds)
    finally:
        await model.aclose()


@asynccontextmanager
async def answer_worker(
    settings: Settings, client: AsyncWebClient, store: StateStore
) -> AsyncIterator[AnswerWorker]:
    """Yield the worker with a warm embedder and an index that opens on first use."""
    from bot.app import bot_user_id
    from handlers.answering.worker import AnswerWorker
    from handlers.work.claims import Claims
    from handlers.work.deliveries import LEASE_SECONDS

    embedder = await asyncio.to_thread(query_embedder, settings)
    async with (
        opened_index(settings, embedder) as index,
        answerer(settings, embedder) as answers,
    ):
        yield AnswerWorker(
            client=client,
            bot_user_id=lambda: bot_user_id(client),
            retriever=retriever(settings, index, embedder),
            answerer=answers,
            store=store,
            claims=Claims(store, lease_seconds=LEASE_SECONDS),
            seal=seal(settings),
            renew_every=LEASE_SECONDS / 3,
        )
