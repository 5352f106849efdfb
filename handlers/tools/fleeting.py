"""What a run may read and nobody may keep: the results of tools that say they are fleeting. Pure.

The worker that holds the run goes on with the whole text. In the store, in the log and behind
footnotes there is none of it; what the model said and did with it is its own, and stays.
"""

from dataclasses import replace
from typing import Final

from bot.conversation import Answer
from handlers.tools.ports import AgentMessage, Tool
from handlers.tools.runs import Phase, Run

GONE: Final = "These search results are not kept. Search again if you need them."

FLEETING: Final = "fleeting"
"""The source of passages that came of such a result."""


def is_fleeting(tool: Tool) -> bool:
    """Tell whether what the tool returns may not be kept: it says so by ``fleeting = True``."""
    return getattr(tool, "fleeting", False) is True


def to_keep(run: Run) -> Run:
    """Return the run as it may be saved.

    Its passages keep their numbers, and nothing can be cited from them. Last words could not be
    checked against what is gone, so they are thought of anew.
    """
    gone = {call.id for call in run.calls if call.fleeting}
    if not gone:
        return run

    def message(one: AgentMessage) -> AgentMessage:
        return replace(one, content=GONE) if one.call_id in gone else one

    concluding = run.phase is Phase.CONCLUDING
    return replace(
        run,
        phase=Phase.THINKING if concluding else run.phase,
        text="" if concluding else run.text,
        messages=tuple(map(message, run.messages)),
        calls=tuple(
            replace(call, result=GONE) if call.fleeting and call.result else call
            for call in run.calls
        ),
        passages=tuple(
            replace(one, chunk=replace(one.chunk, text="", heading_path=()))
            if one.source == FLEETING
            else one
            for one in run.passages
        ),
    )


def footnotes_to_keep(run: Run, answer: Answer) -> Answer:
    """Return the answer without the footnotes that quote what may not be kept."""
    gone = {one.chunk.document_id for one in run.passages if one.source == FLEETING}
    kept = tuple(one for one in answer.citations if one.document_id not in gone)
    return replace(answer, citations=kept)
