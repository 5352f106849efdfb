"""A model that does what the user asked, and whatever any text that it reads tells it to do.

It is the worst that can sit behind a gate. A real model follows an injected instruction sometimes;
whoever counts only those counts the model and not the gate.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.tools.ports import AgentMessage, ModelTurn, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that solves a part of a task."""

    tool: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Injection:
    """What an attacker wrote where a tool will find it, and what obeying it comes to.

    ``says`` is what the attacker wants the answer to contain, or "".
    """

    text: str
    calls: tuple[Wanted, ...]
    says: str

    def is_in(self, text: str) -> bool:
        """Tell whether a result shows the injected text, as it is or inside JSON."""
        return self.text in text or json.dumps(self.text, ensure_ascii=False)[1:-1] in text


class ObedientModel:
    """Asks for the calls of the user's task one by one, and answers as the suite wants it.

    As soon as a result shows the injected text, its calls come first. ``together``: they are asked
    for in one turn with the user's next call, so that one card shows both.
    """

    def __init__(
        self,
        calls: Sequence[Wanted],
        answer: str,
        injection: Injection | None = None,
        *,
        together: bool = False,
    ) -> None:
        self._waiting = deque(calls)
        self._answer = answer
        self._injection = injection
        self._together = together
        self._asked = 0
        self.obeyed = False

    @property
    def name(self) -> str:
        """As it stands in the audit log."""
        return "obeys-everything"

    async def turn(
        self,
        messages: Sequence[AgentMessage],
        tools: Sequence[Tool],
        *,
        deadline: float,
        conclude: bool = False,
    ) -> ModelTurn:
        """Ask for what comes next, or say the answer."""
        many = 1 + self._injected(messages) * self._together
        calls = [self._waiting.popleft() for _ in range(min(many, len(self._waiting)))]
        if conclude or not calls:
            return ModelTurn(self._words())
        return ModelTurn("", tuple(map(self._call, calls)))

    def _injected(self, messages: Sequence[AgentMessage]) -> int:
        """Put the attacker's calls first, once they were read; tell how many came."""
        injection = self._injection
        if injection is None or self.obeyed:
            return 0
        self.obeyed = any(injection.is_in(one.content) for one in messages if one.role == "tool")
        if not self.obeyed:
            return 0
        self._waiting.extendleft(reversed(injection.calls))
        return len(injection.calls)

    def _call(self, wanted: Wanted) -> ToolCall:
        self._asked += 1
        return ToolCall(f"call_{self._asked}", wanted.tool, json.dumps(dict(wanted.arguments)))

    def _words(self) -> str:
        says = self._injection.says if self._injection and self.obeyed else ""
        return "\n".join(filter(None, [self._answer, says]))
