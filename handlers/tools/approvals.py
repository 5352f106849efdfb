"""Approvals: what a human decided about one exact call, and that it runs once.

A decision is checked against all that the approval binds before anything is written; whoever fails
a check changes nothing. Then each call is one conditional write. Fails closed: what is not known,
not readable, not certain, or past its time is not approved.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bot.proposals import Decided, Decision, Proposal, Ruling
from handlers.tools.approval_records import (
    Record,
    State,
    approval_id,
    as_value,
    bounded,
    from_value,
    proposal_of,
    schema_text,
)
from handlers.tools.arguments import canonical, tool_digest
from handlers.tools.deciding import at_home, decided, is_named, obstacle, summed
from handlers.tools.errors import BadArguments
from handlers.tools.ports import Tool
from handlers.tools.provenance import Source, marks
from handlers.work.errors import StoreUnavailable
from handlers.work.jobs import AgentJob, encode
from handlers.work.ports import StateStore

MayDecide = Callable[[str, str], Awaitable[bool]]
"""Tells whether a user is a full member of the workspace and in the channel."""

KEPT_SECONDS: Final = 30 * 24 * 3600.0
"""How long an approval is known after its time."""

MOST_CALLS: Final = 20
"""Calls that are proposed together: all have to be shown."""

MOST_APPROVERS: Final = 500

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class CallToApprove:
    """A call that needs a human.

    ``call`` names it within its run, as ``ToolContext.call`` does. ``sources`` are all texts that
    the model had read when it asked.
    """

    call: str
    tool: Tool
    arguments: Mapping[str, object] = field(repr=False)
    title: str = ""
    sources: Sequence[Source] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an approval stands. ``arguments`` are those that may run, and no others.

    ``consumed``: some worker took it, and the call has run, or may have, or will not any more.
    """

    ruling: Ruling
    arguments: str = field(default="", repr=False)
    decided_by: str = ""
    decided_at: float = 0.0
    edited: bool = False
    consumed: bool = False


