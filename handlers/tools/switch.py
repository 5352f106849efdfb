"""What stops agents: the switch for all of them, and the Stop button of one thread.

Both are read from the store at every step and every two seconds while something runs. Where the
store does not answer, nothing of an agent can go on either.
"""

import time
from collections.abc import Callable
from typing import Final

from handlers.work.jobs import AgentJob
from handlers.work.ports import StateStore

_SWITCH = "agents:switch"

_FOR_EVER: Final = 20 * 365 * 24 * 3600.0
"""A switch that were forgotten would set agents going by itself."""

STOP_SECONDS: Final = 30 * 24 * 3600.0
"""How long Stop is remembered: as long as the longest run."""


class Switch:
    """The switch that stops all agents of an installation. Raises StoreUnavailable."""

    def __init__(self, store: StateStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def stopped(self) -> bool:
        """Tell whether agents may not go on. What cannot be understood stops them."""
        item = await self._store.get(_SWITCH)
        return item is not None and item.value.get("stopped") is not False

    async def stop(self, by: str) -> None:
        """Stop all agents until ``start``. ``by`` says who did, for the operator."""
        await self._set(True, by)

    async def start(self, by: str) -> None:
        """Let agents go on."""
        await self._set(False, by)

    async def _set(self, stopped: bool, by: str) -> None:
        value = {"stopped": stopped, "by": by, "at": self._clock()}
        await self._store.put(_SWITCH, value, _FOR_EVER)


class ThreadStops:
    """Somebody pressed Stop in a thread: runs that had begun there by then end.

    Times are seconds since the epoch; a run begins at the ``ts`` of its mention. Raises
    StoreUnavailable.
    """

    def __init__(self, store: StateStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def stop(self, team: str, channel: str, thread_ts: str, by: str) -> None:
        """Stop what runs or waits in the thread now."""
        value = {"by": by, "at": self._clock()}
        await self._store.put(_stop(team, channel, thread_ts), value, STOP_SECONDS)

    async def stopped_by(self, job: AgentJob) -> str:
        """Return who stopped the run of ``job``, "" when nobody did."""
        item = await self._store.get(_stop(job.team, job.channel, job.thread_ts))
        if item is None:
            return ""
        at, by = item.value.get("at"), item.value.get("by")
        try:
            later = isinstance(at, int | float) and float(job.ts) > at
        except ValueError:
            later = False
        return "" if later else str(by or "somebody")


def _stop(team: str, channel: str, thread_ts: str) -> str:
    return f"agent-stop:{team}:{channel}:{thread_ts}"
