"""The commands of the command line, each a coroutine that returns its exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.conversation import Answer, Question
from handlers.answering.ports import Finished
from handlers.runtime import terminal, wiring
from handlers.runtime.fanning_out import fan_out
from handlers.runtime.settings import Settings, SettingsError
from handlers.runtime.sources import document_sources
from handlers.runtime.syncing import Show, Synced, Syncing
from handlers.runtime.upkeep import maintain_in_time, remember_sync, write_index
from handlers.work.writer import WRITER_LEASE_SECONDS
from index.audience import Audience
from index.ports import Embedder, Source
from index.sandbox import SandboxedParser
from index.sources.catalog import Kind
from index.sync import SyncReport, sync

if TYPE_CHECKING:
    from index.lance import LanceIndex

OK, FAILED = 0, 1

PATIENCE = WRITER_LEASE_SECONDS + 1
"""Seconds that another writer is waited for: long enough for the lease of a killed one to end."""


async def sync_documents(settings: Settings, source: Source, embedder: Embedder) -> SyncReport:
    """Bring an index of its own in step with one source, showing progress."""

    async def work(index: LanceIndex) -> SyncReport:
        with SandboxedParser() as parser, terminal.sync_bar(f"syncing {source.name}") as show:
            return await sync(source, parser, embedder, index, progress=show, confirm_deletion=True)

    report = await write_index(settings, embedder, work, patience=PATIENCE)
    await remember_sync(settings)
    return report


async def sync_sources(
    settings: Settings,
    *,
    confirm_deletion: bool = False,
    quiet: bool = False,
    known: Mapping[str, Kind] | None = None,
) -> list[Synced]:
    """Bring the index in step with all declared sources, showing progress unless ``quiet``.

    ``known`` are the kinds of sources, by default those of ``sources.kinds``. Raises SettingsError,
    KnowledgeError for what concerns all of them, WorkError.
    """
    sources = document_sources(settings, known)
    embedder = await asyncio.to_thread(wiring.indexing_embedder, settings)
    with SandboxedParser() as parser:
        async with wiring.opened_store(settings) as store:
            syncing = Syncing(
                parser,
                embedder,
                store,
                settings.index,
                confirm_deletion=confirm_deletion,
                showing=_unseen if quiet else _seen,
            )

            async def work(index: LanceIndex) -> list[Synced]:
                return await replace(syncing, fan_out=fan_out(settings, index)).all(sources, index)

            return await write_index(settings, embedder, work, patience=PATIENCE)


def _seen(name: str) -> AbstractContextManager[Show]:
    return terminal.sync_bar(f"syncing {name}")


def _unseen(name: str) -> AbstractContextManager[None]:
    return nullcontext(None)


async def run_sync(settings: Settings, *, as_json: bool, confirm_deletion: bool) -> int:
    """`footnote sync`: fails if a source is not in step.

    What cannot be read is named in the report, and is no failure.
    """
    done = await sync_sources(settings, confirm_deletion=confirm_deletion)
    complete = all(one.report is not None for one in done)
    if as_json:
        told = [one.as_dict() for one in done]
        terminal.print_json({"complete": complete, "sources": told})
    else:
        _show(done)
    return OK if complete else FAILED


def _show(done: Sequence[Synced]) -> None:
    for one in done:
        if one.report is not None:
            terminal.show_sync(one.report)
            for note in one.notes:
                terminal.tell(f"{one.source}: {note}")
        else:
            terminal.tell(f"{one.source}: {one.reason}")


async def run_maintain(settings: Settings, *, as_json: bool) -> int:
    """`footnote maintain`: fails if another process writes the index."""
    report = await maintain_in_time(settings, force=True, seconds=None)
    if as_json:
        terminal.print_json(report)
    elif report["complete"]:
        print(f"The index is tidy: {report['chunks']:,} chunks, version {report['index_version']}.")
    else:
        terminal.tell(f"Nothing was done, because {report['reason']}.")
    return OK if report["complete"] else FAILED


async def run_ask(settings: Settings, question: str, *, as_json: bool) -> int:
    """`footnote ask`: answer in the terminal, from what everyone may read."""
    embedder = await asyncio.to_thread(wiring.query_embedder, settings)
    answer: Answer | None = None
    async with (
        wiring.opened_index(settings, embedder) as index,
        wiring.answerer(settings, embedder) as answers,
    ):
        found = await wiring.retriever(settings, index, embedder).retrieve(
            question, Audience.everyone()
        )
        async for event in answers.answer(
            Question(question), found.passages, related=found.related
        ):
            if isinstance(event, Finished):
                answer = event.answer
    assert answer is not None
    answer = replace(answer, index_version=found.index_version)
    if as_json:
        terminal.print_json({"question": question, **asdict(answer)})
    else:
        terminal.show_answer(answer)
    return OK


async def run_serve(settings: Settings, stopped: asyncio.Event) -> int:
    """`footnote serve`: answer a real workspace until stopped."""
    from handlers.runtime.laptop import running

    settings.require_slack()
    if settings.queue_url:
        raise SettingsError(
            [
                "FOOTNOTE_QUEUE_URL and FOOTNOTE_STATE_TABLE are for the functions on AWS; "
                "`footnote serve` keeps queue and state in FOOTNOTE_HOME. Unset both."
            ]
        )
    if _has_sources(settings):
        _show(await sync_sources(settings))

    async with running(
        settings, sync=_again(settings), maintain=_tidied(settings), reconciles=True
    ) as address:
        where = f"at {address}/slack/events" if address else "over Socket Mode"
        terminal.tell(f"Footnote is listening {where}. Ctrl-C stops it.")
        await stopped.wait()
    return OK


def _again(settings: Settings) -> Callable[[], Awaitable[object]] | None:
    if not _has_sources(settings):
        return None
    return lambda: sync_sources(settings, quiet=True)


def _tidied(settings: Settings) -> Callable[[], Awaitable[object]]:
    return lambda: maintain_in_time(settings, force=False, seconds=None)


def _has_sources(settings: Settings) -> bool:
    return settings.docs is not None or settings.sources is not None


async def run_demo(
    settings: Settings, stopped: asyncio.Event, *, docs: Path | None, port: int | None
) -> int:
    """`footnote demo`: a local Slack, the bot and a handbook, until stopped."""
    from handlers.runtime.demo import demo_settings, free_port, playing

    settings = demo_settings(settings, docs=docs)
    terminal.tell(f"Reading {settings.docs} …")
    _show(await sync_sources(settings, confirm_deletion=True))
    async with playing(settings, port=free_port(port), sample=docs is None) as playground:
        print(f"\nOpen {playground.url} and ask @Footnote a question. Ctrl-C stops it.", flush=True)
        await stopped.wait()
    return OK
