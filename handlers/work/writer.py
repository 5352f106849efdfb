"""One writer at a time for an index: a lease in the state store that every change must hold.

::

    take ──────────▶ work ── renewed every third of the lease ── end ──▶ free at once
      │                │
      │                ├─ before each change: is the lease still ours? no ──▶ ClaimLost
      │                └─ a renewal finds it lost: the work is cancelled ───▶ ClaimLost
      └── held by another ──▶ WriterBusy(seconds)

Two locks on one door. The revision of the claim is a token that the store checks: it takes a write
only from whoever wrote last. The check before each change is such a write, so a writer whose
machine slept through its lease is told so before it changes anything more. A commit that was under
way when the lease lapsed is past that check; the index itself refuses it, for its successor has put
another token into the table by then (index/lance_fence.py).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from handlers.work.claims import Claim, Claims
from handlers.work.errors import StoreUnavailable, WorkError
from handlers.work.leases import kept
from handlers.work.ports import StateStore
from index.documents import stable_id

WRITER_LEASE_SECONDS: Final = 20.0
"""How long a writer that was killed keeps the next one waiting."""

T = TypeVar("T")
Fence = Callable[[], Awaitable[None]]


class WriterBusy(WorkError):
    """Another process writes this index. ``seconds`` from now its lease ends if it has died."""

    retryable = True

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            "Another process is writing this index. Wait until it has ended, then try again."
        )


class Writers:
    """Hands out the right to write an index, to one at a time."""

    def __init__(
        self,
        store: StateStore,
        *,
        lease_seconds: float = WRITER_LEASE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` counts seconds since the epoch, because several machines compare it."""
        self._claims = Claims(store, lease_seconds=lease_seconds, clock=clock)
        self._lease_seconds = lease_seconds

    async def alone(
        self, uri: str, work: Callable[[Fence], Awaitable[T]], *, patience: float = 0.0
    ) -> T:
        """Return what ``work`` returns, having held the index at ``uri`` all the while.

        ``work`` awaits the fence it is given before every change. ``patience`` is how many seconds
        another writer is waited for. Raises WriterBusy; ClaimLost when the lease was lost on the
        way, with ``work`` cancelled; StoreUnavailable.
        """
        claim = await self._taken(uri, patience)

        async def fence() -> None:
            # A note, and not a renewal, since that is silent once the claim was given back.
            await claim.note({})

        try:
            async with kept(claim.renew, every=self._lease_seconds / 3):
                return await work(fence)
        finally:
            with suppress(StoreUnavailable):  # then it ends by itself
                await claim.release()

    async def _taken(self, uri: str, patience: float) -> Claim:
        until = time.monotonic() + patience
        while True:
            taken = await self._claims.take(writer_key(uri))
            if isinstance(taken, Claim):
                return taken
            # Nobody marks this claim done, it is only ever given back.
            left = getattr(taken, "seconds", self._lease_seconds)
            if time.monotonic() >= until:
                raise WriterBusy(left)
            await asyncio.sleep(min(left, 1.0))


def writer_key(uri: str) -> str:
    """Name the claim of an index; a folder has one name however its path is written."""
    place = uri.rstrip("/") if "://" in uri else str(Path(uri).resolve())
    return f"writer:{stable_id('index', place)}"
