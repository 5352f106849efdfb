"""The answer worker of a fresh container, in the order that lets its first question in soonest.

What takes long to import, and is no part of the index, is imported while the storage answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from handlers.runtime import wiring
from handlers.runtime.metrics import Metrics
from handlers.runtime.settings import Settings

if TYPE_CHECKING:
    from bot.client import SlackClient
    from handlers.answering.worker import AnswerWorker
    from handlers.work.ports import ListedStore
    from index.lance import LanceIndex

_IMPORTED_LATER = (
    "handlers.adapters.openai_model",
    "handlers.answering.careful",
    "handlers.answering.rag",
    "handlers.answering.rewriting",
    "handlers.answering.worker",
    "handlers.runtime.batches",
    "handlers.runtime.opening",
)


@asynccontextmanager
async def deployed_answer_worker(settings: Settings) -> AsyncIterator[AnswerWorker]:
    """Yield the worker with its index open and warm, and its answers counted.

    Raises SettingsError, and what opening the index and the embedder raises.
    """
    # Before anything is opened: without these it would be in vain.
    settings.require_slack()
    async with wiring.loaded_index(settings) as (embedder, index):
        client, store = await clients_while_warming(settings, index)
        observer = Metrics(settings.stage).observe_answer
        async with wiring.answer_worker(
            settings, client, store, observer=observer, warm=(embedder, index)
        ) as worker:
            yield worker


async def clients_while_warming(
    settings: Settings, index: LanceIndex
) -> tuple[SlackClient, ListedStore]:
    """Return the clients of the worker when the index is warm too. Raises SettingsError."""
    warming = asyncio.create_task(wiring.warmed(index))
    try:
        made = await asyncio.to_thread(clients, settings)
        await warming
    finally:
        # Nothing may go on opening an index that is closed next.
        warming.cancel()
        await asyncio.wait([warming])
    return made


def clients(settings: Settings) -> tuple[SlackClient, ListedStore]:
    """Return the clients of the worker, and import what else it is made of.

    That takes more than half a second: time for the storage to answer.
    """
    for name in _IMPORTED_LATER:
        import_module(name)
    return wiring.slack_client(settings), wiring.state_store(settings)
