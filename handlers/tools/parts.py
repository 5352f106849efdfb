"""What a run is done with: the same for all runs of a process."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from handlers.answering.ports import Usage
from handlers.answering.window import tokens_in
from handlers.tools.approvals import Approvals
from handlers.tools.audit import AuditLog
from handlers.tools.limits import Limits
from handlers.tools.policy import NO_POLICY, Policy
from handlers.tools.ports import Tool, ToolModel

APPROVAL_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the agent. Nothing of it belongs to one run.

    ``approvers`` are Slack user ids, empty for whoever is a full member in the room;
    ``approval_seconds`` is how long they have. ``window_tokens`` bounds prompt and turn.
    ``cost_of`` prices a turn in US dollars. ``clock`` counts seconds since the epoch.
    """

    model: ToolModel
    tools: tuple[Tool, ...]
    approvals: Approvals
    audit: AuditLog
    policy: Policy = NO_POLICY
    limits: Limits = field(default_factory=Limits)
    approvers: tuple[str, ...] = ()
    approval_seconds: float = APPROVAL_SECONDS
    window_tokens: int = 32_000
    cost_of: Callable[[Usage], float] | None = None
    clock: Callable[[], float] = time.time
    nonce: Callable[[], str] = lambda: secrets.token_hex(8)

    def tool(self, name: str) -> Tool | None:
        """Return the tool with this name."""
        return next((tool for tool in self.tools if tool.name == name), None)

    @property
    def tool_tokens(self) -> int:
        """About how many tokens it takes to offer the tools."""
        return sum(
            tokens_in(tool.name + tool.description + _json(tool.parameters)) for tool in self.tools
        )


def _json(parameters: Mapping[str, object]) -> str:
    return json.dumps(parameters, default=dict)
