"""How often something may happen, counted in the store, so that no restart forgets it.

::

    one hour ── in 24 slots of 150 s ──► what is older than an hour for certain is forgotten
      │3│ │1│ │ │5│ ... │2│ now         11 of 20: yes, and it is counted before it happens
                                        20 of 20: no; come back when the oldest slot is forgotten

No stretch of an hour ever has more than its limit, wherever it begins, which counting from one full
hour to the next would not keep. The price is that a slot is forgotten up to a 24th too late.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from handlers.work.errors import StoreUnavailable
from handlers.work.ports import StateStore

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR

_SLOTS = 24
_ROUNDS = 20
_LONGEST_PAUSE = 200
"""In milliseconds; a random part of it lets another process go first."""

_Slots = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``most`` in any ``seconds``."""

    most: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Spent:
    """A rate that is used up for now. In ``seconds`` there is room for one more."""

    rate: Rate
    seconds: float


class Rates:
    """Counts what happens under each key against all of the rates.

    ``clock`` counts seconds since the epoch, because several processes compare it.
    """

    def __init__(
        self, store: StateStore, rates: Sequence[Rate], *, clock: Callable[[], float] = time.time
    ) -> None:
        if any(rate.most < 1 or rate.seconds <= 0 for rate in rates):
            raise ValueError("A rate allows at least one in more than no time.")
        self._store = store
        self._rates = tuple(rates)
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}

    async def take(self, key: str) -> Spent | None:
        """Count one more under ``key``, unless a rate is used up: then nothing is counted.

        Raises StoreUnavailable, also where other processes count so busily that this one never
        comes to it: what was not counted must not happen.
        """
        if not self._rates:
            return None
        # Only other processes are then competed with, and one key never waits for another.
        async with self._locks.setdefault(key, asyncio.Lock()):
            for _ in range(_ROUNDS):
                found = await self._store.get(key)
                now = self._clock()
                kept = [_live(found.value if found else {}, rate, now) for rate in self._rates]
                spent = [_spent(*pair, now) for pair in zip(kept, self._rates, strict=True)]
                longest = max(filter(None, spent), key=lambda one: one.seconds, default=None)
                if longest is not None:
                    return longest
                value = {
                    _name(rate): {str(slot): count for slot, count in _more(slots, rate, now)}
                    for slots, rate in zip(kept, self._rates, strict=True)
                }
                ttl = max(rate.seconds for rate in self._rates) * (1 + 1 / _SLOTS)
                if found is None:
                    written = await self._store.put_if_absent(key, value, ttl)
                else:
                    written = await self._store.replace(key, value, ttl, found.revision)
                if written is not None:
                    return None
                await asyncio.sleep(secrets.randbelow(_LONGEST_PAUSE) / 1000)
        raise StoreUnavailable("Too many processes count the same thing at once.")


def _live(value: Mapping[str, object], rate: Rate, now: float) -> dict[int, int]:
    """Return the slots that a stretch of ``rate.seconds`` which ends now may reach into.

    Slots that lie ahead, of a clock that runs before this one, count as well.
    """
    slots = value.get(_name(rate))
    oldest = _slot(rate, now) - _SLOTS
    if not isinstance(slots, dict):
        return {}
    return {int(slot): count for slot, count in slots.items() if int(slot) >= oldest}


def _spent(slots: _Slots, rate: Rate, now: float) -> Spent | None:
    left = sum(slots.values())
    forgotten = None
    for slot in sorted(slots):
        if left < rate.most:
            break
        left -= slots[slot]
        forgotten = slot
    if forgotten is None:
        return None
    return Spent(rate, (forgotten + _SLOTS + 1) * rate.seconds / _SLOTS - now)


def _more(slots: _Slots, rate: Rate, now: float) -> list[tuple[int, int]]:
    slot = _slot(rate, now)
    return sorted({**slots, slot: slots.get(slot, 0) + 1}.items())


def _slot(rate: Rate, now: float) -> int:
    return math.floor(now / (rate.seconds / _SLOTS))


def _name(rate: Rate) -> str:
    return f"{rate.seconds:g}"
