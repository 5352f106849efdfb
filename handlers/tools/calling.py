"""The calls of one turn: reads run together, what policy allows runs, the rest is proposed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from handlers.answering.prompts import as_data, fenced
from handlers.tools.approvals import CallToApprove
from handlers.tools.arguments import canonical, parsed, read_back, tool_digest
from handlers.tools.audit import AuditEvent
from handlers.tools.diary import Diary
from handlers.tools.errors import AgentError, BadArguments
from handlers.tools.fleeting import GONE
from handlers.tools.parts import Parts
from handlers.tools.ports import AgentMessage, Effect, Tool
from handlers.tools.provenance import Source
from handlers.tools.running import UNKNOWN, Ran, ended, found, ran, with_result
from handlers.tools.runs import CallState, Fate, Phase, Run, RunCall
from handlers.tools.surroundings import Surroundings
from handlers.tools.watching import Watch
from handlers.work.jobs import AgentJob

Save = Callable[[Run], Awaitable[None]]

_REQUEST: Final = "the request"
_EARLIER: Final = "an earlier message in this thread"


@dataclass(frozen=True, slots=True)
class Bench:
    """What the calls of one run are run with, while one worker has it. ``save`` is durable."""

    parts: Parts
    job: AgentJob
    around: Surroundings
    watch: Watch
    diary: Diary
    save: Save


async def call(bench: Bench, run: Run) -> Run:
    """Return the run with its open calls run or proposed. Raises like ``Watch.during``."""
    for one in run.open_calls:
        run = _prepared(bench.parts, run, one)
    run = await _read(bench, run)
    for one in run.open_calls:
        tool = bench.parts.tool(one.tool)
        if one.state is CallState.RUNNING:
            run = await looked_for(bench, run, one)
        elif tool is None or tool_digest(tool) != one.digest:
            run = ended(run, one, Fate.CHANGED, CHANGED)
        elif bench.parts.policy.allows(one.tool, read_back(one.bound)):
            await bench.diary.note(
                AuditEvent.ALLOWED_BY_POLICY,
                tool=one.tool,
                call=one.id,
                details={"arguments": one.bound},
            )
            run = await run_once(bench, run, one)
    if not run.open_calls:
        return turn_ended(run)
    await bench.save(run)
    proposal = await bench.parts.approvals.propose(
        bench.job,
        to_approve(bench.parts, run),
        approvers=bench.parts.approvers,
        ttl=bench.parts.approval_seconds,
    )
    for one, proposed in zip(run.open_calls, proposal.calls, strict=True):
        asked = replace(
            one, state=CallState.ASKED, approval=proposed.approval, title=proposed.title
        )
        run = run.with_call(asked)
        await bench.diary.note(
            AuditEvent.PROPOSED,
            tool=one.tool,
            call=one.id,
            details={"approval": proposed.approval, "arguments": proposed.arguments},
        )
    return replace(run, phase=Phase.WAITING, expires_at=proposal.expires_at.timestamp())


def to_approve(parts: Parts, run: Run) -> list[CallToApprove]:
    """Return the open calls as they are proposed, with all that the model had read by then."""
    read = sources(run)
    return [
        CallToApprove(one.id, tool, read_back(one.bound), one.title, read)
        for one in run.open_calls
        if (tool := parts.tool(one.tool)) is not None
    ]


async def run_once(bench: Bench, run: Run, one: RunCall) -> Run:
    """Run a call that acts, so that it never runs again whenever this worker dies."""
    tool = bench.parts.tool(one.tool)
    if tool is None or tool_digest(tool) != one.digest:
        return ended(run, one, Fate.CHANGED, CHANGED)
    one = replace(one, state=CallState.RUNNING)
    run = run.with_call(one)
    await bench.save(run)
    await bench.diary.note(
        AuditEvent.RAN, tool=one.tool, call=one.id, details={"arguments": one.bound}
    )
    began = asyncio.get_running_loop().time()
    try:
        came = await bench.watch.during(ran(bench.parts, run, one, tool, bench.around))
    except AgentError:
        await bench.save(interrupted(run, one))
        raise
    seconds = asyncio.get_running_loop().time() - began
    run = replace(run, spent=run.spent.and_seconds(seconds))
    run = with_result(bench.parts, run, one, came, bench.around)
    await bench.save(run)
    await _returned(bench, one, came)
    return run


async def looked_for(bench: Bench, run: Run, one: RunCall) -> Run:
    """Return the run, saved, with what a call did whose worker died, as far as its tool finds it.

    Nothing is run a second time. Raises like ``Watch.during``.
    """
    tool = bench.parts.tool(one.tool)
    came: Ran | None = None
    if tool is not None and tool_digest(tool) == one.digest:
        began = asyncio.get_running_loop().time()
        came = await bench.watch.during(found(bench.parts, run, one, tool, bench.around))
        seconds = asyncio.get_running_loop().time() - began
        run = replace(run, spent=run.spent.and_seconds(seconds))
    if came is None:
        run = interrupted(run, one)
        await bench.save(run)
        return run
    run = with_result(bench.parts, run, one, came, bench.around)
    await bench.save(run)
    await _returned(bench, one, came)
    return run


def interrupted(run: Run, one: RunCall) -> Run:
    """Return the run with a call of which nobody knows whether it happened."""
    return ended(run, one, Fate.UNKNOWN, UNKNOWN)


def turn_ended(run: Run) -> Run:
    """Return the run with the results of its last turn, for the model to go on with."""
    last = next(one for one in reversed(run.messages) if one.role == "assistant")
    found = {one.id: one.result for one in run.calls}
    results = [AgentMessage("tool", found[one.id], call_id=one.id) for one in last.calls]
    names = {one.id for one in last.calls}
    calls = tuple(replace(one, result="") if one.id in names else one for one in run.calls)
    return replace(
        run, phase=Phase.THINKING, messages=(*run.messages, *results), calls=calls, expires_at=0.0
    )


def sources(run: Run) -> tuple[Source, ...]:
    """Return all texts that the model has read in this run; only the request is trusted."""
    found = [Source(run.question.text, _REQUEST, trusted=True)] if run.question else []
    if run.question:
        found += [Source(turn.text, _EARLIER) for turn in run.question.history]
    calls = {one.id: one for one in run.calls}
    found += [
        _returned_by(calls.get(one.call_id), one.content)
        for one in run.messages
        if one.role == "tool"
    ]
    found += [_returned_by(one, one.result) for one in run.calls if one.result]
    return tuple(found)


def _returned_by(one: RunCall | None, text: str) -> Source:
    name, fleeting = (one.tool, one.fleeting) if one else ("a tool", False)
    return Source(text, f"what {name} returned", fleeting=fleeting)


CHANGED: Final = "The tool has changed since this call was asked for, so it was not run."


def _prepared(parts: Parts, run: Run, one: RunCall) -> Run:
    """Return the run with a call that can run, or that has ended because it cannot."""
    if one.bound:
        return run
    tool = parts.tool(one.tool)
    if tool is None:
        offered = ", ".join(tool.name for tool in parts.tools) or "none"
        return ended(
            run, one, Fate.FAILED, f"There is no tool of that name. The tools are: {offered}."
        )
    try:
        bound = canonical(parsed(tool, one.arguments))
    except BadArguments as error:
        nonce = parts.nonce()
        said = fenced("error", as_data(str(error), nonce), nonce)
        return ended(run, _with(one, tool), Fate.FAILED, said)
    return run.with_call(replace(_with(one, tool), bound=bound, digest=tool_digest(tool)))


def _with(one: RunCall, tool: Tool) -> RunCall:
    title = tool.name.replace("_", " ").capitalize()
    return replace(one, effect=tool.effect.value, title=title)


async def _read(bench: Bench, run: Run) -> Run:
    """Run all reads of the turn side by side; what died with a worker is simply run again."""
    reads = [one for one in run.open_calls if one.effect == Effect.READ.value]
    if not reads:
        return run
    began = asyncio.get_running_loop().time()
    came = await bench.watch.during(_together(bench, run, reads))
    run = replace(run, spent=run.spent.and_seconds(asyncio.get_running_loop().time() - began))
    for one, result in zip(reads, came, strict=True):
        run = with_result(bench.parts, run, one, result, bench.around)
    await bench.save(run)
    for one, result in zip(reads, came, strict=True):
        await _returned(bench, one, result)
    return run


async def _together(bench: Bench, run: Run, reads: list[RunCall]) -> list[Ran]:
    async def read(one: RunCall) -> Ran:
        tool = bench.parts.tool(one.tool)
        if tool is None or tool.effect is not Effect.READ:
            return Ran(Fate.CHANGED, error=CHANGED)
        return await ran(bench.parts, run, one, tool, bench.around)

    return list(await asyncio.gather(*map(read, reads)))


async def _returned(bench: Bench, one: RunCall, came: Ran) -> None:
    worked = came.result is not None
    await bench.diary.note(
        AuditEvent.RETURNED if worked else AuditEvent.FAILED,
        tool=one.tool,
        call=one.id,
        details={"text": GONE if came.fleeting else came.result.text, "url": came.result.url}
        if came.result is not None
        else {"error": came.error, "fate": came.fate.value},
    )
