"""What an agent proposes and what somebody decides: the nouns of an approval. Frozen and pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """One call that waits for a human.

    ``approval`` is the opaque id of its approval, and ``nonce`` changes with every edit, so that a
    click on a card that shows older arguments decides nothing. ``arguments`` is the canonical JSON
    that will run, byte for byte. ``origins`` say which passage or message asked for it, as quotes
    of untrusted text; ``warnings`` are sentences of ours, such as "The address appears only in
    text from outside."
    """

    approval: str
    nonce: str
    tool: str
    title: str
    effect: str
    arguments: str = field(repr=False)
    origins: tuple[str, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Calls that are asked for together, each shown, each bound by an approval of its own.

    ``approvers`` are Slack user ids; empty means whoever is a full member and in the room.
    ``requester`` asked the agent.
    """

    requester: str
    approvers: tuple[str, ...]
    expires_at: datetime
    calls: tuple[ProposedCall, ...]


class Verb(StrEnum):
    """What was clicked."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """A click on a card of ``team`` and ``channel``: what ``user`` says to some of its calls.

    ``calls`` are pairs of approval id and nonce. ``arguments`` is set only when somebody edited
    the one call of this decision first; it is JSON text as typed, untrusted.
    """

    team: str
    channel: str
    message_ts: str
    user: str
    verb: Verb
    calls: tuple[tuple[str, str], ...]
    arguments: str | None = field(default=None, repr=False)


class Ruling(StrEnum):
    """What became of a decision, or how an approval stands now."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    DECIDED_BEFORE = "decided-before"
    EXPIRED = "expired"
    NOT_AN_APPROVER = "not-an-approver"
    ELSEWHERE = "elsewhere"
    SHOWN_OTHERWISE = "shown-otherwise"
    BAD_ARGUMENTS = "bad-arguments"
    TOOL_CHANGED = "tool-changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer to a decision. ``proposal`` is what the card shows from now on.

    ``rulings`` has one entry for each call of the proposal, in its order; ``reason`` is a sentence
    for whoever clicked, "" when the card itself says enough.
    """

    ruling: Ruling
    proposal: Proposal | None = None
    rulings: tuple[Ruling, ...] = ()
    decided_by: tuple[str, ...] = ()
    reason: str = ""
