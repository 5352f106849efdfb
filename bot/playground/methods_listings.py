"""The Web API methods that list conversations and who is in them, a page at a time."""

from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.methods_conversations import describe_conversation, page_of, reading_scope
from bot.playground.workspace import Conversation

Response = dict[str, Any]
_KINDS = {"public_channel": "channel", "private_channel": "private", "im": "im", "mpim": "mpim"}
_SCOPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}
_LIMIT = 999
_LEFT_OUT = ("is_member", "num_members")


def _of_kind(slack: LocalSlack, arguments: Arguments) -> list[Conversation]:
    """Return those of the wanted ``types``, public channels by default.

    Refuse invalid_types, and missing_scope where the token may not list one of them.
    """
    types = [t.strip() for t in (arguments.get("types") or "public_channel").split(",")]
    if not set(types) <= set(_KINDS):
        raise SlackRefusal("invalid_types")
    slack.need(*(_SCOPES[t] for t in types))
    kinds = {_KINDS[t] for t in types}
    archived = not arguments.get("exclude_archived")
    conversations = slack.workspace.conversations.values()
    return [c for c in conversations if c.kind in kinds and (archived or not c.archived)]


def list_conversations(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer conversations.list: all public channels, and what else the bot is in."""
    bot = slack.workspace.bot.id
    found = _of_kind(slack, arguments)
    seen = [c for c in found if c.kind == "channel" or bot in c.members]
    page, cursor = page_of(seen, arguments, 100, _LIMIT)
    return {
        "channels": [describe_conversation(slack, c) for c in page],
        "response_metadata": {"next_cursor": cursor},
    }


def own_conversations(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer users.conversations: what the bot is in, or a person, as far as the bot may know.

    The descriptions are shorter than elsewhere, as in Slack.
    """
    workspace = slack.workspace
    bot = workspace.bot.id
    user = arguments.get("user") or bot
    if user not in workspace.users:
        raise SlackRefusal("user_not_found")
    found = [
        c
        for c in _of_kind(slack, arguments)
        if user in c.members and (c.kind == "channel" or bot in c.members)
    ]
    page, cursor = page_of(found, arguments, 100, _LIMIT)
    return {
        "channels": [_limited(slack, conversation) for conversation in page],
        "response_metadata": {"next_cursor": cursor},
    }


def _limited(slack: LocalSlack, conversation: Conversation) -> dict[str, Any]:
    whole = describe_conversation(slack, conversation)
    if conversation.is_direct:
        whole["is_user_deleted"] = slack.workspace.users[whole["user"]].deleted
    return {key: value for key, value in whole.items() if key not in _LEFT_OUT}


def members(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer conversations.members."""
    conversation = slack.workspace.visible(arguments["channel"])
    slack.need(reading_scope(conversation))
    page, cursor = page_of(conversation.members, arguments, 100)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


METHODS = (
    Method(
        "conversations.list",
        list_conversations,
        limits.TIER_2,
        text=("cursor", "types", "team_id"),
        flags=("exclude_archived",),
        numbers=("limit",),
    ),
    Method(
        "users.conversations",
        own_conversations,
        limits.TIER_3,
        text=("cursor", "types", "team_id", "user"),
        flags=("exclude_archived",),
        numbers=("limit",),
    ),
    Method(
        "conversations.members",
        members,
        limits.TIER_4,
        required=("channel",),
        text=("cursor",),
        numbers=("limit",),
    ),
)
