"""One run of the agent, from the mention that began it to its last word. Frozen and pure.

::

    THINKING ── calls ──► CALLING ── some need a human ──► WAITING ── decided ──► THINKING
        │                    └──── none does ────► THINKING
        └── no calls, or the last turn ──► CONCLUDING ── said in the thread ──► ENDED

A call goes its own way, each step saved before the next: NEW, ASKED where a human decides, RUNNING,
ENDED. What was RUNNING when a worker died may have happened or not: a read is run again, anything
else never. A tool that can find what its call did is asked to look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.conversation import Mention, Question
from handlers.tools.limits import Bound, Spent
from handlers.tools.ports import AgentMessage
from index.documents import Passage


class Phase(StrEnum):
    """What a run does next."""

    THINKING = "thinking"
    CALLING = "calling"
    WAITING = "waiting"
    CONCLUDING = "concluding"
    ENDED = "ended"


class CallState(StrEnum):
    """How far a call has come."""

    NEW = "new"
    ASKED = "asked"
    RUNNING = "running"
    ENDED = "ended"


class Fate(StrEnum):
    """What became of a call that has ended."""

    OPEN = ""
    WORKED = "worked"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CHANGED = "changed"
    NOT_RUN = "not-run"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RunCall:
    """A call of a run. ``id`` is ours and unique in the run; ``arguments`` are the model's words.

    ``bound`` are the canonical arguments that run, and ``digest`` is of the tool, once they fit its
    schema. ``result`` is what the model reads; where it is ``fleeting`` it is never saved. ``told``
    is the message that says in the thread what became of it, "-" where none has to. ``undone`` is
    "", "running" or "done", and ``decided_by`` the user who agreed.
    """

    id: str
    tool: str
    arguments: str = field(repr=False)
    title: str = ""
    effect: str = ""
    state: CallState = CallState.NEW
    fate: Fate = Fate.OPEN
    approval: str = ""
    bound: str = field(default="", repr=False)
    digest: str = ""
    result: str = field(default="", repr=False)
    url: str = ""
    undo: Mapping[str, object] | None = None
    undone: str = ""
    decided_by: str = ""
    told: str = ""
    fleeting: bool = False

    @property
    def acts(self) -> bool:
        """Tell whether it leaves the house or changes something."""
        return self.effect in ("fetch", "write")


@dataclass(frozen=True, slots=True)
class Run:
    """All that must outlast a worker.

    ``mention`` has no text; what is asked stands in ``question``. ``calls`` are all so far, those
    of the last turn at the end; ``passages`` can be cited as [1], [2] ... in this order. ``limit``
    is the bound that made the run conclude. ``posted`` are the messages that stay in the thread,
    ``card_ts`` is the one that asks for a decision now. ``tries`` counts workers that began since
    the run last came further, ``ended`` is a short machine word.
    """

    id: str
    mention: Mention
    trace: str = ""
    accepted_at: float = 0.0
    phase: Phase = Phase.THINKING
    question: Question | None = field(default=None, repr=False)
    messages: tuple[AgentMessage, ...] = field(default=(), repr=False)
    calls: tuple[RunCall, ...] = ()
    passages: tuple[Passage, ...] = field(default=(), repr=False)
    spent: Spent = field(default_factory=Spent)
    limit: Bound | None = None
    text: str = field(default="", repr=False)
    truncated: bool = False
    posted: tuple[str, ...] = ()
    plan_ts: str = ""
    card_ts: str = ""
    expires_at: float = 0.0
    tries: int = 0
    round: str = ""
    ended: str = ""
    verdict: str = ""

    @property
    def open_calls(self) -> tuple[RunCall, ...]:
        """The calls whose end the model does not know yet."""
        return tuple(call for call in self.calls if call.state is not CallState.ENDED)

    def call(self, call_id: str) -> RunCall | None:
        """Return the call with this id."""
        return next((call for call in self.calls if call.id == call_id), None)

    def with_call(self, changed: RunCall) -> "Run":
        """Return the run with one call in the place of its older self."""
        calls = tuple(changed if call.id == changed.id else call for call in self.calls)
        return replace(self, calls=calls)

    def tried(self, tries: int, this_round: str) -> "Run":
        """Return the run with so many tries since it last came further."""
        return replace(self, tries=tries, round=this_round)

    def over(self, word: str, verdict: str = "") -> "Run":
        """Return the run at its end. Of what was said nothing is kept but how to undo."""
        calls = tuple(replace(call, arguments="", bound="", result="") for call in self.calls)
        return replace(
            self,
            phase=Phase.ENDED,
            ended=word,
            verdict=verdict,
            question=None,
            messages=(),
            passages=(),
            text="",
            calls=calls,
            card_ts="",
        )


def call_id(turn: int, number: int) -> str:
    """Return the id of a call: 9 letters and digits, which is what Mistral's models insist on."""
    return f"t{turn % 10_000:04}c{number % 1_000:03}"
