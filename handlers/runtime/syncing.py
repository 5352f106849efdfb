"""A sync of all sources, one after the other; one that fails keeps none of the others waiting.

What became of each is remembered (handlers/work/syncs.py), so that `footnote sources` can show it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from handlers.work.errors import WorkError
from handlers.work.ports import StateStore
from handlers.work.syncs import (
    UNDECLARED,
    SourceHealth,
    health_of,
    note_health,
    note_held,
    note_sync,
)
from index.errors import (
    DocumentsMissing,
    KnowledgeError,
    SourceUnavailable,
    SuspiciousDeletion,
)
from index.fan_out import FanOut, keep_only
from index.ports import Embedder, Noted, Parser, Source
from index.sync import SyncProgress, SyncReport, sync

if TYPE_CHECKING:
    from index.lance import LanceIndex

log = logging.getLogger(__name__)

Show = Callable[[SyncProgress], None]
Showing = Callable[[str], AbstractContextManager[Show | None]]
"""Opens what shows the progress of the source of that name."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of one source: its report, or in ``reason`` why it is not in step.

    ``notes`` are what the source itself tells about its listing.
    """

    source: str
    report: SyncReport | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return the report and the reason as one flat object."""
        told = asdict(self.report) if self.report is not None else {"source": self.source}
        ended = {"complete": self.report is not None, "reason": self.reason}
        return {**told, **ended, "notes": self.notes}


@dataclass(frozen=True, slots=True)
class Syncing:
    """How sources are synced: the parts, and who is told."""

    parser: Parser
    embedder: Embedder
    store: StateStore
    uri: str
    confirm_deletion: bool = False
    showing: Showing = lambda name: nullcontext(None)
    observe: Callable[[SyncReport], None] = lambda report: None
    clock: Callable[[], float] = time.time
    fan_out: FanOut | None = None

    async def all(self, sources: Sequence[Source], index: LanceIndex) -> list[Synced]:
        """Bring the index in step with each source; the one that was tried longest ago is first.

        Raises what concerns all of them: EmbedderUnavailable, EmbedderMismatch, IndexUnavailable,
        WriterConflict, StoreUnavailable.
        """
        known = {one.name: await health_of(self.store, self.uri, one.name) for one in sources}
        done = [
            await self._one(source, index, known)
            for source in sorted(sources, key=lambda one: _waits_since(known[one.name]))
        ]
        done += await self._undeclared(index, known)
        if self.fan_out is not None:
            await keep_only(self.fan_out, known)
        if all(one.report is not None for one in done):
            await note_sync(self.store, self.uri, self.clock())
        return done

    async def _one(
        self, source: Source, index: LanceIndex, known: Mapping[str, SourceHealth | None]
    ) -> Synced:
        before = known[source.name] or SourceHealth(at=0.0)
        # A run that is ended from outside notes nothing more, and must not be the first again.
        await note_health(self.store, self.uri, source.name, replace(before, begun=self.clock()))
        try:
            with self.showing(source.name) as show:
                report = await sync(
                    source,
                    self.parser,
                    self.embedder,
                    index,
                    progress=show,
                    confirm_deletion=self.confirm_deletion,
                    # What is declared no more waits for its removal to be confirmed.
                    catalog=known.keys() if self.confirm_deletion else None,
                    fan_out=self.fan_out,
                )
        except (SourceUnavailable, SuspiciousDeletion, DocumentsMissing) as error:
            return await self._failed(source.name, before, str(error))
        except (KnowledgeError, WorkError):
            raise
        except Exception as error:
            # Whatever the code of one source trips over, it is no reason to leave out the others.
            log.error("the source %s failed: %s", source.name, type(error).__name__)
            return await self._failed(
                source.name, before, f"Its code failed ({type(error).__name__}); report it."
            )
        self.observe(report)
        notes = tuple(source.notes) if isinstance(source, Noted) else ()
        health = replace(_healthy(report, self.clock()), notes=notes, begun=self.clock())
        await note_health(self.store, self.uri, source.name, health)
        return Synced(source.name, report, notes=notes)

    async def _failed(self, name: str, before: SourceHealth, reason: str) -> Synced:
        now = self.clock()
        health = replace(before, at=now, begun=now, reason=reason)
        await note_health(self.store, self.uri, name, health)
        return Synced(name, reason=reason)

    async def _undeclared(self, index: LanceIndex, declared: Collection[str]) -> list[Synced]:
        """Remove what the index holds of sources that are no longer declared, once confirmed."""
        left = []
        held = dict(await index.held())
        for name in sorted(held.keys() - declared):
            if self.confirm_deletion:
                await index.remove_source(name)
                del held[name]
            else:
                left.append(Synced(name, reason=UNDECLARED.format(documents=held[name])))
        await note_held(self.store, self.uri, held)
        return left


def _waits_since(health: SourceHealth | None) -> float:
    return health.begun if health else 0.0


def _healthy(report: SyncReport, at: float) -> SourceHealth:
    return SourceHealth(
        at=at,
        synced_at=at,
        documents=report.added + report.changed + report.unchanged,
        skipped=len(report.skipped),
        named=tuple((one.location, one.reason) for one in report.skipped),
    )
