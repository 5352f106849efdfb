"""What keeps the index in step and in shape: one run at a time, and ended before Lambda ends it.

A run that finds another writer at work, or its time used up, is no error: it says so in its report,
and the next one of the schedule goes on. What was committed until then stays.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from handlers.runtime.fanning_out import fan_out
from handlers.runtime.settings import Settings
from handlers.runtime.sources import document_sources
from handlers.runtime.syncing import Syncing
from handlers.runtime.wiring import (
    indexing_embedder,
    opened_index,
    opened_store,
    query_embedder,
)
from handlers.work.errors import ClaimLost
from handlers.work.syncs import note_sync
from handlers.work.writer import Fence, WriterBusy, Writers
from index.sandbox import SandboxedParser
from index.sync import SyncReport

if TYPE_CHECKING:
    from index.lance import LanceIndex
    from index.ports import Embedder

MARGIN_SECONDS: Final = 60.0
"""Kept free at the end of an invocation: a batch is being embedded, a commit is under way."""

FINISHING_SECONDS: Final = 30.0
"""Kept free for what workers have prepared: to commit it once they are waited for no longer."""

BUSY: Final = "another writer is at work"
SUCCEEDED: Final = "another writer took over"
OUT_OF_TIME: Final = "out of time"
FAILED: Final = "a source is not in step"

T = TypeVar("T")
Report = dict[str, Any]


def seconds_left(invocation: Any) -> float | None:
    """Return how long a run may take, from what Lambda calls the context; None without an end."""
    if invocation is None:
        return None
    return float(invocation.get_remaining_time_in_millis()) / 1000 - MARGIN_SECONDS


async def write_index(
    settings: Settings,
    embedder: Embedder,
    work: Callable[[LanceIndex], Awaitable[T]],
    *,
    patience: float = 0.0,
) -> T:
    """Return what ``work`` returns for the configured index, as its only writer.

    ``patience`` is how many seconds another writer is waited for. Raises WriterBusy, ClaimLost,
    StoreUnavailable, KnowledgeError.
    """

    async def alone(fence: Fence) -> T:
        async with opened_index(settings, embedder, before_change=fence) as index:
            return await work(index)

    async with opened_store(settings) as store:
        return await Writers(store).alone(settings.index, alone, patience=patience)


async def sync_in_time(
    settings: Settings,
    *,
    seconds: float | None,
    observe: Callable[[SyncReport], None] = lambda report: None,
) -> Report:
    """Bring the index in step with all sources within ``seconds``.

    ``observe`` is told of each source that was. Raises KnowledgeError, SettingsError,
    StoreUnavailable.
    """
    told: list[Report] = []

    def note(report: SyncReport) -> None:
        told.append(asdict(report))
        observe(report)

    sources, embedder = document_sources(settings), indexing_embedder(settings)
    with SandboxedParser() as parser:
        async with opened_store(settings) as store:
            syncing = Syncing(parser, embedder, store, settings.index, observe=note)
            until = math.inf if seconds is None else time.monotonic() + seconds - FINISHING_SECONDS

            async def work(index: LanceIndex) -> Report:
                by = fan_out(settings, index, until=until)
                done = await replace(syncing, fan_out=by).all(sources, index)
                failed = {one.source: one.reason for one in done if one.report is None}
                return {"complete": False, "reason": FAILED, "failed": failed} if failed else {}

            ended = await _ended(settings, embedder, work, seconds)
    return {**ended, "sources": told}


async def remember_sync(settings: Settings) -> None:
    """Note that the configured index is in step now. Raises StoreUnavailable."""
    async with opened_store(settings) as store:
        await note_sync(store, settings.index, time.time())


async def maintain_in_time(settings: Settings, *, force: bool, seconds: float | None) -> Report:
    """Compact and index the table within ``seconds``, if that is due or forced.

    What was removed is taken out of the stored bytes in any case. Raises KnowledgeError,
    SettingsError, StoreUnavailable.
    """
    embedder = await asyncio.to_thread(query_embedder, settings)

    async def work(index: LanceIndex) -> Report:
        began, before = time.monotonic(), await index.version()
        await index.maintain(force=force)
        await index.erase()
        return {
            "version_before": before,
            "index_version": await index.version(),
            "chunks": await index.count(),
            "seconds": time.monotonic() - began,
        }

    return await _ended(settings, embedder, work, seconds)


async def _ended(
    settings: Settings,
    embedder: Embedder,
    work: Callable[[LanceIndex], Awaitable[Report]],
    seconds: float | None,
) -> Report:
    deadline = asyncio.timeout(seconds)

    async def in_time(index: LanceIndex) -> Report:
        async with deadline:
            return await work(index)

    try:
        return {"complete": True, **await write_index(settings, embedder, in_time)}
    except WriterBusy:
        reason = BUSY
    except ClaimLost:
        reason = SUCCEEDED
    except TimeoutError:
        if not deadline.expired():
            raise
        reason = OUT_OF_TIME
    return {"complete": False, "reason": reason}
