"""Who somebody is: a full member of the workspace, or somebody of whom less may be assumed."""

import re
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import TROUBLE, ConversationUnreadable, reading_error

_LESS = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted")
_FARTHEST = 14 * 3600
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")


@dataclass(frozen=True, slots=True)
class Person:
    """An account as Slack describes it now.

    ``member``: a full member, so no guest, nobody of another company, and not deactivated. ``bot``
    is a program, ``gone`` an account that is deactivated: neither reads anything. ``email`` is the
    confirmed address in small letters, or "" when there is none or the bot may not know it.
    ``utc_offset`` is by how many seconds the person's clock is ahead of UTC now, 0 if not known.
    """

    id: str
    member: bool = False
    bot: bool = False
    gone: bool = False
    email: str = field(default="", repr=False)
    utc_offset: int = 0


async def person(client: AsyncWebClient, user: str) -> Person:
    """Return who ``user`` is; whoever Slack does not describe is no member.

    Raises ConversationUnreadable, SlackUnreachable, TokenRefused.
    """
    try:
        response = await client.users_info(user=user)
    except TROUBLE as error:
        raise reading_error(error) from error
    found = response.get("user")
    if not isinstance(found, dict):
        return Person(user)
    return Person(
        user,
        member=not any(found.get(flag) for flag in _LESS),
        bot=found.get("is_bot") is True,
        gone=found.get("deleted") is True,
        email=_email(found),
        utc_offset=_utc_offset(found),
    )


async def known_person(client: AsyncWebClient, user: str) -> Person:
    """Return who ``user`` is, or somebody of whom nothing is known when Slack will not say.

    Raises SlackUnreachable, TokenRefused.
    """
    try:
        return await person(client, user)
    except ConversationUnreadable:
        return Person(user)


def _email(found: dict[str, Any]) -> str:
    """Return the address, which Slack gives with the scope users:read.email alone."""
    profile = found.get("profile")
    given = profile.get("email") if isinstance(profile, dict) else None
    # An address that nobody confirmed may be somebody else's.
    if found.get("is_email_confirmed") is not True or not isinstance(given, str):
        return ""
    return given.lower() if _EMAIL.fullmatch(given) else ""


def _utc_offset(found: dict[str, Any]) -> int:
    """Return the offset, whole minutes and no more than anywhere on earth, or else 0."""
    given = found.get("tz_offset")
    if not isinstance(given, int) or abs(given) > _FARTHEST or given % 60:
        return 0
    return int(given)
