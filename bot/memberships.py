"""Who belongs where, as Slack knows it at this moment: rooms, user groups, private channels.

Nothing is remembered: whoever was removed a second ago is not in what is returned.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import TROUBLE, ConversationUnreadable, reading_error
from bot.listings import next_page, rows, word

MOST_MEMBERS = 20
"""Larger rooms are not looked at one by one: each look costs a call, of Slack's 100 a minute."""

_MEMBER_PAGE = 200  # Slack recommends no more, and may return fewer
_MEMBER_PAGES = 3
_CHANNEL_PAGE = 999
_CHANNEL_PAGES = 10


@dataclass(frozen=True, slots=True)
class Room:
    """A channel or a group conversation.

    ``private``: only its members read it. ``shared``: people of another company are in it, or are
    invited. ``members`` holds the ids of all, bots among them, or is None if there are more than
    MOST_MEMBERS or Slack does not say.
    """

    channel: str
    private: bool
    shared: bool
    members: tuple[str, ...] | None


async def room(client: AsyncWebClient, channel: str) -> Room:
    """Return what ``channel`` is, and who is in it.

    Where Slack refuses to say who is in it, nobody counts them, as in a large one. Raises
    ConversationUnreadable, SlackUnreachable, TokenRefused.
    """
    answer = await _asked(client.conversations_info, channel=channel)
    found = answer.get("channel")
    about = found if isinstance(found, dict) else {}
    try:
        members = await _members(client, channel)
    except ConversationUnreadable:
        members = None
    return Room(
        channel,
        private=about.get("is_private") is True or about.get("is_mpim") is True,
        shared=bool(about.get("is_ext_shared") or about.get("is_pending_ext_shared")),
        members=members,
    )


async def groups_of(client: AsyncWebClient) -> dict[str, frozenset[str]]:
    """Return the ids of all user groups that are in use, each with the ids of its users.

    Raises ConversationUnreadable (without the scope usergroups:read, or where the workspace has no
    user groups), SlackUnreachable, TokenRefused.
    """
    answer = await _asked(client.usergroups_list, include_users=True, include_disabled=False)
    return {
        word(row, "id"): frozenset(one for one in row["users"] if isinstance(one, str))
        for row in rows(answer, "usergroups")
        if word(row, "id") and not row.get("date_delete") and isinstance(row.get("users"), list)
    }


async def private_channels_of(client: AsyncWebClient, user: str) -> frozenset[str]:
    """Return the ids of the private channels that ``user`` and the bot are both in.

    Of somebody in more than ten thousand, some are left out. Raises ConversationUnreadable,
    SlackUnreachable, TokenRefused.
    """
    found: set[str] = set()
    cursor = ""
    for _ in range(_CHANNEL_PAGES):
        answer = await _asked(
            client.users_conversations,
            user=user,
            types="private_channel",
            limit=_CHANNEL_PAGE,
            cursor=cursor or None,
        )
        found.update(
            word(row, "id")
            for row in rows(answer, "channels")
            if word(row, "id") and row.get("is_private") is True
        )
        cursor = next_page(answer)
        if not cursor:
            break
    return frozenset(found)


async def _members(client: AsyncWebClient, channel: str) -> tuple[str, ...] | None:
    found: list[str] = []
    cursor = ""
    for _ in range(_MEMBER_PAGES):
        answer = await _asked(
            client.conversations_members,
            channel=channel,
            limit=_MEMBER_PAGE,
            cursor=cursor or None,
        )
        listed = answer.get("members")
        found += [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
        if len(found) > MOST_MEMBERS:
            return None
        cursor = next_page(answer)
        if not cursor:
            return tuple(dict.fromkeys(found))
    return None


async def _asked(method: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
    try:
        return await method(**arguments)
    except TROUBLE as error:
        raise reading_error(error) from error
