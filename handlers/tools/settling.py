"""What humans decided about the calls of a turn, put into effect: each call once, or not at all.

::

    ASKED ── consumed, a conditional write ──► RUNNING, saved ── run ──► ENDED, saved
      ├── rejected, expired, changed ──► ENDED
      └── consumed by a worker that never came to say RUNNING ──► ENDED: it did not run

RUNNING is saved on the revision that this worker wrote last, before the tool is called. So where a
row says ASKED nothing has run. Where it says RUNNING after its worker died, the tool is asked to
look for what the call did; where it finds nothing, or cannot look, nobody can tell.
"""

from dataclasses import replace
from typing import Final

from bot.proposals import Decided, Ruling
from handlers.tools.approvals import Standing
from handlers.tools.arguments import tool_digest
from handlers.tools.audit import AuditEvent
from handlers.tools.calling import CHANGED, Bench, looked_for, run_once, turn_ended
from handlers.tools.parts import Parts
from handlers.tools.running import ended
from handlers.tools.runs import CallState, Fate, Run, RunCall

_REJECTED: Final = "A person rejected this call. Do not ask for it again."
_EXPIRED: Final = "Nobody decided about this call in time, so it was not run."
_NOT_RUN: Final = (
    "This call was approved, but the program was interrupted before it ran, and an approval counts"
    " once. It was not run."
)
_EDITED: Final = "A person changed the arguments before approving; what ran was: "


async def pending(parts: Parts, run: Run) -> bool:
    """Tell whether a human may still decide about one of the open calls."""
    for one in run.open_calls:
        if one.state is CallState.ASKED:
            standing = await parts.approvals.standing(one.approval)
            if standing.ruling is Ruling.PENDING:
                return True
    return False


async def settle(bench: Bench, run: Run) -> Run:
    """Return the run with all its decided calls run, or told why not. None may be pending."""
    for one in run.open_calls:
        standing = await bench.parts.approvals.standing(one.approval)
        if one.state is CallState.RUNNING:
            run = _as_edited(await looked_for(bench, run, one), one, standing)
        else:
            run = await _settled(bench, run, one, standing)
        await bench.save(run)
    return turn_ended(run)


async def decided(parts: Parts, run: Run) -> Decided | None:
    """Return what the card of the last proposal shows from now on, None without one."""
    last = next((one for one in reversed(run.messages) if one.role == "assistant"), None)
    names = {one.id for one in last.calls} if last else set()
    asked = [one.approval for one in run.calls if one.id in names and one.approval]
    proposal = await parts.approvals.proposal(asked) if asked else None
    if proposal is None:
        return None
    standings = [await parts.approvals.standing(approval) for approval in asked]
    rulings = tuple(standing.ruling for standing in standings)
    return Decided(
        ruling=rulings[0],
        proposal=proposal,
        rulings=rulings,
        decided_by=tuple(standing.decided_by for standing in standings),
    )


async def _settled(bench: Bench, run: Run, one: RunCall, standing: Standing) -> Run:
    if standing.ruling is Ruling.REJECTED:
        return ended(run, _by(one, standing), Fate.REJECTED, _REJECTED)
    if standing.ruling is not Ruling.APPROVED:
        await bench.diary.note(AuditEvent.EXPIRED, tool=one.tool, call=one.id)
        return ended(run, one, Fate.EXPIRED, _EXPIRED)
    tool = bench.parts.tool(one.tool)
    if tool is None or tool_digest(tool) != one.digest:
        return ended(run, _by(one, standing), Fate.CHANGED, CHANGED)
    if standing.consumed or not await _consumed(bench, run, one, standing):
        again = await bench.parts.approvals.standing(one.approval)
        if again.ruling is Ruling.EXPIRED:
            return ended(run, one, Fate.EXPIRED, _EXPIRED)
        return ended(run, _by(one, standing), Fate.NOT_RUN, _NOT_RUN)
    bound = _by(one, standing)
    return _as_edited(await run_once(bench, run.with_call(bound), bound), one, standing)


async def _consumed(bench: Bench, run: Run, one: RunCall, standing: Standing) -> bool:
    return await bench.parts.approvals.consume(
        one.approval,
        run=run.id,
        call=one.id,
        tool=one.tool,
        digest=one.digest,
        arguments=standing.arguments,
    )


def _by(one: RunCall, standing: Standing) -> RunCall:
    """Return the call as it was decided: with the arguments that may run, and no others."""
    return replace(one, bound=standing.arguments, decided_by=standing.decided_by)


def _as_edited(run: Run, one: RunCall, standing: Standing) -> Run:
    """Return the run with a call whose result tells the model what a person made of it."""
    came = run.call(one.id)
    if not standing.edited or came is None:
        return run
    return run.with_call(replace(came, result=f"{_EDITED}{standing.arguments}\n{came.result}"))
