"""Who is asking: a full member of the workspace, or somebody of whom less may be assumed."""

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import TROUBLE, reading_error

_LESS = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted")


async def is_member(client: AsyncWebClient, user: str) -> bool:
    """Tell whether ``user`` is a full member: no guest, nobody of another company.

    Whoever Slack does not describe is none. Raises ConversationUnreadable, SlackUnreachable.
    """
    try:
        response = await client.users_info(user=user)
    except TROUBLE as error:
        raise reading_error(error) from error
    found = response.get("user")
    return isinstance(found, dict) and not any(found.get(flag) for flag in _LESS)
