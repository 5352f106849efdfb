"""When an index was last brought in step, as a whole and source by source.

The doctor and an alarm look at the age of the whole; `footnote sources` shows each source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.work.ports import StateStore
from index.documents import stable_id

KEPT_SECONDS = 365 * 24 * 3600
"""A sync that nobody repeated for a year is as good as none."""

MOST_SKIPPED = 50
"""Skipped documents that are remembered by name; the report of the sync names all of them."""

MOST_CHARACTERS = 500
"""What is remembered of a place or a reason; a row of the table has its limits."""

UNDECLARED = (
    "It is not declared any more, and {documents} of its documents are still found. If that is"
    " meant, sync again with --confirm-deletion, and they are removed."
)
"""What is said of a source that left the catalog and not the index."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a source is. ``at`` and ``synced_at`` are seconds since the epoch.

    ``at`` is the end of the last try and ``synced_at`` that of the last one which brought the
    source in step, None if there was none. ``reason`` says what kept the last try from that, and is
    empty if nothing did. ``documents`` were in step then; ``skipped`` could not be read, the first
    ``MOST_SKIPPED`` of them as (location, reason). ``notes`` are what the source told besides.
    ``begun`` is when the last try began, which may have been ended from outside.
    """

    at: float
    synced_at: float | None = None
    reason: str = ""
    documents: int = 0
    skipped: int = 0
    named: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    begun: float = 0.0


async def note_sync(store: StateStore, uri: str, at: float) -> None:
    """Remember that the index at ``uri`` was in step ``at`` (seconds since the epoch)."""
    await store.put(_row(uri), {"at": at}, KEPT_SECONDS)


async def last_sync(store: StateStore, uri: str) -> float | None:
    """Return when that was, or None if never. Raises StoreUnavailable."""
    item = await store.get(_row(uri))
    at = item.value.get("at") if item else None
    return float(at) if isinstance(at, int | float) else None


async def note_health(store: StateStore, uri: str, source: str, health: SourceHealth) -> None:
    """Remember how a source is. Raises StoreUnavailable."""
    value: dict[str, object] = {
        "at": health.at,
        "begun": health.begun,
        "reason": _short(health.reason),
        "documents": health.documents,
        "skipped": health.skipped,
        "notes": [_short(one) for one in health.notes[:MOST_SKIPPED]],
        "named": [[_short(one) for one in pair] for pair in health.named[:MOST_SKIPPED]],
    }
    if health.synced_at is not None:
        value["synced_at"] = health.synced_at
    await store.put(_row(uri, source), value, KEPT_SECONDS)


async def health_of(store: StateStore, uri: str, source: str) -> SourceHealth | None:
    """Return how a source was at its last sync, or None if there was none yet.

    Raises StoreUnavailable.
    """
    item = await store.get(_row(uri, source))
    return _health(item.value) if item else None


async def note_held(store: StateStore, uri: str, held: Mapping[str, int]) -> None:
    """Remember what the index holds: source -> how many documents. Raises StoreUnavailable."""
    await store.put(_row(uri, _HELD), {"documents": dict(held)}, KEPT_SECONDS)


async def held_of(store: StateStore, uri: str) -> Mapping[str, int]:
    """Return what the index held after the last sync, by source; empty before the first one.

    Raises StoreUnavailable.
    """
    item = await store.get(_row(uri, _HELD))
    held = item.value.get("documents") if item else None
    found = held.items() if isinstance(held, Mapping) else ()
    return {str(source): int(_number(documents) or 0) for source, documents in found}


def _health(value: Mapping[str, object]) -> SourceHealth:
    named, notes = value.get("named"), value.get("notes")
    pairs = named if isinstance(named, Sequence) else ()
    return SourceHealth(
        at=_number(value.get("at")) or 0.0,
        synced_at=_number(value.get("synced_at")),
        reason=str(value.get("reason", "")),
        documents=int(_number(value.get("documents")) or 0),
        skipped=int(_number(value.get("skipped")) or 0),
        named=tuple((str(where), str(why)) for where, why in pairs),
        notes=tuple(map(str, notes)) if isinstance(notes, Sequence) else (),
        begun=_number(value.get("begun")) or 0.0,
    )


def _short(text: str) -> str:
    return text[:MOST_CHARACTERS]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


_HELD = "/held"
"""Stands where the name of a source would, and is none: those have no slash."""


def _row(uri: str, *source: str) -> str:
    return f"synced:{stable_id('index', uri, *source)}"
