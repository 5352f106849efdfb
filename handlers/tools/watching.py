"""Stops a run at the kill switch or the Stop button: before each step, and while one goes on."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from handlers.tools.errors import AgentsStopped, RunStopped
from handlers.tools.switch import Switch, ThreadStops
from handlers.work.errors import StoreUnavailable
from handlers.work.jobs import AgentJob

LOOK_SECONDS: Final = 2.0
"""How often is looked; what goes on is then cancelled within 5 seconds of the switch."""

_T = TypeVar("_T")


class Watch:
    """Watches over one run. ``every`` is in seconds."""

    def __init__(
        self, switch: Switch, stops: ThreadStops, job: AgentJob, *, every: float = LOOK_SECONDS
    ) -> None:
        self._switch = switch
        self._stops = stops
        self._job = job
        self._every = every

    async def look(self) -> None:
        """Raise AgentsStopped or RunStopped if the run may not go on; StoreUnavailable."""
        if await self._switch.stopped():
            raise AgentsStopped("An administrator has stopped all agents.")
        if await self._stops.stopped_by(self._job):
            raise RunStopped("Somebody stopped this run.")

    async def during(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Return what ``work`` returns; cancel it, and raise like ``look``, when it must stop.

        A store that does not answer while something runs is asked again: the next step needs it in
        any case.
        """
        task = asyncio.ensure_future(work)
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=self._every)
                if done:
                    return task.result()
                with suppress(StoreUnavailable):
                    await self.look()
        finally:
            if not task.done():
                task.cancel()
                # What a tool does while it is cancelled must not hold up the stop for long.
                await asyncio.wait({task}, timeout=1.0)
