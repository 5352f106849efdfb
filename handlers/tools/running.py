"""One call of a tool: what it gave, in words for the model, and what became of it."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from handlers.answering.prompts import as_data, fenced
from handlers.tools.arguments import read_back
from handlers.tools.errors import ToolError, ToolUnavailable
from handlers.tools.fleeting import is_fleeting
from handlers.tools.parts import Parts
from handlers.tools.ports import Effect, Tool, ToolContext, ToolResult, Traceable
from handlers.tools.prompting import told
from handlers.tools.runs import CallState, Fate, Run, RunCall
from handlers.tools.surroundings import Surroundings
from index.documents import stable_id

log = logging.getLogger(__name__)

GRACE_SECONDS: Final = 1.0
"""A tool that keeps its deadline reports the failure itself; this catches one that does not."""

LONGEST_ERROR: Final = 1000

UNKNOWN: Final = (
    "It is not known whether this happened: it was interrupted while it ran. It is not run again."
    " Say so in your conclusion, and do not call it again."
)
_LATE: Final = "The tool did not answer in time."
_BROKEN: Final = "The tool failed in a way that nobody foresaw."


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of running a call: a result, or why there is none.

    The text of a ``fleeting`` result may not be kept.
    """

    fate: Fate
    result: ToolResult | None = None
    error: str = field(default="", repr=False)
    fleeting: bool = False


async def ran(parts: Parts, run: Run, call: RunCall, tool: Tool, around: Surroundings) -> Ran:
    """Run a call with its bound arguments. Raises nothing of the tool's."""
    context = _context(parts, run, call, around)
    unsure = Fate.FAILED if tool.effect is Effect.READ else Fate.UNKNOWN
    try:
        async with asyncio.timeout_at(context.deadline + GRACE_SECONDS):
            result = await tool.run(read_back(call.bound), context)
    except ToolError as error:
        fate = unsure if isinstance(error, ToolUnavailable) else Fate.FAILED
        return Ran(fate, error=str(error)[:LONGEST_ERROR])
    except TimeoutError:
        return Ran(unsure, error=_LATE)
    except Exception as error:
        # Of an error nobody foresaw only the name is sure to hold nothing that was said.
        log.error(
            "a tool failed: %s", type(error).__name__, extra={"trace": run.trace, "tool": tool.name}
        )
        return Ran(unsure, error=_BROKEN)
    return Ran(Fate.WORKED, result, fleeting=is_fleeting(tool))


async def found(
    parts: Parts, run: Run, call: RunCall, tool: Tool, around: Surroundings
) -> Ran | None:
    """Return what came of a call whose worker died, None where that is not known.

    The call is not run again. Raises nothing of the tool's.
    """
    if not isinstance(tool, Traceable):
        return None
    context = _context(parts, run, call, around)
    try:
        async with asyncio.timeout_at(context.deadline + GRACE_SECONDS):
            result = await tool.done_before(read_back(call.bound), context)
        return None if result is None else Ran(Fate.WORKED, result, fleeting=is_fleeting(tool))
    except (ToolError, TimeoutError) as error:
        word = type(error).__name__
        log.info("a tool could not look: %s", word, extra={"trace": run.trace, "tool": call.tool})
    except Exception as error:
        # Of an error nobody foresaw only the name is sure to hold nothing that was said.
        word = type(error).__name__
        log.error("a tool failed: %s", word, extra={"trace": run.trace, "tool": call.tool})
    return None


def with_result(parts: Parts, run: Run, call: RunCall, came: Ran, around: Surroundings) -> Run:
    """Return the run with what came of a call, as the model will read it."""
    nonce = parts.nonce()
    if came.result is None:
        error = fenced("error", as_data(came.error, nonce), nonce)
        text = f"{error}\n{UNKNOWN}" if came.fate is Fate.UNKNOWN else error
        return ended(run, call, came.fate, text)
    shown = told(
        came.result,
        tool=call.tool,
        known=run.passages,
        held=held_by(run),
        readers=around.readers,
        nonce=nonce,
        fleeting=came.fleeting,
    )
    changed = replace(
        call,
        state=CallState.ENDED,
        fate=Fate.WORKED,
        result=shown.text,
        url=came.result.url,
        undo=_plain(came.result.undo),
        fleeting=came.fleeting,
    )
    return replace(run.with_call(changed), passages=shown.passages)


def ended(run: Run, call: RunCall, fate: Fate, sentence: str) -> Run:
    """Return the run with a call that gave no result, and why."""
    return run.with_call(replace(call, state=CallState.ENDED, fate=fate, result=sentence))


def idempotency_key(run: str, call: str) -> str:
    """Return what is the same each time the same call is tried: 32 hex digits."""
    return stable_id("agent-call", run, call)


def _context(parts: Parts, run: Run, call: RunCall, around: Surroundings) -> ToolContext:
    seconds = max(1.0, parts.limits.left(run.spent, parts.limits.tool_seconds))
    return ToolContext(
        caller=around.caller,
        audience=around.audience,
        call=idempotency_key(run.id, call.id),
        deadline=asyncio.get_running_loop().time() + seconds,
        action_token=around.action_token,
    )


def held_by(run: Run) -> int:
    """Return about how many characters a run holds."""
    said = sum(len(message.content) for message in run.messages)
    results = sum(len(call.result) for call in run.calls)
    return said + results + sum(len(passage.chunk.text) for passage in run.passages)


def _plain(undo: Mapping[str, object] | None) -> Mapping[str, object] | None:
    return dict(undo) if undo is not None else None
