"""The worker of the agent, with the tools as they are when a job begins.

Tools of MCP servers come and go while a process lives: one is approved, another changes and is off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.tools.parts import Parts
    from handlers.tools.worker import AgentWorker, Handled, Later
    from handlers.work.jobs import AgentJob


class LiveAgentWorker:
    """Works on jobs of the agent. ``parts`` are asked for before each; ``make`` makes a worker."""

    def __init__(
        self,
        parts: Callable[[], Awaitable[Parts]],
        make: Callable[[Parts], AgentWorker],
        first: Parts,
    ) -> None:
        self._parts = parts
        self._make = make
        self._now = first
        self._worker = make(first)

    @property
    def token_refused(self) -> bool:
        """Tell whether Slack refused the token."""
        return self._worker.token_refused

    async def handle(
        self, job: AgentJob, *, deliveries: int = 1, last: bool = False
    ) -> Handled | Later:
        """Do one job; see ``AgentWorker.handle``."""
        parts = await self._parts()
        if parts.tools != self._now.tools:
            # Whoever is at work goes on with the worker, and the tools, that it began with.
            self._now, self._worker = parts, self._make(parts)
        return await self._worker.handle(job, deliveries=deliveries, last=last)

    def waits_for(self, job: AgentJob, error: Exception) -> bool:
        """Tell whether ``error`` is an outage that this job may outlast for free."""
        return self._worker.waits_for(job, error)
