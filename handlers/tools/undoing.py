"""Takes back what a call did, at most once: somebody pressed Undo, which is their approval."""

import asyncio
import logging
from dataclasses import replace

from bot import agent_messages as messages
from handlers.tools.audit import AuditEvent
from handlers.tools.diary import Diary
from handlers.tools.errors import AgentError, ToolError, ToolUnavailable
from handlers.tools.parts import Parts
from handlers.tools.ports import ToolContext, Undoable
from handlers.tools.run_rows import RunRow
from handlers.tools.running import GRACE_SECONDS, idempotency_key
from handlers.tools.runs import RunCall
from handlers.tools.surroundings import Surroundings
from handlers.tools.watching import Watch

log = logging.getLogger(__name__)


async def undo(
    parts: Parts, row: RunRow, call: RunCall, around: Surroundings, watch: Watch, diary: Diary
) -> tuple[str, RunCall]:
    """Return what to say, and the call as it is from now on. Raises what ``row.save`` raises."""
    tool: object = parts.tool(call.tool)
    if call.undone == "running":
        return messages.undo_unknown(call.title), replace(call, undone="done")
    if not isinstance(tool, Undoable) or call.undo is None:
        return messages.not_undone(call.title), call
    undoable, given = tool, call.undo
    running = replace(call, undone="running")
    await row.save(row.run.with_call(running))
    seconds = parts.limits.tool_seconds
    deadline = asyncio.get_running_loop().time() + seconds
    context = ToolContext(
        caller=around.caller,
        audience=around.audience,
        call=idempotency_key(row.run.id, f"undo:{call.id}"),
        deadline=deadline,
    )

    async def work() -> None:
        async with asyncio.timeout_at(deadline + GRACE_SECONDS):
            await undoable.undo(given, context)

    try:
        await watch.during(work())
    except AgentError:
        return messages.undo_unknown(call.title), replace(call, undone="done")
    except (ToolUnavailable, TimeoutError):
        sentence, undone = messages.undo_unknown(call.title), "done"
    except ToolError:
        sentence, undone = messages.not_undone(call.title), ""
    except Exception as error:
        # Of an error nobody foresaw only the name is sure to hold nothing that was said.
        log.error("a tool failed to undo: %s", type(error).__name__, extra={"tool": call.tool})
        sentence, undone = messages.undo_unknown(call.title), "done"
    else:
        sentence, undone = messages.undone(call.title), "done"
        await diary.note(AuditEvent.UNDONE, tool=call.tool, call=call.id)
    return sentence, replace(running, undone=undone)
