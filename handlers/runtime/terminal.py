"""What the command line shows: progress, answers and tables, or one JSON object for programs.

Everything but the result goes to stderr, so that stdout can be piped.
"""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from bot.conversation import Answer
from bot.notes import instead, notes
from index.sync import SyncProgress, SyncReport

PLAIN_SECONDS = 10.0
"""Without a terminal, progress is a plain line at most this often."""


def print_json(result: object) -> None:
    """Print one JSON object on stdout; dataclasses, dates and paths become plain values."""
    print(json.dumps(plain(result), ensure_ascii=False, indent=2))


def plain(value: object) -> object:
    """Return the value made of dicts, lists, strings, numbers and None only."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, or a plain line now and then; yields a (done, total) callback."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(what)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _plain_lines(what: str) -> Callable[[int, int], None]:
    import time

    last = time.monotonic()

    def line(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_SECONDS:
            last = time.monotonic()
            print(f"{what}: {done} of {total}", file=sys.stderr, flush=True)

    return line


@contextmanager
def sync_bar(what: str) -> Iterator[Callable[[SyncProgress], None]]:
    """Show the progress of a sync in chunks, which move all the time.

    How many there will be is known when all documents are fetched, and estimated until then.
    """
    with bar(what) as advance:
        yield lambda p: advance(*chunks_through(p))


def chunks_through(progress: SyncProgress) -> tuple[int, int]:
    """Return the chunks that are embedded or reused, and how many there will be, about."""
    through = progress.embedded_chunks + progress.reused_chunks
    expected = round(progress.known_chunks * progress.to_fetch / max(progress.fetched, 1))
    return through, max(expected, through)


def show_sync(report: SyncReport) -> None:
    """Print what a sync did, in sentences."""
    console = Console(highlight=False)
    changes = f"{report.added} added, {report.changed} changed, {report.removed} removed"
    console.print(f"[bold]{report.source}[/bold]: {changes}, {report.unchanged} unchanged.")
    if report.chunks_embedded:
        console.print(
            f"{report.chunks_embedded} chunks embedded in {report.seconds:.1f} s"
            f" ({report.chunks_per_second:.0f} a second), {report.chunks_reused} reused."
        )
    else:
        console.print("Nothing to embed: the index is in step.")
    if report.awaited:
        names = ", ".join(report.awaited)
        console.print(f"The old index answers until these sources are in the new one: {names}.")
    for skipped in report.skipped:
        console.print(Text(f"skipped {skipped.location}: {skipped.reason}", style="yellow"))


def show_answer(answer: Answer) -> None:
    """Print an answer with its footnotes, and what is less than whole about it."""
    console = Console(highlight=False)
    _show_answer(console, answer)
    for note in notes(answer):
        console.print(Text(note, style="yellow"))


def _show_answer(console: Console, answer: Answer) -> None:
    if not answer.sentences:
        console.print(Text(instead(answer)))
        for page in answer.nearby:
            where = " › ".join(part for part in (page.title, page.heading) if part)
            console.print(Text(f"  nearest: {where}"))
        return
    body = ""
    for sentence in answer.sentences:
        marks = "".join(f"[{number}]" for number in sentence.citations)
        body += f"{sentence.lead}{sentence.text}{' ' if marks else ''}{marks}"
    console.print(Text(body.strip()))
    console.print()
    for citation in answer.citations:
        where = " › ".join(part for part in (citation.title, citation.heading) if part)
        console.print(Text(f"[{citation.number}] {where}", style="bold"))
        console.print(Text(f"    “{' '.join(citation.quote.split())}”"))
        if citation.url:
            console.print(Text(f"    {citation.url}", style="dim"))


def tell(sentence: str) -> None:
    """Print a line of what is going on, on stderr."""
    Console(stderr=True, highlight=False).print(Text(sentence))
