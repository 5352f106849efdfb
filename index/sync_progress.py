"""What a sync tells of itself: where it stands, what it did, and what it skipped. Pure."""

from dataclasses import dataclass, field


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
    """What a run did; ``added`` and ``changed`` count committed documents."""

    added: int = 0
    changed: int = 0
    embedded: int = 0
    reused: int = 0
    skipped: list[Skipped] = field(default_factory=list)
