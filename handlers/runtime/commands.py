"""The commands of the command line, each a coroutine that returns its exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bot.conversation import Answer, Question
from handlers.answering.ports import Finished
from handlers.runtime import terminal, wiring
from handlers.runtime.settings import Settings, SettingsError
from handlers.runtime.upkeep import remember_sync, write_index
from handlers.work.writer import WRITER_LEASE_SECONDS
from index.audience import Audience
from index.parsing import DocumentParser
from index.ports import Source
from index.sync import SyncReport, sync

if TYPE_CHECKING:
    from index.lance import LanceIndex

OK = 0


async def sync_documents(
    settings: Settings,
    *,
    source: Source | None = None,
    confirm_deletion: bool = False,
    quiet: bool = False,
) -> SyncReport:
    """Bring the index in step with the configured folder (or ``source``), showing progress."""
    source = source or wiring.document_source(settings)
    embedder = await asyncio.to_thread(wiring.indexing_embedder, settings)

    async def work(index: LanceIndex) -> SyncReport:
        with nullcontext(None) if quiet else terminal.sync_bar(f"syncing {source.name}") as show:
            return await sync(
                source,
                DocumentParser(),
                embedder,
                index,
                progress=show,
                confirm_deletion=confirm_deletion,
            )

    # Long enough for the lease of a writer that was killed to end.
    report = await write_index(settings, embedder, work, patience=WRITER_LEASE_SECONDS + 1)
    await remember_sync(settings)
    return report


async def run_sync(settings: Settings, *, as_json: bool, confirm_deletion: bool) -> int:
    """`footnote sync`: what cannot be read is named in the report, and is no failure."""
    report = await sync_documents(settings, confirm_deletion=confirm_deletion)
    if as_json:
        terminal.print_json(report)
    else:
        terminal.show_sync(report)
    return OK


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
    if settings.docs is not None:
        terminal.show_sync(await sync_documents(settings))

    async with running(settings, sync=_again(settings), reconciles=True) as address:
        where = f"at {address}/slack/events" if address else "over Socket Mode"
        terminal.tell(f"Footnote is listening {where}. Ctrl-C stops it.")
        await stopped.wait()
    return OK


def _again(settings: Settings) -> Callable[[], Awaitable[object]] | None:
    if settings.docs is None:
        return None
    return lambda: sync_documents(settings, quiet=True)


async def run_demo(
    settings: Settings, stopped: asyncio.Event, *, docs: Path | None, port: int | None
) -> int:
    """`footnote demo`: a local Slack, the bot and a handbook, until stopped."""
    from handlers.runtime.demo import demo_settings, free_port, playing

    settings = demo_settings(settings, docs=docs)
    terminal.tell(f"Reading {settings.docs} …")
    terminal.show_sync(await sync_documents(settings, confirm_deletion=True))
    async with playing(settings, port=free_port(port), sample=docs is None) as playground:
        print(f"\nOpen {playground.url} and ask @Footnote a question. Ctrl-C stops it.", flush=True)
        await stopped.wait()
    return OK
