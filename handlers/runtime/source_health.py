"""`footnote sources`: how each source is, from what its last sync left behind.

A source that is declared no more is shown as long as documents of it are still found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from handlers.runtime import terminal, wiring
from handlers.runtime.settings import Settings
from handlers.runtime.sources import declared_sources
from handlers.work.syncs import UNDECLARED, SourceHealth, health_of, held_of

OK, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Look:
    """A source and its health, which is None before its first sync.

    ``kind`` is empty if the source is not declared any more.
    """

    name: str
    kind: str
    health: SourceHealth | None

    @property
    def in_step(self) -> bool:
        """Tell whether its last sync succeeded."""
        return self.health is not None and bool(self.health.synced_at) and not self.health.reason

    @property
    def state(self) -> str:
        """Say in a word or two how it is."""
        if not self.kind:
            return "NOT DECLARED"
        if self.in_step:
            return "in step"
        return "FAILED" if self.health is not None and self.health.reason else "never synced"


async def looked_at(settings: Settings) -> list[Look]:
    """Return all declared sources, then those that were declared and are still found.

    Raises SettingsError, CatalogInvalid, StoreUnavailable.
    """
    async with wiring.opened_store(settings) as store:
        declared = [
            Look(one.name, one.kind, await health_of(store, settings.index, one.name))
            for one in declared_sources(settings)
        ]
        held = await held_of(store, settings.index)
    names = {one.name for one in declared}
    left = [Look(name, "", _left_behind(held[name])) for name in sorted(held) if name not in names]
    return declared + left


async def run_sources(
    settings: Settings, *, as_json: bool, clock: Callable[[], float] = time.time
) -> int:
    """`footnote sources`: the exit code is 1 if one is not in step."""
    found = await looked_at(settings)
    if as_json:
        terminal.print_json({"sources": [{**asdict(one), "in_step": one.in_step} for one in found]})
    else:
        _show(found, clock())
    return OK if all(one.in_step for one in found) else FAILED


def _show(found: Sequence[Look], now: float) -> None:
    console = Console(highlight=False)
    table = Table(show_edge=False)
    for head in ("source", "kind", "state"):
        table.add_column(head)
    for head in ("in step", "documents", "skipped"):
        table.add_column(head, justify="right")
    for one in found:
        health = one.health or SourceHealth(at=0.0)
        table.add_row(
            one.name,
            one.kind,
            Text(one.state, style="green" if one.in_step else "red"),
            _age(health.synced_at, now),
            f"{health.documents:,}",
            f"{health.skipped:,}",
        )
    console.print(table)
    for one in found:
        if one.health is not None:
            _show_reasons(console, one.name, one.health)


def _left_behind(documents: int) -> SourceHealth:
    reason = UNDECLARED.format(documents=documents)
    return SourceHealth(at=0.0, reason=reason, documents=documents)


def _show_reasons(console: Console, name: str, health: SourceHealth) -> None:
    def line(text: str, style: str) -> None:
        console.print(Text(f"{name}: {text}", style=style), soft_wrap=True)

    if health.reason:
        line(health.reason, "red")
    for note in health.notes:
        line(note, "yellow")
    for location, reason in health.named:
        line(f"skipped {location}: {reason}", "yellow")
    if health.skipped > len(health.named):
        line(f"and {health.skipped - len(health.named):,} more", "yellow")


def _age(at: float | None, now: float) -> str:
    if at is None:
        return "never"
    seconds = max(now - at, 0.0)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
