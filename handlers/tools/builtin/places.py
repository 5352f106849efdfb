"""Where in Slack a call points: this thread, or a channel that the asker is in.

The bot may be in rooms that the asker may not see. So a tool reads and writes only where the one it
works for is a member now, whatever else the bot is invited to.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.channels import Closed, judged
from bot.conversation import Place
from bot.listings import next_page, rows, word
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Caller, ToolContext
from index.audience import EVERYONE, Principal

HERE: Final = "this thread"

CHANNEL: Final[Mapping[str, object]] = {
    "type": "string",
    "maxLength": 81,
    "pattern": r"^(this thread|#?[^\s#@<>|/*]{1,80})$(?!\n)",
    "description": '"this thread", or a channel by its name such as #general or by its id.',
}
"""The schema of an argument that names a place; names of channels hold no space."""

_THREAD = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")
_ID = re.compile(r"[CG][A-Z0-9]{2,24}")
_PAGES = 5
_PAGE = 999


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel, and the thread in it or "". ``private``: only its members read it."""

    channel: str
    thread_ts: str
    name: str
    private: bool


async def spot(client: AsyncWebClient, caller: Caller, named: str) -> Spot:
    """Return the place that ``named`` means for ``caller``.

    Raises ToolRefused for a channel that they are not in, that the bot is not in, or that another
    company shares; and what the client raises.
    """
    if named == HERE:
        # A slash command is no message, so its thread is none.
        thread = caller.thread_ts if _THREAD.fullmatch(caller.thread_ts) else ""
        return Spot(caller.channel, thread, HERE, private=True)
    channel = await _channel_of(client, caller, named)
    if not channel:
        raise ToolRefused(
            f"The person who asks is in no channel called {named}, or the bot does not know it. Ask"
            " which channel is meant."
        )
    answer = await client.conversations_info(channel=channel)
    found = answer.get("channel")
    room = judged(found if isinstance(found, dict) else {}, named)
    if isinstance(room, Closed):
        raise ToolRefused(
            f"{named} cannot be used: the bot is not in it, it is archived, or another company"
            " shares it."
        )
    return Spot(room.id, "", f"#{room.name}", room.private)


def may_be_shown(place: Spot, context: ToolContext) -> bool:
    """Tell whether all who will see the answer may read what is said at ``place``. Pure.

    A private channel is for its members; what is said in it goes to no other room. Whoever asked
    alone is a member, or ``spot`` would have refused.
    """
    if context.caller.place is not Place.CHANNEL or place.channel == context.caller.channel:
        return True
    reader = Principal("slack-channel", place.channel) if place.private else EVERYONE
    return context.audience.may_read(frozenset({reader.id}))


async def _channel_of(client: AsyncWebClient, caller: Caller, named: str) -> str:
    """Return the id of the channel that the caller is in, or "". Names are unique in Slack."""
    by_id = bool(_ID.fullmatch(named))
    wanted = named if by_id else named.removeprefix("#").lower()
    cursor = ""
    for _ in range(_PAGES):
        answer: Any = await client.users_conversations(
            user=caller.user,
            types="public_channel,private_channel",
            exclude_archived=True,
            limit=_PAGE,
            cursor=cursor or None,
        )
        for row in rows(answer, "channels"):
            names = (
                (word(row, "id"),) if by_id else (word(row, "name"), word(row, "name_normalized"))
            )
            if wanted in names:
                return word(row, "id")
        cursor = next_page(answer)
        if not cursor:
            break
    return ""
