"""The agent's loop, one step at a time. It knows no Slack: a worker saves, shows and says.

::

    run = begun(...)
    while run.phase is not CONCLUDING:
        run = await advance(bench, run)      saves within a step where a call acts
        save; while WAITING: show the proposal, come back when it is decided
"""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from bot.conversation import Question
from handlers.tools.calling import Bench, call
from handlers.tools.parts import Parts
from handlers.tools.prompting import first_messages
from handlers.tools.runs import Phase, Run
from handlers.tools.settling import pending, settle
from handlers.tools.thinking import think


def begun(parts: Parts, run: Run, question: Question, *, utc_offset: int = 0) -> Run:
    """Return the run with what is asked of it.

    ``utc_offset`` is by how many seconds the asker's clock is ahead of UTC.
    """
    zone = timezone(timedelta(seconds=utc_offset))
    now = datetime.fromtimestamp(parts.clock(), zone)
    messages = first_messages(question, nonce=parts.nonce(), now=now)
    return replace(run, question=question, messages=messages)


async def advance(bench: Bench, run: Run) -> Run:
    """Return the run one step further, or the same while a human has to decide or it is over.

    Raises ModelError, AgentsStopped, RunStopped, StoreUnavailable, and what ``bench.save`` raises.
    """
    await bench.watch.look()
    if run.phase is Phase.THINKING:
        return await think(bench.parts, run, bench.watch)
    if run.phase is Phase.CALLING:
        return await call(bench, run)
    if run.phase is Phase.WAITING and not await pending(bench.parts, run):
        return await settle(bench, run)
    return run
