"""When an index was last brought in step: the doctor and an alarm look at the age of that."""

from handlers.work.ports import StateStore
from index.documents import stable_id

KEPT_SECONDS = 365 * 24 * 3600
"""A sync that nobody repeated for a year is as good as none."""


async def note_sync(store: StateStore, uri: str, at: float) -> None:
    """Remember that the index at ``uri`` was in step ``at`` (seconds since the epoch)."""
    await store.put(_row(uri), {"at": at}, KEPT_SECONDS)


async def last_sync(store: StateStore, uri: str) -> float | None:
    """Return when that was, or None if never. Raises StoreUnavailable."""
    item = await store.get(_row(uri))
    at = item.value.get("at") if item else None
    return float(at) if isinstance(at, int | float) else None


def _row(uri: str) -> str:
    return f"synced:{stable_id('index', uri)}"
