"""A tool that does nothing but note with which arguments it was run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.tools.arguments import canonical
from handlers.tools.ports import Effect, ToolContext, ToolResult

ANYTHING: Mapping[str, object] = {"type": "object"}


@dataclass(frozen=True)
class NotingTool:
    """``ran`` holds the canonical arguments of every run, in order."""

    name: str = "post_message"
    description: str = "Posts a message to a channel."
    parameters: Mapping[str, object] = field(default_factory=lambda: ANYTHING)
    effect: Effect = Effect.WRITE
    ran: list[str] = field(default_factory=list)

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        self.ran.append(canonical(arguments))
        return ToolResult("done")
