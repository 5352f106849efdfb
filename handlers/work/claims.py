"""Do a thing once, although it is delivered more than once and workers die.

::

    take ──────────► Claim ── renew ── note ── renew ── done ──────────────► forgotten after 24 h
                     │◄────── lease ──────►│              │
    another take ──► Held(seconds left)    │              └─ another take ──► Done(result): drop
                                           │
              the worker died: lease lapses│
    another take ─────────────────────────►└─ Claim(taken_over, notes) ── ... ── done
    the slow worker wakes up: renew, note, done ──► ClaimLost

Every write is conditional on the revision that the worker wrote last, so the revision is a fencing
token: a worker whose place was taken cannot mark anything done, whatever its clock says. Clocks
only decide how early a lease is taken over; they should agree within a few seconds.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from handlers.work.errors import ClaimLost
from handlers.work.jobs import DEDUPE_SECONDS
from handlers.work.ports import Item, StateStore

_ROUNDS = 5
_EMPTY: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Done:
    """It was done before; drop it. ``result`` is what the worker left."""

    result: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody is at it. Ask again in ``seconds``, when the lease will have lapsed if they died."""

    seconds: float


class Claim:
    """The right to do the work named ``key``, for as long as the lease is renewed in time.

    ``taken_over`` tells that another worker began and did not end; ``notes`` are what it left, such
    as the ts of messages that it had posted.
    """

    def __init__(
        self,
        store: StateStore,
        key: str,
        *,
        revision: str,
        lease_seconds: float,
        clock: Callable[[], float],
        notes: Mapping[str, object] = _EMPTY,
        taken_over: bool = False,
    ) -> None:
        self.key = key
        self.taken_over = taken_over
        self._name = _name(key)
        self._store = store
        self._revision = revision
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._notes = dict(notes)
        # A renewal in the background and a note from the work itself must not fence each other off.
        self._one_at_a_time = asyncio.Lock()
        self._ended = False

    @property
    def notes(self) -> Mapping[str, object]:
        """Everything noted so far, by this worker and by those before it."""
        return dict(self._notes)

    async def note(self, notes: Mapping[str, object]) -> None:
        """Add to what a successor must know, and renew the lease. Raises ClaimLost."""
        self._notes.update(notes)
        await self._alone(self._hold)

    async def renew(self) -> None:
        """Start the lease again from now. Raises ClaimLost when another worker took over.

        Does nothing once the work is done or released, since renewals go on in the background.
        """
        await self._alone(self._hold, quietly=True)

    async def done(
        self, result: Mapping[str, object] = _EMPTY, *, ttl: float = DEDUPE_SECONDS
    ) -> None:
        """Mark the work done for ``ttl`` seconds. Raises ClaimLost when it was taken over."""

        async def finish() -> None:
            await self._write({"state": "done", "result": dict(result)}, ttl)
            self._ended = True

        await self._alone(finish)

    async def release(self) -> None:
        """Give the work back at once, without having done it. Does nothing when it was lost.

        Notes stay for whoever comes next; without notes the next one starts afresh.
        """

        async def give_back() -> None:
            if self._notes:
                await self._write(_held(0.0, self._notes), DEDUPE_SECONDS)
            else:
                await self._store.delete(self._name, self._revision)
            self._ended = True

        with suppress(ClaimLost):
            await self._alone(give_back, quietly=True)

    async def _alone(self, change: Callable[[], Awaitable[None]], *, quietly: bool = False) -> None:
        async def locked() -> None:
            async with self._one_at_a_time:
                if not self._ended:
                    await change()
                elif not quietly:
                    raise ClaimLost("This claim was given back already.")

        # Shielded: a write that was cancelled half-way may yet be done, and if its revision were
        # not learned, the rightful holder would fence itself off.
        await asyncio.shield(locked())

    async def _hold(self) -> None:
        until = self._clock() + self._lease_seconds
        await self._write(_held(until, self._notes), DEDUPE_SECONDS)

    async def _write(self, value: Mapping[str, object], ttl: float) -> None:
        written = await self._store.replace(self._name, value, ttl, self._revision)
        if written is None:
            raise ClaimLost("The lease lapsed, and another worker took over.")
        self._revision = written


class Claims:
    """Hands out claims on keys of a store.

    ``lease_seconds`` is how long a dead worker keeps others waiting; a living one renews within it.
    ``clock`` counts seconds since the epoch, because several machines compare it.
    """

    def __init__(
        self,
        store: StateStore,
        *,
        lease_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not 0 < lease_seconds < DEDUPE_SECONDS:
            raise ValueError("A lease is longer than 0 seconds and shorter than a day.")
        self._store = store
        self._lease_seconds = lease_seconds
        self._clock = clock

    async def take(self, key: str) -> Claim | Done | Held:
        """Take ``key``, or say why not. Raises StoreUnavailable."""
        name = _name(key)
        # Between two calls the other side may end, lapse or expire; each of these is progress
        # somewhere, so a few rounds settle it.
        for _ in range(_ROUNDS):
            lease = _held(self._clock() + self._lease_seconds, _EMPTY)
            revision = await self._store.put_if_absent(name, lease, DEDUPE_SECONDS)
            if revision is not None:
                return self._claim(key, revision)
            item = await self._store.get(name)
            if item is None:
                continue
            outcome = await self._meet(key, item)
            if outcome is not None:
                return outcome
        return Held(self._lease_seconds)

    async def _meet(self, key: str, item: Item) -> Claim | Done | Held | None:
        if item.value.get("state") == "done":
            return Done(_mapping(item.value.get("result")))
        now = self._clock()
        until = item.value.get("lease_until")
        # Never later than a whole lease from now, whatever the holder's clock wrote.
        left = min(until - now, self._lease_seconds) if isinstance(until, int | float) else 0.0
        if left > 0:
            return Held(left)
        notes = _mapping(item.value.get("notes"))
        revision = await self._store.replace(
            _name(key), _held(now + self._lease_seconds, notes), DEDUPE_SECONDS, item.revision
        )
        return self._claim(key, revision, notes, taken_over=True) if revision else None

    def _claim(
        self,
        key: str,
        revision: str,
        notes: Mapping[str, object] = _EMPTY,
        *,
        taken_over: bool = False,
    ) -> Claim:
        return Claim(
            self._store,
            key,
            revision=revision,
            lease_seconds=self._lease_seconds,
            clock=self._clock,
            notes=notes,
            taken_over=taken_over,
        )


async def was_taken(store: StateStore, key: str) -> bool:
    """Tell whether ``key`` was ever taken, as far as the store remembers.

    Raises StoreUnavailable.
    """
    return await store.get(_name(key)) is not None


def _held(until: float, notes: Mapping[str, object]) -> Mapping[str, object]:
    return {"state": "held", "lease_until": until, "notes": dict(notes)}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _name(key: str) -> str:
    return f"claim:{key}"
