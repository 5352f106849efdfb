"""How a sync has documents prepared by others: through a queue, and files beside the index.

Both sides are put together here: the one that asks, and the worker.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.runtime.preparing import Preparer
from handlers.runtime.settings import Settings
from handlers.runtime.sources import document_sources
from handlers.runtime.wiring import indexing_embedder, opened_index, prepare_queue
from handlers.work.jobs import PrepareJob
from index.fan_out import FanOut
from index.sandbox import SandboxedParser
from index.staging import FolderStaging, Staging, beside

if TYPE_CHECKING:
    from index.lance import LanceIndex


def staging(settings: Settings) -> Staging:
    """Return where requests and results lie: beside the configured index."""
    address = beside(settings.index)
    if not address.startswith("s3://"):
        return FolderStaging(Path(address))
    from handlers.adapters.aws import make_client
    from handlers.adapters.s3_staging import S3Staging

    return S3Staging(address, make_client("s3", settings.aws_client_options()))


def fan_out(settings: Settings, index: LanceIndex, *, until: float = math.inf) -> FanOut | None:
    """Return how to have documents prepared elsewhere; None if no queue is set for that.

    ``until`` is when to stop waiting for them, by the monotonic clock.
    """
    if not settings.prepare_queue_url:
        return None
    queue = prepare_queue(settings)

    async def ask(source: str, portion: str) -> None:
        await queue.put(PrepareJob(source, portion))

    return FanOut(
        staging=staging(settings),
        ask=ask,
        remembered=index.remembered,
        may_write=index.ask,
        most=settings.portion,
        until=until,
    )


@asynccontextmanager
async def preparer(settings: Settings) -> AsyncIterator[Preparer]:
    """Yield what a worker prepares documents with. Raises KnowledgeError, SettingsError."""
    embedder = await asyncio.to_thread(indexing_embedder, settings)
    with SandboxedParser() as parser:
        async with opened_index(settings, embedder) as index:
            yield Preparer(
                sources=partial(document_sources, settings),
                parser=parser,
                embedder=embedder,
                index=index,
                staging=staging(settings),
            )
