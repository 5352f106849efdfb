"""Send a webhook that the operator listed; the model names it, and never an address.

POST the address of the hook
Content-Type: application/json          {"text": ..., "call": the same whenever it is tried}
Idempotency-Key: the same as "call"
X-Footnote-Signature: sha256=HMAC of the body with the hook's secret, if it has one
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from handlers.adapters.operator_service import OperatorService, checked_address
from handlers.answering.cleaning import one_line
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult
from handlers.work.jobs import opaque

LONGEST_TEXT: Final = 3_000
LONGEST_ANSWER: Final = 1_000
SIGNATURE: Final = "X-Footnote-Signature"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook. ``about`` tells the model what it is for; ``secret`` signs, "" signs nothing."""

    name: str
    address: str = field(repr=False)
    about: str = ""
    secret: str = field(default="", repr=False)


class SendWebhook:
    """Sends a text to one of the operator's hooks. It leaves the house, so it is a fetch."""

    name = "send_webhook"
    effect = Effect.FETCH

    def __init__(self, hooks: Mapping[str, Hook], *, seconds: float = 15.0) -> None:
        """Keep the hooks, by name. Raises ValueError with a sentence for the operator."""
        if not hooks:
            raise ValueError("Name at least one webhook that may be sent.")
        self._hooks = dict(hooks)
        self._services = {
            name: OperatorService(
                f"The webhook {name}",
                checked_address(hook.address, query=True),
                {},
                seconds=seconds,
            )
            for name, hook in self._hooks.items()
        }
        listed = "; ".join(f"{name}: {one_line(h.about)}" for name, h in hooks.items() if h.about)
        self.description = "Send a text to a webhook." + (f" {listed}."[:900] if listed else "")
        self.parameters: Mapping[str, object] = {
            "type": "object",
            "properties": {
                "hook": {
                    "type": "string",
                    "enum": list(self._hooks),
                    "description": "Which webhook.",
                },
                "text": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": LONGEST_TEXT,
                    "pattern": r"\S",
                    "description": "What to send.",
                },
            },
            "required": ["hook", "text"],
            "additionalProperties": False,
        }

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Send it. Raises ToolRefused, ToolUnavailable."""
        hook = self._hooks.get(str(arguments["hook"]))
        if hook is None:
            raise ToolRefused("There is no such webhook.")
        call = opaque(context.call)[:32]
        body = json.dumps({"text": str(arguments["text"]), "call": call}).encode()
        headers = {"Idempotency-Key": call}
        if hook.secret:
            headers[SIGNATURE] = f"sha256={signature(hook.secret, body)}"
        answer = await self._services[hook.name].ask(
            "POST", "", body=body, headers=headers, deadline=context.deadline
        )
        said = "" if answer is None else one_line(json.dumps(answer, ensure_ascii=False))
        told = f" It answered: {said[:LONGEST_ANSWER]}" if said else ""
        return ToolResult(f"The webhook {hook.name} took it.{told}")


def signature(secret: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of a body, in hex. Pure."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
