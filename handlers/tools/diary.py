"""Writes the audit log of one run, so that a step that is done again adds nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from handlers.tools.audit import AuditEntry, AuditEvent, AuditLog
from handlers.work.jobs import AgentJob

_NOTHING: Mapping[str, object] = {}


class Diary:
    """The audit log, as the run of ``job`` writes it. ``clock`` counts seconds since the epoch."""

    def __init__(self, log: AuditLog, job: AgentJob, clock: Callable[[], float]) -> None:
        self._log = log
        self._job = job
        self._clock = clock

    async def note(
        self,
        event: AuditEvent,
        *,
        tool: str = "",
        call: str = "",
        user: str = "",
        details: Mapping[str, object] = _NOTHING,
    ) -> None:
        """Add one event; ``user`` is the asker unless another is named. Raises StoreUnavailable."""
        await self._log.append(
            AuditEntry(
                at=datetime.fromtimestamp(self._clock(), UTC),
                run=self._job.run,
                team=self._job.team,
                channel=self._job.channel,
                user=user or self._job.user,
                event=event,
                tool=tool,
                details={"call": call, **details} if call else details,
            )
        )
