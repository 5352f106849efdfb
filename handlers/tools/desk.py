"""The door's side of approvals: take a decision, record it, and let the run go on.

::

    click ──► decided, one conditional write a call ──► audit ──► the job again, nothing pending

Each step is the same when it is done again, so a click after a failure mends what the first one
left: the decision stands, its audit entries have the time of the decision, and the queue knows the
job by its step.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.proposals import Decided, Decision, Proposal, Ruling
from handlers.tools.approval_records import Record, State
from handlers.tools.approvals import Approvals, MayDecide
from handlers.tools.audit import AuditEntry, AuditEvent, AuditLog
from handlers.tools.run_jobs import RunJobs
from handlers.tools.switch import ThreadStops
from handlers.work.jobs import AgentJob
from handlers.work.ports import JobQueue, StateStore
from index.documents import stable_id

_NOTHING_DONE = frozenset({Ruling.GONE, Ruling.ELSEWHERE, Ruling.NOT_AN_APPROVER})

_UNDOING = "I'm taking it back, and will say here when it is done."
_UNKNOWN = "I no longer know that run, so I can't take anything back."
_NOT_YOURS = "Only an approver in this channel, or the one who asked, can take this back."


class ApprovalDesk:
    """Decides about proposals, and has their runs go on, be undone, or stop. Raises WorkError.

    ``may_decide`` tells whether a user is a full member and in a channel; its errors pass through,
    and nothing is decided then. ``approvers`` are those of the installation, for what was not
    proposed to anybody. ``clock`` counts seconds since the epoch.
    """

    def __init__(
        self,
        approvals: Approvals,
        queue: JobQueue,
        store: StateStore,
        *,
        may_decide: MayDecide,
        audit: AuditLog,
        approvers: tuple[str, ...] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._approvals = approvals
        self._queue = queue
        self._jobs = RunJobs(store)
        self._stops = ThreadStops(store, clock=clock)
        self._may_decide = may_decide
        self._audit = audit
        self._approvers = approvers
        self._clock = clock

    async def decided(self, decision: Decision) -> Decided:
        """Take a decision, and have the run go on when nothing of its proposal is pending."""
        answer = await self._approvals.decide(decision, may_decide=self._may_decide)
        if answer.ruling in _NOTHING_DONE or answer.proposal is None:
            return answer
        records = await self._approvals.records([call.approval for call in answer.proposal.calls])
        for record in records:
            for entry in _entries(record):
                await self._audit.append(entry)
        if records and Ruling.PENDING not in answer.rulings:
            group = stable_id("proposal", *records[0].group)
            await self._again(records[0].at, f"decided:{group}")
        return answer

    async def proposal(self, approval_ids: Sequence[str]) -> Proposal | None:
        """Return what is proposed under these ids, or None when it is no longer kept."""
        return await self._approvals.proposal(approval_ids)

    async def undo(self, team: str, channel: str, run: str, call: str, user: str) -> str:
        """Have what a call did taken back; return a sentence for whoever clicked.

        An approver may, and so may whoever asked the agent.
        """
        job = await self._jobs.of_run(run)
        if job is None or (job.team, job.channel) != (team, channel):
            return _UNKNOWN
        named = not self._approvers or user in self._approvers or user == job.user
        if not named or not await self._may_decide(user, channel):
            return _NOT_YOURS
        await self._again(job, f"undo:{call}")
        return _UNDOING

    async def stopped(self, team: str, channel: str, thread_ts: str, user: str) -> None:
        """Have what runs or waits in a thread stop, and end where it can be seen."""
        await self._stops.stop(team, channel, thread_ts, user)
        job = await self._jobs.of_thread(team, channel, thread_ts)
        if job is None:
            return
        await self._audit.append(
            AuditEntry(
                at=datetime.fromtimestamp(self._clock(), UTC),
                run=job.run,
                team=team,
                channel=channel,
                user=user,
                event=AuditEvent.STOPPED,
            )
        )
        # Whoever waits for an approval looks at no mark: a worker has to end that run.
        await self._again(job, f"stopped:{self._clock():.0f}")

    async def _again(self, job: AgentJob, step: str) -> None:
        await self._queue.put(replace(job, step=step, accepted_at=self._clock(), round=""))


def _entries(record: Record) -> list[AuditEntry]:
    """Return what the log says of a decision: the same however often it is asked."""
    if not record.decided_by:
        return []
    home = record.at
    events = [AuditEvent.REJECTED if record.state is State.REJECTED else AuditEvent.APPROVED]
    if record.edited:
        events.insert(0, AuditEvent.EDITED)
    return [
        AuditEntry(
            at=datetime.fromtimestamp(record.decided_at, UTC),
            run=home.run,
            team=home.team,
            channel=home.channel,
            user=record.decided_by,
            event=event,
            tool=record.tool,
            details={"call": record.call, "approval": record.id, "arguments": record.arguments},
            # A number first, so that an edit stands before its approval.
            id=f"{at}-{record.id}",
        )
        for at, event in enumerate(events)
    ]