class Approvals:
    """The approvals in a store. All methods raise StoreUnavailable.

    ``clock`` counts seconds since the epoch, because several machines compare it.
    """

    def __init__(self, store: StateStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def propose(
        self,
        job: AgentJob,
        calls: Sequence[CallToApprove],
        *,
        approvers: tuple[str, ...] = (),
        ttl: float,
    ) -> Proposal:
        """Bind calls of the run of ``job``, for ``ttl`` seconds, and return what a card shows.

        The same calls of the same run again are the same approvals, however they stand by then.
        Without ``approvers`` any full member in the room may decide. Raises BadArguments.
        """
        if not 0 < len(calls) <= MOST_CALLS or len(approvers) > MOST_APPROVERS:
            raise ValueError(f"1 to {MOST_CALLS} calls, and at most {MOST_APPROVERS} approvers.")
        expires_at = self._clock() + ttl
        fresh = [_bound(job, call, approvers, expires_at) for call in calls]
        group = tuple(dict.fromkeys(record.id for record in fresh))
        if len(group) < len(fresh):
            raise ValueError("Two calls of one proposal are the same call.")
        kept = [await self._keep(replace(record, group=group), ttl) for record in fresh]
        return proposal_of(kept)

    async def decide(self, decision: Decision, *, may_decide: MayDecide) -> Decided:
        """Take a decision, or say why not. Errors of ``may_decide`` pass through, nothing written.

        Where one of its calls may not be decided so, none is; one that was decided before is left
        as it is, and the others are decided.
        """
        asked = dict(decision.calls)
        if not 0 < len(decision.calls) <= MOST_CALLS or len(asked) < len(decision.calls):
            return _refused(Ruling.GONE)
        records = await self.records(list(asked))
        if len(records) < len(asked) or any(one.group != records[0].group for one in records):
            return _refused(Ruling.GONE)
        if not at_home(records, decision):
            return _refused(Ruling.ELSEWHERE)
        if not is_named(records, decision.user):
            return _refused(Ruling.NOT_AN_APPROVER)
        if not await may_decide(decision.user, decision.channel):
            return _refused(Ruling.NOT_AN_APPROVER)
        rulings, reason = self._judged(records, decision)
        if obstacle(rulings) is None:
            rulings = [await self._write(key, decision) for key in asked]
        overall = obstacle(rulings) or summed(rulings)
        return await self._answer(overall, records[0].group, reason)

    async def standing(self, approval: str) -> Standing:
        """Tell how an approval stands; GONE for one that is not known."""
        found = await self._read(approval)
        if found is None:
            return Standing(Ruling.GONE)
        record = found[0]
        return Standing(
            ruling=record.ruling(self._clock()),
            arguments=record.arguments,
            decided_by=record.decided_by,
            decided_at=record.decided_at,
            edited=record.edited,
            consumed=record.state is State.CONSUMED,
        )

    async def records(self, approvals: Sequence[str]) -> list[Record]:
        """Return all that is known of approvals, without those that are not known."""
        found = [await self._read(key) for key in approvals]
        return [one[0] for one in found if one]

    async def proposal(self, approvals: Sequence[str]) -> Proposal | None:
        """Return what is proposed under these ids, or None when one of them is not known."""
        records = await self.records(approvals)
        return proposal_of(records) if records and len(records) == len(approvals) else None

    async def consume(
        self, approval: str, *, run: str, call: str, tool: str, digest: str, arguments: str
    ) -> bool:
        """Take the approval of exactly this call, once; True tells to run it now.

        After False, and after StoreUnavailable, the call must not run.
        """
        wanted = (run, call, tool, digest, arguments)
        token = secrets.token_hex(16)
        for left in reversed(range(_ROUNDS)):
            found = await self._read(approval)
            if found is None:
                return False
            record, revision = found
            if record.consumed_by == token:
                return True
            bound = (record.at.run, record.call, record.tool, record.digest, record.arguments)
            if record.state is not State.APPROVED or bound != wanted:
                return False
            if record.ruling(self._clock()) is not Ruling.APPROVED:
                return False
            try:
                taken = replace(record, state=State.CONSUMED, consumed_by=token)
                if await self._replace(taken, revision):
                    return True
            except StoreUnavailable:
                # The write may have been done although its answer was lost; the token tells.
                if not left:
                    raise
        return False

    def _judged(self, records: Sequence[Record], decision: Decision) -> tuple[list[Ruling], str]:
        """Say of each call what would become of it now, and why to whoever clicked."""
        if decision.arguments is not None and len(records) != 1:
            return [Ruling.BAD_ARGUMENTS] * len(records), "Edit one call at a time."
        try:
            now = self._clock()
            return [decided(record, decision, now)[0] for record in records], ""
        except BadArguments as error:
            return [Ruling.BAD_ARGUMENTS], str(error)

    async def _write(self, key: str, decision: Decision) -> Ruling:
        """Decide one call, judged again with each revision: others decide at the same time."""
        for _ in range(_ROUNDS):
            found = await self._read(key)
            if found is None:
                return Ruling.GONE
            try:
                ruling, record = decided(found[0], decision, self._clock())
            except BadArguments:
                return Ruling.BAD_ARGUMENTS
            if record is None or await self._replace(record, found[1]):
                return ruling
        raise StoreUnavailable("Too many others change this approval.")

    async def _answer(self, ruling: Ruling, group: Sequence[str], reason: str) -> Decided:
        records = await self.records(group)
        now = self._clock()
        return Decided(
            ruling=ruling,
            proposal=proposal_of(records) if records else None,
            rulings=tuple(record.ruling(now) for record in records),
            decided_by=tuple(record.decided_by for record in records),
            reason=reason,
        )

    async def _keep(self, record: Record, ttl: float) -> Record:
        for _ in range(_ROUNDS):
            if await self._store.put_if_absent(
                _key(record.id), as_value(record), ttl + KEPT_SECONDS
            ):
                return record
            found = await self._read(record.id)
            if found is not None:
                return found[0]
        raise StoreUnavailable("The store holds an approval that cannot be read.")

    async def _read(self, approval: str) -> tuple[Record, str] | None:
        if not _is_id(approval):
            return None
        item = await self._store.get(_key(approval))
        record = from_value(approval, item.value) if item else None
        return (record, item.revision) if item and record else None

    async def _replace(self, record: Record, revision: str) -> bool:
        ttl = max(0.0, record.expires_at - self._clock()) + KEPT_SECONDS
        return (
            await self._store.replace(_key(record.id), as_value(record), ttl, revision) is not None
        )


def _bound(
    job: AgentJob, call: CallToApprove, approvers: tuple[str, ...], expires_at: float
) -> Record:
    tool, arguments, digest = call.tool, canonical(call.arguments), tool_digest(call.tool)
    return Record(
        id=approval_id(job.run, call.call, tool.name, digest, arguments),
        group=(),
        job=encode(job),
        call=call.call,
        tool=tool.name,
        title=call.title or tool.name.replace("_", " ").capitalize(),
        effect=tool.effect.value,
        digest=digest,
        schema=schema_text(tool.parameters),
        arguments=arguments,
        approvers=approvers,
        expires_at=expires_at,
        nonce=secrets.token_hex(16),
        marks=bounded(marks(tool, call.arguments, call.sources)),
    )


def _refused(ruling: Ruling) -> Decided:
    """Answer without showing anything to whoever may not see it."""
    return Decided(ruling)


def _is_id(approval: str) -> bool:
    return len(approval) == 32 and set(approval) <= set("0123456789abcdef")


def _key(approval: str) -> str:
    return f"approval:{approval}"
