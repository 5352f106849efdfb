"""Read the newest version of a table without waiting to be told which one that is.

::

    held version 7 ── both arms read 7 ───────────┐
                   └─ "is there a newer one?" ────┴─ no: what was read is the newest
                                                  └─ yes, 8: thrown away, and read again at 8

Asking costs a round trip to the bucket, about as long as the search itself. Nothing that was read
before the answer is in leaves this module unless the answer is no, so a row that was removed before
a search began is never served; only a search right after a commit takes twice as long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

ROUNDS = 3
"""Readings before commits that follow each other quickly are no longer waited for."""

T = TypeVar("T")


class Versioned(Protocol):
    """A table handle that stays at the version it holds until it is asked to move on."""

    async def checkout_latest(self) -> None:
        """Hold the newest version from now on."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


async def read_newest(
    table: Versioned,
    read: Callable[[], Awaitable[T]],
    *,
    held: Callable[[], Awaitable[object]],
    is_whole: Callable[[T], bool],
    catch_up: Callable[[], Awaitable[object]],
) -> T:
    """Return what ``read`` returns at a version that was the newest after this call began.

    ``held`` tells one state of one table from all others: a table that was made anew counts its
    versions from 1 again. ``read`` may be called several times. ``is_whole`` tells whether what it
    returned is of one version; ``catch_up`` is called beside it once the table has moved on.
    """
    before = await held()
    found, _ = await asyncio.gather(read(), table.checkout_latest())
    for _ in range(ROUNDS - 1):
        now = await held()
        if now == before and is_whole(found):
            break
        before = now
        # A version that was the newest a moment ago is new enough: the call had begun by then.
        found, _, _ = await asyncio.gather(read(), table.checkout_latest(), catch_up())
    return found
