"""Who may decide in a room: a full member of the workspace who is in it at this moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import TROUBLE, ConversationUnreadable, reading_error
from bot.listings import next_page, rows, word
from bot.people import person

_PAGE = 999
_PAGES = 10
_TYPES = "public_channel,private_channel,mpim"


async def may_decide(client: AsyncWebClient, user: str, channel: str) -> bool:
    """Tell whether ``user`` may decide about what is proposed in ``channel``.

    Nothing is remembered: whoever left a second ago may not. In a direct message with the bot there
    is nobody else. Raises SlackUnreachable, TokenRefused; where Slack refuses to say, nobody may.
    """
    if not user or not channel:
        return False
    try:
        if channel.startswith("D"):
            return await _is_member(client, user)
        both = await asyncio.gather(_is_member(client, user), _is_in(client, user, channel))
    except ConversationUnreadable:
        return False
    return all(both)


async def _is_member(client: AsyncWebClient, user: str) -> bool:
    who = await person(client, user)
    return who.member and not who.bot


async def _is_in(client: AsyncWebClient, user: str, channel: str) -> bool:
    answer = await _asked(client.conversations_members, channel=channel, limit=_PAGE)
    listed = answer.get("members")
    if isinstance(listed, list) and user in listed:
        return True
    # Of a larger room each page costs a call; where somebody is rarely takes more than one.
    return bool(next_page(answer)) and channel in await _rooms_of(client, user)


async def _rooms_of(client: AsyncWebClient, user: str) -> set[str]:
    found: set[str] = set()
    cursor = ""
    for _ in range(_PAGES):
        answer = await _asked(
            client.users_conversations,
            user=user,
            types=_TYPES,
            limit=_PAGE,
            cursor=cursor or None,
        )
        found.update(word(row, "id") for row in rows(answer, "channels"))
        cursor = next_page(answer)
        if not cursor:
            break
    return found


async def _asked(method: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
    try:
        return await method(**arguments)
    except TROUBLE as error:
        raise reading_error(error) from error
