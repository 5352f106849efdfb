"""Which tools the agent has: the built-in ones, and those of installed distributions.

A distribution offers a tool in its pyproject.toml:

    [project.entry-points."footnote.tools"]
    deploys = "acme_deploys.footnote:TOOL"      # a Tool, see handlers.tools.ports

It may be more than a Tool, by methods that ports.py describes: ``undo`` takes back what a call did
(Undoable), ``done_before`` finds what a call did whose worker died (Traceable). ``fleeting = True``
says that what it returns may not be kept.

Whoever installs it wants it, so it is loaded; if that fails, or what is loaded is no tool, it is
left out and named, and all others work. What would make two tools answer to one name, or gives one
a name that no model can call, is refused: an operator must choose.
"""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from handlers.tools.arguments import schema_fault, tool_digest
from handlers.tools.ports import Effect, Tool

GROUP: Final = "footnote.tools"
"""The group of entry points."""

MOST_DESCRIPTION: Final = 4_000

_BUILT_IN = "the house"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ToolsInvalid(Exception):
    """The tools cannot be offered as they are. ``problems`` holds one sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["The agent's tools need you:", *problems]))


@dataclass(frozen=True, slots=True)
class Offered:
    """``tools``, each by a name of its own; ``left_out`` has a sentence for each broken one."""

    tools: tuple[Tool, ...]
    left_out: tuple[str, ...] = ()

    def named(self) -> Mapping[str, Tool]:
        """Return the tools by name."""
        return {tool.name: tool for tool in self.tools}


def offered(*parts: Iterable[Tool], installed: Iterable[EntryPoint] | None = None) -> Offered:
    """Return all tools of ``parts``, in their order, then those of installed distributions.

    ``installed`` are entry points; those of the group by default. Raises ToolsInvalid.
    """
    tools: list[tuple[Tool, str]] = [(tool, _BUILT_IN) for part in parts for tool in part]
    left_out: list[str] = []
    points = entry_points(group=GROUP) if installed is None else installed
    for point in sorted(points, key=lambda one: (one.name, one.value)):
        label = f"the distribution {_distribution(point)}"
        try:
            tool = point.load()
            wrong = _wrong(tool)
            if not wrong:
                # An approval binds it, so it must be there for each.
                tool_digest(tool)
        except (Exception, SystemExit) as error:
            wrong = f"it cannot be loaded ({type(error).__name__})"
        if wrong:
            left_out.append(f"The tool {point.name!r} of {label} is left out: {wrong}.")
        else:
            tools.append((tool, label))
    problems = [
        f"{tool!r} is no tool: {wrong}."
        for tool, label in tools
        if label == _BUILT_IN and (wrong := _wrong(tool))
    ]
    problems = problems or _name_problems(tools)
    if problems:
        raise ToolsInvalid(problems)
    return Offered(tuple(tool for tool, _ in tools), tuple(left_out))


def _name_problems(tools: Sequence[tuple[Tool, str]]) -> list[str]:
    problems: list[str] = []
    owners: dict[str, list[str]] = {}
    for tool, label in tools:
        if not _NAME.fullmatch(tool.name):
            problems.append(
                f"{tool.name!r}, from {label}, is no name that a model can call: letters, digits,"
                " _ and -, 64 at most."
            )
        # Small models are careless with capitals, and approvals and policies go by name.
        owners.setdefault(tool.name.lower(), []).append(label)
    for name, labels in owners.items():
        if len(labels) > 1:
            problems.append(f"{name!r} is offered more than once: {' and '.join(labels)}.")
    return problems


def _wrong(tool: object) -> str:
    """Return half a sentence about why this is no tool, or ""."""
    if isinstance(tool, type):
        return "it is a class; offer an instance of it"
    if not isinstance(getattr(tool, "name", None), str):
        return "it has no name"
    description = getattr(tool, "description", None)
    if not isinstance(description, str) or not description.strip():
        return "it has no description"
    if len(description) > MOST_DESCRIPTION:
        return f"its description has more than {MOST_DESCRIPTION} characters"
    if not isinstance(getattr(tool, "effect", None), Effect):
        return "its effect is none of read, fetch, write"
    if not inspect.iscoroutinefunction(getattr(tool, "run", None)):
        return "its run is no coroutine function"
    schema = getattr(tool, "parameters", None)
    if not isinstance(schema, Mapping):
        return "its parameters are no schema of an object"
    if fault := schema_fault(schema):
        return f"{fault[:1].lower()}{fault[1:]}".rstrip(".")
    return ""


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
