"""Whom a run works for, and who will see what it says. Pure."""

from dataclasses import dataclass, field

from bot.conversation import Place
from handlers.tools.ports import Caller
from index.audience import EVERYONE, Audience, Principal


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds while one worker has the run: asked anew each time it is taken up."""

    caller: Caller
    audience: Audience
    action_token: str = field(default="", repr=False)

    @property
    def readers(self) -> frozenset[str]:
        """Those who may open what a tool told here: the asker, and whoever is in the room."""
        mine = {Principal("slack-user", self.caller.user).id}
        if self.caller.place is not Place.CHANNEL:
            return frozenset(mine)
        channel = Principal("slack-channel", self.caller.channel).id
        members = self.audience.members
        private = bool(members) and all(channel in member for member in members)
        return frozenset(mine | ({channel} if private else {EVERYONE.id}))
