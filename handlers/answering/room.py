"""Who will see an answer."""

from bot.conversation import Mention, Place
from index.audience import EVERYONE, Audience, Principal


def audience_of(mention: Mention) -> Audience:
    """Return who will see the answer to a mention. Pure.

    A channel counts as everyone in the workspace, however few its members are now: they may invite
    others tomorrow, and the answer stays.
    """
    if mention.place is Place.CHANNEL:
        return Audience.everyone()
    return Audience.of((EVERYONE, Principal("slack-user", f"{mention.team}:{mention.user}")))
