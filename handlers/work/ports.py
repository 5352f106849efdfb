"""Where work waits and where its state is kept: SQS and DynamoDB, or SQLite on a laptop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from handlers.work.jobs import Job


@dataclass(frozen=True, slots=True)
class Item:
    """A stored value. ``revision`` changes with every write; conditional writes name it."""

    value: Mapping[str, object]
    revision: str


class JobQueue(Protocol):
    """Accepts work durably. First in, first out within ``job.group``; at least once."""

    async def put(self, job: Job) -> None:
        """Return only when the job survives the death of this process. Raises QueueUnavailable."""
        ...


class StateStore(Protocol):
    """A key-value table with conditional writes and a time to live. Values are JSON objects.

    Keys have 1 to 1,024 bytes, values up to 256 KiB (DynamoDB takes 2,048 bytes and 400 KB), and a
    time to live is longer than 0 seconds; anything else is a ValueError. All methods raise
    StoreUnavailable when the table does not answer.
    """

    async def get(self, key: str) -> Item | None:
        """Return the item, or None when it is absent or past its time to live."""
        ...

    async def put_if_absent(self, key: str, value: Mapping[str, object], ttl: float) -> str | None:
        """Write for ``ttl`` seconds unless the key is there; return the revision if written."""
        ...

    async def replace(
        self, key: str, value: Mapping[str, object], ttl: float, revision: str
    ) -> str | None:
        """Overwrite only at ``revision``; return the new revision if it was written."""
        ...

    async def put(self, key: str, value: Mapping[str, object], ttl: float) -> None:
        """Write for ``ttl`` seconds, whatever was there."""
        ...

    async def delete(self, key: str, revision: str | None = None) -> bool:
        """Delete, only at ``revision`` if one is given; tell whether something was deleted."""
        ...


class ListedStore(StateStore, Protocol):
    """A StateStore that can be looked through, which takes long: for operators, not for answers."""

    async def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with ``prefix``, in any order. Raises StoreUnavailable."""
        ...
