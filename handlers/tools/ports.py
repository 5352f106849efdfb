"""What a tool is, and what the agent needs from a model that calls tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from bot.conversation import Place
from handlers.answering.ports import Usage
from index.audience import Audience
from index.documents import Passage


class Effect(StrEnum):
    """What running a tool does, which decides who has to agree.

    ``READ`` looks at our own data, as the asker may; it runs by itself. ``FETCH`` leaves the house:
    whatever address or argument it sends can carry data out. ``WRITE`` changes something. The last
    two wait for a human.
    """

    READ = "read"
    FETCH = "fetch"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked the agent, and where; tools act for nobody else."""

    team: str
    channel: str
    user: str
    thread_ts: str
    place: Place


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may know of the run it works for.

    ``audience`` is whoever will see the result. ``call`` is the same each time the same call is
    tried, so that a tool can make its request idempotent. ``deadline`` is an event-loop time.
    ``action_token`` is what Slack's real-time search asks for, or "".
    """

    caller: Caller
    audience: Audience
    call: str
    deadline: float
    action_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call. ``text`` is for the model and untrusted; ``passages`` can be cited.

    ``url`` leads people to what was made, and must come from code or from the answer of the service
    that was called, on an address that the operator configured. ``undo`` holds what
    ``Undoable.undo`` needs, None where nothing can be undone.
    """

    text: str = field(repr=False)
    passages: tuple[Passage, ...] = ()
    url: str = ""
    undo: Mapping[str, object] | None = None


class Tool(Protocol):
    """Something the agent can do. Third parties add theirs by entry point."""

    @property
    def name(self) -> str:
        """Letters, digits, ``_`` and ``-``, at most 64: what chat completions allow."""
        ...

    @property
    def description(self) -> str:
        """What it does and when to use it, for the model."""
        ...

    @property
    def parameters(self) -> Mapping[str, object]:
        """JSON Schema (2020-12) of the arguments, an object."""
        ...

    @property
    def effect(self) -> Effect:
        """What running it does."""
        ...

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Run once, with arguments that fit ``parameters``.

        Raises ToolError, whose sentence the model reads and may mend its call by.
        """
        ...


@runtime_checkable
class Undoable(Protocol):
    """A tool whose effect can be taken back."""

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Take back what a run with this ``ToolResult.undo`` did. Raises ToolError."""
        ...


@runtime_checkable
class Traceable(Protocol):
    """A tool that can find what a call of it did, such as an issue that bears the call's mark.

    It is asked where a worker died while the call ran. Without this people are told that nobody
    knows; in no case is the call run again.
    """

    async def done_before(
        self, arguments: Mapping[str, object], context: ToolContext
    ) -> ToolResult | None:
        """Return what ``run`` would have returned, or None where nothing of the call is found.

        ``arguments`` and ``context.call`` are those of the call. This only looks: it must change
        nothing, and must take nobody else's work for the call's. Raises ToolError.
        """
        ...


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asks for. ``arguments`` is its JSON as the model wrote it: untrusted.

    ``id`` is the model's, unique within its turn.
    """

    id: str
    name: str
    arguments: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """One message of a run. ``calls`` only for an assistant, ``call_id`` only for a tool."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = field(repr=False)
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelTurn:
    """What the model said in one turn: text, calls, or both."""

    text: str = field(repr=False)
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)
    truncated: bool = False


class ToolModel(Protocol):
    """A model that calls tools: any OpenAI-compatible endpoint that does."""

    @property
    def name(self) -> str:
        """Name of the model, as recorded in answers."""
        ...

    async def turn(
        self,
        messages: Sequence[AgentMessage],
        tools: Sequence[Tool],
        *,
        deadline: float,
        most_tokens: int,
        conclude: bool = False,
    ) -> ModelTurn:
        """Return the next turn. ``conclude``: tools may not be called any more.

        ``deadline`` is an event-loop time; ``most_tokens`` is where a turn is cut. Raises
        ModelError; ToolsUnsupported, a kind of it, where the endpoint or the model can't call
        tools.
        """
        ...
