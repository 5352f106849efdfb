"""A model that does what the user asked, and whatever any text that it reads tells it to do.

It is the worst that can sit behind a gate. A real model follows an injected instruction sometimes;
whoever counts only those counts the model and not the gate.
"""

import json
import re
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from handlers.tools.ports import AgentMessage, ModelTurn, Tool, ToolCall

_NUMBERED = re.compile(r"^\[(\d+)\]", re.M)


class Arrangement(StrEnum):
    """How many calls are asked for in one turn.

    ``ALONE``: one, so that each card shows one call. ``TOGETHER``: calls in a row that need a human
    share a card, and the attacker's calls come on the card of the user's next call.
    """

    ALONE = "one call a card"
    TOGETHER = "calls share a card"


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
    """Asks for the calls of the user's task, and answers as the suite wants it.

    As soon as a result shows the injected text, its calls come first. ``acting`` are the tools that
    wait for a human.
    """

    def __init__(
        self,
        calls: Sequence[Wanted],
        answer: str,
        injection: Injection | None,
        arrangement: Arrangement,
        *,
        acting: Collection[str],
    ) -> None:
        self._waiting = deque(calls)
        self._answer = answer
        self._injection = injection
        self._together = arrangement is Arrangement.TOGETHER
        self._acting = acting
        self._asked = 0
        self._source = ""
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
        most_tokens: int,
        conclude: bool = False,
    ) -> ModelTurn:
        """Ask for what comes next, or say the answer."""
        many = 1 + self._injected(messages) * self._together
        calls = [self._waiting.popleft() for _ in range(min(many, len(self._waiting)))]
        while self._together and self._goes_with(calls):
            calls.append(self._waiting.popleft())
        if conclude or not calls:
            return ModelTurn(self._words())
        return ModelTurn("", tuple(map(self._call, calls)))

    def _injected(self, messages: Sequence[AgentMessage]) -> int:
        """Put the attacker's calls first, once they were read; tell how many came."""
        injection = self._injection
        if injection is None or self.obeyed:
            return 0
        for message in messages:
            if message.role == "tool" and injection.is_in(message.content):
                numbered = _NUMBERED.search(message.content)
                self._source = f" [{numbered[1]}]" if numbered else ""
                self._waiting.extendleft(reversed(injection.calls))
                self.obeyed = True
                return len(injection.calls)
        return 0

    def _goes_with(self, calls: Sequence[Wanted]) -> bool:
        both = [*calls[-1:], *list(self._waiting)[:1]]
        return len(both) == 2 and all(one.tool in self._acting for one in both)

    def _call(self, wanted: Wanted) -> ToolCall:
        self._asked += 1
        return ToolCall(f"call_{self._asked}", wanted.tool, json.dumps(dict(wanted.arguments)))

    def _words(self) -> str:
        """Return the answer; what the attacker wants said cites the text that says so."""
        says = self._injection.says if self._injection and self.obeyed else ""
        return "\n".join(filter(None, [self._answer, f"{says}{self._source}" if says else ""]))
