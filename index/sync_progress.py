"""What a sync tells of itself: where it stands, what it did, and what it skipped. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that could not be indexed, and a sentence that says why."""

    location: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """Where a sync stands. ``stage`` is listing, syncing, finishing or done.

    ``listed``, ``to_fetch``, ``fetched``, ``committed`` and ``skipped`` count documents. The chunks
    of all fetched documents are ``known_chunks``; each ends as embedded or reused.
    """

    stage: str = "listing"
    listed: int = 0
    to_fetch: int = 0
    fetched: int = 0
    known_chunks: int = 0
    embedded_chunks: int = 0
    reused_chunks: int = 0
    committed: int = 0
    skipped: int = 0


@dataclass(slots=True)
class Done:
    """What a run did; ``added`` and ``changed`` count committed documents.

    ``missing`` counts documents that somebody else was asked to prepare and that did not come;
    ``reasons`` are sentences that tell why, as far as anybody knows.
    """

    added: int = 0
    changed: int = 0
    embedded: int = 0
    reused: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    missing: int = 0
    reasons: list[str] = field(default_factory=list)


class Telling:
    """Where a sync stands, and whoever wants to know it. ``done`` is what its run did."""

    def __init__(self, tell: Callable[[SyncProgress], None] | None) -> None:
        """``tell`` is called with every change, and must not block."""
        self._tell = tell
        self.now = SyncProgress()
        self.done = Done()

    def note(self, **values: int | str) -> None:
        """Change some of the numbers, or the stage."""
        self.now = replace(self.now, **values)  # type: ignore[arg-type]
        if self._tell is not None:
            self._tell(self.now)

    def skip(self, *skipped: Skipped) -> None:
        """Note documents that could not be indexed."""
        self.done.skipped.extend(skipped)
        self.note(skipped=len(self.done.skipped))
