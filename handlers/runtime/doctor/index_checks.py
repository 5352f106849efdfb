"""What `footnote doctor` looks at in the index and in the place that holds it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.runtime import wiring
from handlers.runtime.doctor import verdicts
from handlers.runtime.doctor.findings import Finding, failed, ok, skipped, warning
from handlers.runtime.settings import Settings
from handlers.work.errors import StoreUnavailable
from handlers.work.syncs import last_sync
from index.audience import Audience
from index.errors import (
    EmbedderMismatch,
    EmbedderUnavailable,
    EmbedderUnreachable,
    KnowledgeError,
)

if TYPE_CHECKING:
    from index.lance import LanceIndex

INDEX, PLACE = "index", "S3 rights"

SEARCH_SECONDS = 6.0
"""Less than a check may take; a large index far away is cold for the first search of a process."""

_RIGHTS = {
    "list": "s3:ListBucket",
    "put": "s3:PutObject",
    "get": "s3:GetObject",
    "delete": "s3:DeleteObject",
}


async def index_findings(
    settings: Settings, *, clock: Callable[[], float] = time.time
) -> list[Finding]:
    """Open the index with the configured embedder, and count what is in it."""
    try:
        name, dimensions = await asyncio.to_thread(_space, settings)
    except (EmbedderUnavailable, EmbedderUnreachable) as error:
        return [failed(INDEX, str(error), "Without it no question can be searched for.")]
    index = wiring.index_engine(settings)(
        settings.index,
        embedder=name,
        dimensions=dimensions,
        storage_options=settings.storage_options(),
    )
    try:
        if not await index.version():
            return [
                failed(
                    INDEX,
                    f"There is no index at {settings.index} yet.",
                    "Run `footnote sync`; on AWS wait for the schedule, or invoke ingest.",
                )
            ]
        documents, chunks = await asyncio.gather(index.documents(), index.count())
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                await _search(index, dimensions)
        except TimeoutError:
            told = (
                f"{chunks:,} passages are there; a search took over {SEARCH_SECONDS:g} s from here."
            )
            return [warning(INDEX, told, "Where questions are answered it must be quicker: try.")]
    except EmbedderMismatch as error:
        todo = "Sync into an empty place, or go back to the version that made this index."
        return [failed(INDEX, str(error), todo)]
    except KnowledgeError as error:
        return [failed(INDEX, str(error), "See what is said of S3 rights, if it lies there.")]
    finally:
        await index.close()
    synced = await _seconds_since_sync(settings, clock)
    changed = await asyncio.to_thread(_seconds_since_change, settings, clock)
    return [verdicts.index_verdict(INDEX, documents, chunks, synced=synced, changed=changed)]


async def place_findings(settings: Settings) -> list[Finding]:
    """Try out every right that an index on S3 needs, with the credentials of this process."""
    if not settings.index.startswith("s3://"):
        return [skipped(PLACE, "The index is a folder.")]
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.s3_probe import try_out

    try:
        report = await asyncio.to_thread(try_out, settings.index, settings.aws_client_options())
    except CloudRefused as error:
        return [failed(PLACE, error.found, error.todo)]
    if report.refused:
        missing = ", ".join(f"{_RIGHTS[right]} ({code})" for right, code in report.refused.items())
        left = f" The probe {report.left} is still there: delete it." if report.left else ""
        return [failed(PLACE, f"Not allowed: {missing}.{left}", "Allow it for these credentials.")]
    if not report.conditional:
        return [
            failed(
                PLACE,
                "The server overwrites a file although it was told not to (If-None-Match), so two "
                "commits at once would lose one of them.",
                "Keep the index on a server that honours conditional writes, as Amazon S3 does.",
            )
        ]
    return [ok(PLACE, "List, read, write and delete are allowed; conditional writes are honoured.")]


def _space(settings: Settings) -> tuple[str, int]:
    """Return name and dimensions of the embedder; the packaged one is not exported for that."""
    if not settings.embedder:
        from index.weights import PUBLISHED_DIMENSIONS, PUBLISHED_NAME, packaged_model_path

        packaged_model_path()
        return PUBLISHED_NAME, PUBLISHED_DIMENSIONS
    from handlers.runtime.embedders import query_embedder

    embedder = query_embedder(settings)
    return embedder.name, embedder.dimensions


async def _search(index: LanceIndex, dimensions: int) -> None:
    """Read what only a question reads: the files of both search indexes. Raises KnowledgeError."""
    import numpy as np

    anywhere = np.zeros(dimensions, np.float32)
    anywhere[0] = 1.0
    await index.search(anywhere, "what is where", Audience.everyone(), 1)


async def _seconds_since_sync(settings: Settings, clock: Callable[[], float]) -> float | None:
    try:
        async with wiring.opened_store(settings) as store:
            at = await last_sync(store, settings.index)
    except StoreUnavailable:
        # The check of the state store says why.
        return None
    return None if at is None else clock() - at


def _seconds_since_change(settings: Settings, clock: Callable[[], float]) -> float | None:
    if settings.index.startswith("s3://"):
        from handlers.adapters.s3_probe import seconds_since_change

        return seconds_since_change(settings.index, settings.aws_client_options(), clock=clock)
    try:
        times = [v.stat().st_mtime for v in Path(settings.index).glob("*.lance/_versions/*")]
    except OSError:
        return None
    return clock() - max(times) if times else None
