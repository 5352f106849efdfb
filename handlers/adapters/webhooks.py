"""Send a webhook that the operator listed; the model names it, and never an address.

POST the address of the hook
Content-Type: application/json          {"text": ..., "call": the same whenever it is tried}
Idempotency-Key: the same as "call"
X-Footnote-Signature: sha256=HMAC of the body with the hook's secret, if it has one
"""

import hashlib
import hmac
import json
import re
import tomllib
from collections.abc import Callable, Mapping
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

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook. ``about`` tells the model what it is for; ``secret`` signs, "" signs nothing."""

    name: str
    address: str = field(repr=False)
    about: str = ""
    secret: str = field(default="", repr=False)


class HooksInvalid(Exception):
    """The file of webhooks cannot be used. ``str(error)`` is for the operator."""


def read_hooks(text: str, secret: Callable[[str], str]) -> dict[str, Hook]:
    """Return the hooks that a TOML file lists, by name; ``secret`` returns a secret by its name.

    ::

        [[hook]]
        name = "deploys"
        address = "https://ci.acme.example/hooks/footnote"
        about = "tells the team that deploys"
        secret = "deploys"          # the name of a secret, never the secret; it may be left out

    Raises HooksInvalid, and what ``secret`` raises.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with too many digits
        raise HooksInvalid(f"The file of webhooks is no TOML: {error}.") from None
    entries = tables.get("hook")
    if not isinstance(entries, list) or tables.keys() != {"hook"}:
        raise HooksInvalid("The file of webhooks holds entries that begin with [[hook]] alone.")
    hooks: dict[str, Hook] = {}
    for number, entry in enumerate(entries, start=1):
        hook = _hook(entry, f"Webhook number {number}", secret)
        if hook.name in hooks:
            raise HooksInvalid(f"Webhook {hook.name}: the name is taken twice.")
        hooks[hook.name] = hook
    return hooks


def _hook(entry: object, label: str, secret: Callable[[str], str]) -> Hook:
    if not isinstance(entry, dict) or not all(isinstance(one, str) for one in entry.values()):
        raise HooksInvalid(f"{label}: all its values are texts.")
    if entry.keys() - {"name", "address", "about", "secret"}:
        raise HooksInvalid(f"{label}: it takes name, address, about and secret.")
    name = entry.get("name", "")
    if not _NAME.fullmatch(name):
        raise HooksInvalid(f"{label}: its name must be letters, digits, _ and -, 64 at most.")
    try:
        address = checked_address(entry.get("address", ""), query=True)
    except ValueError as error:
        raise HooksInvalid(f"Webhook {name}: {error}") from None
    named = entry.get("secret", "")
    return Hook(name, address, entry.get("about", ""), secret(named) if named else "")


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
