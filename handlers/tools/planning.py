"""A run as the steps of a plan. Pure. Nothing of it is a model's or a document's words."""

from typing import Final, Literal

from bot.plan_blocks import Step
from handlers.tools.runs import CallState, Fate, Phase, Run, RunCall

Status = Literal["pending", "in_progress", "complete", "error"]

_THINKING: Final = "Think"
_CONCLUDING: Final = "Write the answer"
_DETAILS: Final = {
    Fate.FAILED: "It did not work.",
    Fate.REJECTED: "Rejected.",
    Fate.EXPIRED: "Nobody decided in time.",
    Fate.CHANGED: "The tool has changed.",
    Fate.NOT_RUN: "Interrupted before it ran.",
    Fate.UNKNOWN: "Interrupted; it is not known whether it happened.",
}


def steps(run: Run) -> list[Step]:
    """Return what the plan of a run shows now."""
    found = [_step(run, call) for call in run.calls]
    if run.phase is Phase.THINKING:
        found.append(Step("think", _THINKING, "in_progress"))
    elif run.phase is Phase.CONCLUDING:
        found.append(Step("conclude", _CONCLUDING, "in_progress"))
    elif run.phase is Phase.ENDED and run.ended == "answered":
        found.append(Step("conclude", _CONCLUDING, "complete"))
    return found


def _step(run: Run, call: RunCall) -> Step:
    title = call.title or call.tool.replace("_", " ").capitalize()
    if call.state is CallState.ENDED:
        status: Status = "complete" if call.fate is Fate.WORKED else "error"
        return Step(call.id, title, status, _DETAILS.get(call.fate, ""))
    if run.phase is Phase.ENDED:
        return Step(call.id, title, "error", "Stopped.")
    if call.state is CallState.ASKED:
        return Step(call.id, title, "pending", "Waits for a decision.")
    return Step(call.id, title, "in_progress")
