"""The desk behind the agent's cards, scripted: it keeps what it was asked, and decides as told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.proposals import Decided, Decision, Proposal, ProposedCall, Ruling, Verb

UNTIL = datetime(2026, 11, 29, 18, 30, tzinfo=UTC)


def call(number: int = 1, arguments: str = '{"title":"Printer"}', **more: object) -> ProposedCall:
    """Return a proposed call with an id and a nonce as they are in life."""
    made = ProposedCall(
        approval=f"{number:032x}",
        nonce=f"{number + 4_096:032x}",
        tool="open_github_issue",
        title="Open a GitHub issue",
        effect="write",
        arguments=arguments,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def proposal(*calls: ProposedCall, approvers: Sequence[str] = ("UBOB",)) -> Proposal:
    """Return a proposal of Alice's, which Bob may decide about."""
    return Proposal("UALICE", tuple(approvers), UNTIL, calls or (call(),))


@dataclass
class ScriptedDesk:
    """Knows one proposal; each decision is taken as it comes, unless ``answers`` says otherwise."""

    known: Proposal | None = None
    answers: list[Decided] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    undone: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    stops: list[tuple[str, str, str, str]] = field(default_factory=list)
    rulings: dict[str, tuple[Ruling, str]] = field(default_factory=dict)
    broken: bool = False

    async def decided(self, decision: Decision) -> Decided:
        self._fail()
        self.decisions.append(decision)
        if self.answers:
            return self.answers.pop(0)
        if self.known is None:
            return Decided(Ruling.GONE)
        taken = Ruling.APPROVED if decision.verb is Verb.APPROVE else Ruling.REJECTED
        for approval, _ in decision.calls:
            self.rulings.setdefault(approval, (taken, decision.user))
        if decision.arguments is not None:
            asked = dict(decision.calls)
            calls = tuple(
                replace(c, arguments=decision.arguments) if c.approval in asked else c
                for c in self.known.calls
            )
            self.known = replace(self.known, calls=calls)
        return self.standing(taken)

    def standing(self, ruling: Ruling, reason: str = "") -> Decided:
        """Return how the proposal stands, as the answer to a decision."""
        assert self.known is not None
        stands = [self.rulings.get(one.approval, (Ruling.PENDING, "")) for one in self.known.calls]
        return Decided(
            ruling,
            self.known,
            tuple(ruling for ruling, _ in stands),
            tuple(by for _, by in stands),
            reason,
        )

    async def proposal(self, approval_ids: Sequence[str]) -> Proposal | None:
        self._fail()
        if self.known is None:
            return None
        calls = tuple(one for one in self.known.calls if one.approval in approval_ids)
        return replace(self.known, calls=calls)

    async def undo(self, team: str, channel: str, run: str, call: str, user: str) -> str:
        self._fail()
        self.undone.append((team, channel, run, call, user))
        return "I'm taking it back."

    async def stopped(self, team: str, channel: str, thread_ts: str, user: str) -> None:
        self._fail()
        self.stops.append((team, channel, thread_ts, user))

    def _fail(self) -> None:
        if self.broken:
            raise ConnectionError("the table does not answer")
