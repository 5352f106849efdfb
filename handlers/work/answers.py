"""Answers that were given, kept so that their footnotes can be opened later.

Only the footnotes are kept: title, address and quote come from documents, so the row holds nothing
that a person wrote in Slack. With each go the opaque ids of those who could read its document.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from bot.conversation import Answer, Citation
from handlers.work.ports import StateStore
from index.audience import EVERYONE

KEPT_SECONDS = 90 * 24 * 3600
"""How long a footnote can be opened: 90 days."""

MOST_READERS = 100
"""Readers that are kept of a footnote: ten footnotes, and the row is a tenth of DynamoDB's 400 KB.
Whoever is left out cannot open it, and asks again."""


async def keep_answer(store: StateStore, key: str, answer: Answer) -> None:
    """Store the footnotes of the answer to the job ``key``. Raises StoreUnavailable."""
    await store.put(_row(key), {"citations": [_as_row(c) for c in answer.citations]}, KEPT_SECONDS)


async def is_kept(store: StateStore, key: str) -> bool:
    """Tell whether the footnotes of the answer to the job ``key`` are kept (still)."""
    return await store.get(_row(key)) is not None


async def kept_citation(store: StateStore, key: str, number: int) -> Citation | None:
    """Return footnote ``number`` of that answer, or None when it is not kept (any more)."""
    item = await store.get(_row(key))
    rows = item.value.get("citations") if item else None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping) and row.get("number") == number:
            return _from_row(row)
    return None


async def kept_citations(store: StateStore, key: str) -> list[Citation]:
    """Return the footnotes of that answer that are kept (still)."""
    item = await store.get(_row(key))
    rows = item.value.get("citations") if item else None
    found = rows if isinstance(rows, list) else []
    return [_from_row(row) for row in found if isinstance(row, Mapping)]


def _row(key: str) -> str:
    return f"answer:{key}"


def _as_row(citation: Citation) -> dict[str, object]:
    row = asdict(citation)
    row["updated_at"] = citation.updated_at.isoformat() if citation.updated_at else ""
    row["readers"] = sorted(citation.readers, key=lambda one: (one != EVERYONE.id, one))
    row["readers"] = row["readers"][:MOST_READERS]
    return row


def _from_row(row: Mapping[str, object]) -> Citation:
    values = {name: row[name] for name in Citation.__slots__ if name in row}
    updated_at = values.pop("updated_at", "")
    # Rows without readers were kept when all documents were open to everyone.
    named = values.pop("readers", [EVERYONE.id])
    readers = frozenset(map(str, named)) if isinstance(named, list) else frozenset()
    when = datetime.fromisoformat(str(updated_at)) if updated_at else None
    return Citation(**values, readers=readers, updated_at=when)  # type: ignore[arg-type]
