"""How far a run may go, and how far it has gone. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from handlers.answering.ports import Usage


class Bound(StrEnum):
    """What a run has used up."""

    TURNS = "turns"
    TOKENS = "tokens"
    SECONDS = "seconds"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run took so far.

    ``seconds`` were spent at work, without waiting for people. ``cost`` is in US dollars, and 0.0
    where nobody knows prices.
    """

    turns: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cost: float = 0.0

    def and_turn(self, usage: Usage, cost: float) -> "Spent":
        """Return the same with one more turn of the model."""
        tokens = self.tokens + usage.prompt_tokens + usage.completion_tokens
        return Spent(self.turns + 1, tokens, self.seconds, self.cost + cost)

    def and_seconds(self, seconds: float) -> "Spent":
        """Return the same with more time at work."""
        return Spent(self.turns, self.tokens, self.seconds + max(0.0, seconds), self.cost)


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one run; at the first that is reached, one last turn must conclude.

    ``seconds`` counts work, not waiting; ``cost`` is in US dollars. ``calls`` is the most tool
    calls of one turn, ``turn_tokens`` the most that the model may write in it, thoughts included.
    ``turn_seconds`` and ``tool_seconds`` bound one turn and one call, and ``conclude_seconds`` the
    last turn, which comes on top.
    """

    turns: int = 12
    tokens: int = 150_000
    seconds: float = 300.0
    cost: float = 0.5
    calls: int = 8
    turn_tokens: int = 8_192
    turn_seconds: float = 90.0
    tool_seconds: float = 60.0
    conclude_seconds: float = 60.0

    def reached(self, spent: Spent) -> Bound | None:
        """Return the first bound that is reached, if one is."""
        if spent.turns >= self.turns:
            return Bound.TURNS
        if spent.tokens >= self.tokens:
            return Bound.TOKENS
        if spent.seconds >= self.seconds:
            return Bound.SECONDS
        return Bound.COST if spent.cost >= self.cost else None

    def left(self, spent: Spent, most: float) -> float:
        """Return the seconds that the next piece of work may take, at most ``most``."""
        return max(0.0, min(most, self.seconds - spent.seconds))
