"""The audit log: who asked, what was proposed, shown, decided and run, and what came back.

It is the one place that keeps arguments as they were shown. Entries are added and read; there is no
way to change or remove one.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Protocol

MAX_DETAILS_BYTES: Final = 256 * 1024
"""DynamoDB takes items of 400 KB."""

_LONGEST = 64 * 1024
_CUT = " … (cut)"


class AuditEvent(StrEnum):
    """What happened."""

    ASKED = "asked"
    PROPOSED = "proposed"
    SHOWN = "shown"
    APPROVED = "approved"
    REJECTED = "rejected"
    EDITED = "edited"
    EXPIRED = "expired"
    ALLOWED_BY_POLICY = "allowed-by-policy"
    RAN = "ran"
    RETURNED = "returned"
    FAILED = "failed"
    UNDONE = "undone"
    STOPPED = "stopped"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One event of a run. ``user`` did it, or is the one for whom the agent did it.

    ``at`` has a time zone. ``tool`` is "" where none is concerned. ``details`` is JSON: arguments
    as they were shown and results as they came, longer strings cut. Of entries with the same ``at``
    and the same ``id`` only the first is kept, so that a step that is done again adds nothing; with
    an empty ``id`` each is kept.
    """

    at: datetime
    run: str
    team: str
    channel: str
    user: str
    event: AuditEvent
    tool: str = ""
    details: Mapping[str, object] = field(default_factory=dict, repr=False)
    id: str = ""


class AuditLog(Protocol):
    """Where the entries go. Both methods raise StoreUnavailable."""

    async def append(self, entry: AuditEntry) -> None:
        """Return when the entry survives the death of this process."""
        ...

    def read(self, since: datetime, until: datetime) -> AsyncIterator[AuditEntry]:
        """Yield entries in the order of their times, from ``since`` to before ``until``."""
        ...


def stamp(at: datetime) -> str:
    """Return a time as text that sorts like times. Raises ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError("A time in the audit log has a time zone.")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode_entry(entry: AuditEntry) -> str:
    """Return an entry as JSON. Raises TypeError or ValueError for details that are not JSON."""
    longest = _LONGEST
    text = _encoded(entry, longest)
    while len(text) > MAX_DETAILS_BYTES and longest:
        longest //= 2
        text = _encoded(entry, longest)
    if len(text) > MAX_DETAILS_BYTES:
        raise ValueError("The details of an audit entry are too many.")
    return text


def decode_entry(text: str) -> AuditEntry:
    """Read an entry back. Raises ValueError for what no version of this code wrote."""
    try:
        held = json.loads(text)
        return AuditEntry(
            at=datetime.fromisoformat(held["at"]),
            event=AuditEvent(held["event"]),
            details=dict(held["details"]),
            **{name: str(held[name]) for name in ("run", "team", "channel", "user", "tool", "id")},
        )
    except (KeyError, TypeError) as error:
        raise ValueError("The audit log holds something that is not an entry.") from error


def _encoded(entry: AuditEntry, longest: int) -> str:
    held = {name: getattr(entry, name) for name in ("run", "team", "channel", "user", "tool", "id")}
    about = {"at": stamp(entry.at), "event": entry.event.value, **held}
    # ASCII, so that half a character that a tool returned is no trouble to any database.
    details = {str(key): _cut(held, longest) for key, held in entry.details.items()}
    if isinstance(entry.details.get("arguments"), str):
        # Bounded by arguments.py, and worth nothing unless they are whole.
        details["arguments"] = entry.details["arguments"]
    return json.dumps({**about, "details": details}, allow_nan=False)


def _cut(value: object, longest: int) -> object:
    if isinstance(value, str):
        return value if len(value) <= longest else value[:longest] + _CUT
    if isinstance(value, Mapping):
        return {str(key): _cut(held, longest) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(held, longest) for held in value]
    return value
