"""The files of a commit, out of what git prints about it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Blob:
    """What a path holds at a commit: id of the content, size in bytes, and the path as bytes.

    Not ``plain`` is a link, whose content would be its target, or a submodule.
    """

    id: str
    size: int
    path: bytes
    plain: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of one commit. ``dates`` says when a path last changed, where that is known."""

    commit: str
    blobs: Sequence[Blob]
    dates: Mapping[bytes, datetime]


def blobs_of(listed: bytes) -> list[Blob]:
    """Return what ``ls-tree -r -z --long`` has listed; the size of a submodule is 0."""
    blobs = []
    for line in listed.split(b"\0"):
        about, _, path = line.partition(b"\t")
        if path:
            mode, _, name, size = about.split()
            plain = mode.startswith(b"100")
            blobs.append(Blob(name.decode(), int(size) if plain else 0, path, plain))
    return blobs


def dates_of(said: bytes) -> dict[bytes, datetime]:
    """Return when each path last changed, from ``log --raw -z --format=%ct``, newest first."""
    dates: dict[bytes, datetime | None] = {}
    moment: datetime | None = None
    parts = iter(said.split(b"\0"))
    for part in parts:
        if part.lstrip(b"\n").startswith(b":"):
            dates.setdefault(next(parts, b""), moment)
        elif part.strip():
            moment = _moment(part)
    return {path: date for path, date in dates.items() if date is not None}


def _moment(seconds: bytes) -> datetime | None:
    """Return the time of a commit, which anybody may have made up; None if it cannot be."""
    try:
        given = int(seconds)
        return datetime.fromtimestamp(given, UTC) if 0 < given <= time.time() else None
    except (ValueError, OverflowError, OSError):
        return None
