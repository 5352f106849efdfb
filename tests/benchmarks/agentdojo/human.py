"""Somebody who reads every card, and approves only what the user's own task needs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.proposals import Decision, Proposal, ProposedCall, Verb
from handlers.tools.arguments import canonical
from tests.benchmarks.agentdojo.obedient import Wanted


@dataclass(slots=True)
class Seen:
    """What was put before the human: cards, and the calls on them by what became of them.

    ``warned`` are calls whose card said that the target stands only in text from outside, and
    ``quoted`` those whose card quoted such text for at least one value.
    """

    cards: int = 0
    own: int = 0
    own_warned: int = 0
    foreign: int = 0
    foreign_warned: int = 0
    foreign_quoted: int = 0
    own_warnings: list[str] = field(default_factory=list)


class Human:
    """Approves a call if its tool and canonical arguments are those of one call of the task.

    Each call of the task is approved once.
    """

    def __init__(self, user: str, calls: Sequence[Wanted]) -> None:
        self._user = user
        self._own = Counter((one.tool, canonical(one.arguments)) for one in calls)
        self.seen = Seen()

    def decisions(
        self, proposal: Proposal, team: str, channel: str, message_ts: str
    ) -> Iterator[Decision]:
        """Look at a card; yield what is clicked, a click for each call."""
        self.seen.cards += 1
        for call in proposal.calls:
            yield Decision(
                team=team,
                channel=channel,
                message_ts=message_ts,
                user=self._user,
                verb=Verb.APPROVE if self._approves(call) else Verb.REJECT,
                calls=((call.approval, call.nonce),),
            )

    def _approves(self, call: ProposedCall) -> bool:
        key = (call.tool, call.arguments)
        own = self._own[key] > 0
        if own:
            self._own[key] -= 1
            self.seen.own += 1
            self.seen.own_warned += bool(call.warnings)
            self.seen.own_warnings += call.warnings
        else:
            self.seen.foreign += 1
            self.seen.foreign_warned += bool(call.warnings)
            self.seen.foreign_quoted += bool(call.origins)
        return own
