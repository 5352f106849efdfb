"""The steps of the agent -> a plan with task cards, within Slack's limits. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.markup import cut, one_line
from bot.visible import made_visible

PLAN_TITLE = "What I am doing"
EARLIER = "Earlier steps"

_MOST_STEPS, _TITLE, _DETAILS, _ID = 20, 150, 250, 255

Status = Literal["pending", "in_progress", "complete", "error"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan. ``id`` is unique in its plan; title and details may be untrusted text."""

    id: str
    title: str
    status: Status
    details: str = ""


def plan_blocks(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the plan as one block. Of many steps the latest are shown, the others counted."""
    left_out = max(0, len(steps) - _MOST_STEPS)
    tasks = [_task(step) for step in steps[left_out:]]
    if left_out:
        earlier = Step("earlier", f"{EARLIER}: {left_out}", "complete")
        tasks.insert(0, _task(earlier))
    return [{"type": "plan", "title": PLAN_TITLE, "tasks": tasks}]


def plan_text(steps: Sequence[Step]) -> str:
    """Return the text beside the plan, which says no more than how far it is."""
    done = sum(step.status == "complete" for step in steps)
    return f"{PLAN_TITLE}: {done} of {len(steps)} done"


def _task(step: Step) -> dict[str, Any]:
    title = cut(one_line(made_visible(step.title)), _TITLE) or "…"
    task: dict[str, Any] = {
        "type": "task_card",
        "task_id": cut(step.id, _ID) or "step",
        "title": title,
        "status": step.status,
    }
    details = cut(one_line(made_visible(step.details)), _DETAILS)
    if details:
        text = {"type": "text", "text": details}
        section = {"type": "rich_text_section", "elements": [text]}
        task["details"] = {"type": "rich_text", "elements": [section]}
    return task
