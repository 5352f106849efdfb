"""What `footnote eval` shows on a terminal."""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from handlers.judging.comparison import Compared, Comparison
from handlers.judging.intervals import Estimate
from handlers.judging.model_judge import Opinion
from handlers.judging.summary import ANSWERS, FIGURES, REFUSAL, RETRIEVAL, SetReport

WIDTH = 160
"""Columns where there is no terminal."""


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def show_sets(reports: Sequence[SetReport]) -> None:
    """Print a table for each part: one row a set, each figure with half of its interval."""
    console = _console()
    for part in (RETRIEVAL, ANSWERS, REFUSAL):
        named = [name for name, about in FIGURES.items() if about.part == part]
        named = [name for name in named if any(name in one.figures for one in reports)]
        if not named:
            continue
        table = Table(show_edge=False, title=f"{part}, ± half of the 95 % interval")
        table.add_column("set")
        for head in ("questions", *(FIGURES[name].title for name in named)):
            table.add_column(head, justify="right")
        for one in reports:
            cells = (share(one.figures.get(name)) for name in named)
            table.add_row(one.name, str(one.asked), *cells)
        console.print(table)
        console.print()
    _show_effort(console, reports)


def share(figure: Estimate | None) -> str:
    """Return a figure as three digits, and how far its interval reaches."""
    if figure is None:
        return "–"
    return f"{figure.mean:.3f} ±{(figure.high - figure.low) / 2:.3f}"


def _show_effort(console: Console, reports: Sequence[SetReport]) -> None:
    table = Table(show_edge=False, title="Effort, of the questions that were timed")
    heads = ("documents", "chunks", "timed", "retrieval p50 ms", "p95 ms", "whole p50 ms")
    table.add_column("set")
    for head in (*heads, "p95 ms", "tokens", "cost $"):
        table.add_column(head, justify="right")
    for one in reports:
        effort = one.effort
        tokens = (effort["prompt_tokens"] or 0) + (effort["completion_tokens"] or 0)
        times = ("retrieval_p50_ms", "retrieval_p95_ms", "whole_p50_ms", "whole_p95_ms")
        cost = effort["cost"]
        table.add_row(
            one.name,
            str(one.documents) if one.documents else "–",
            str(one.chunks),
            f"{effort['timed'] or 0:.0f}",
            *(_milliseconds(effort[name]) for name in times),
            f"{tokens:.0f}",
            "–" if cost is None else f"{cost:.4f}",
        )
    console.print(table)


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def show_opinions(opinions: Mapping[str, Opinion]) -> None:
    """Print what a model says, apart from the figures."""
    console = _console()
    console.print("\n[bold]A model's opinion[/bold], which decides nothing:")
    for name, one in opinions.items():
        said = "nothing" if one.share is None else f"{one.share:.3f} of {one.sentences} sentences"
        line = f"{name}: {one.model} finds {said} supported, {one.unread} unread."
        console.print(Text(line))


def show_comparison(comparison: Comparison) -> None:
    """Print what has changed, first in the recipe and then in the figures."""
    console = _console()
    console.print("\n[bold]Against the earlier report[/bold]")
    for note in comparison.notes:
        console.print(Text(note, style="yellow"))
    for change in comparison.changes:
        console.print(Text(f"changed: {change.name}: {change.before} → {change.after}"))
    if not comparison.changes:
        console.print("The configuration is the same.")
    for one in comparison.losses:
        console.print(Text(f"lost:   {in_words(one)}", style="red"))
    for one in comparison.gains:
        console.print(Text(f"gained: {in_words(one)}", style="green"))
    console.print(Text(verdict(comparison)))


def in_words(one: Compared) -> str:
    """Return a difference as a line."""
    found = one.difference
    return (
        f"{one.set} {FIGURES[one.figure].title} {one.before:.3f} → {one.after:.3f}"
        f" ({found.mean:+.3f}, 95 % interval {found.low:+.3f} to {found.high:+.3f},"
        f" {found.n} questions, p {one.p:.4f})"
    )


def verdict(comparison: Comparison) -> str:
    """Return what a comparison comes to, in a sentence."""
    lost, gained, all_ = (
        len(comparison.losses),
        len(comparison.gains),
        len(comparison.figures),
    )
    if lost:
        return f"A real loss: {lost} of {all_} figures are worse, {gained} are better."
    if gained:
        return f"No real loss: {gained} of {all_} figures are better, none is worse."
    return f"No real difference in {all_} figures."
