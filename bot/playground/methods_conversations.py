"""The Web API methods that read one conversation."""

import base64
import binascii
import copy
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.workspace import Conversation, Message

Response = dict[str, Any]


def page_of(
    items: Sequence[Any], arguments: Arguments, default: int, maximum: int = 1000
) -> tuple[list[Any], str]:
    """Return one page of ``items`` and the cursor of the next (or "")."""
    limit = arguments.get("limit", default)
    if not 1 <= limit <= maximum:
        raise SlackRefusal("invalid_limit")
    start = 0
    if arguments.get("cursor"):
        try:
            start = int(base64.b64decode(arguments["cursor"], validate=True))
        except (ValueError, binascii.Error):
            raise SlackRefusal("invalid_cursor") from None
    stop = start + limit
    cursor = base64.b64encode(str(stop).encode()).decode() if stop < len(items) else ""
    return list(items[start:stop]), cursor


def _moment(arguments: Arguments, name: str, default: float) -> float:
    """Return an end of the range of time; refuse what is no timestamp."""
    given = arguments.get(name)
    if not given:
        return default
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", given):
        raise SlackRefusal(f"invalid_ts_{name}")
    return float(given)


def _within(arguments: Arguments) -> Callable[[Message], bool]:
    """Return what tells whether a message lies between ``oldest`` and ``latest``."""
    oldest = _moment(arguments, "oldest", 0.0)
    latest = _moment(arguments, "latest", math.inf)

    def inside(message: Message) -> bool:
        ts = float(message["ts"])
        if arguments.get("inclusive"):
            return oldest <= ts <= latest
        return oldest < ts < latest

    return inside


def _listed(messages: list[Message], cursor: str) -> Response:
    """Return messages as Slack lists them."""
    found: Response = {
        "messages": [copy.deepcopy(m) for m in messages],
        "has_more": bool(cursor),
    }
    if cursor:
        found["response_metadata"] = {"next_cursor": cursor}
    return found


def history(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer conversations.history: the newest first, without the replies in threads.

    What was also sent to the channel is there, though it is a reply.
    """
    channel = arguments["channel"]
    slack.workspace.joined(channel)
    inside = _within(arguments)
    found = [
        m
        for m in slack.workspace.all(channel)
        if (m.get("thread_ts", m["ts"]) == m["ts"] or m.get("subtype") == "thread_broadcast")
        and inside(m)
    ]
    messages, cursor = page_of(found[::-1], arguments, 100, 999)
    return _listed(messages, cursor)


def replies(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer conversations.replies: the root, then the replies, the oldest first."""
    channel, ts = arguments["channel"], arguments["ts"]
    slack.workspace.joined(channel)
    found = slack.workspace.find(channel, ts)
    if found is None:
        raise SlackRefusal("thread_not_found")
    root = found.get("thread_ts", ts)
    if root != ts:  # a reply answers with itself alone
        return _listed([found], "")
    thread = slack.workspace.thread(channel, ts)
    inside = _within(arguments)
    kept = [m for m in thread if m["ts"] == ts or inside(m)]
    messages, cursor = page_of(kept, arguments, 1000)
    return _listed(messages, cursor)


def describe_conversation(slack: LocalSlack, conversation: Conversation) -> dict[str, Any]:
    """Return a conversation as conversations.info shows it."""
    bot = slack.workspace.bot.id
    whole: dict[str, Any] = {
        "id": conversation.id,
        "created": 1_700_000_000,
        "is_archived": conversation.archived,
        "is_im": conversation.is_direct,
        "is_channel": conversation.kind == "channel",
        "is_group": conversation.kind == "private",
        "is_mpim": False,
        "is_private": conversation.kind != "channel",
        "is_shared": conversation.shared,
        "is_ext_shared": conversation.shared,
        "is_org_shared": False,
        "context_team_id": slack.workspace.team,
    }
    if conversation.is_direct:
        return {**whole, "user": next(m for m in conversation.members if m != bot)}
    return {
        **whole,
        "name": conversation.name,
        "name_normalized": conversation.name,
        "is_general": conversation.name == "general",
        "is_member": bot in conversation.members,
        "creator": conversation.members[0] if conversation.members else "",
        "topic": {"value": conversation.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def reading_scope(conversation: Conversation) -> str:
    """Return the scope that lets a token look at a conversation of this kind."""
    return {"channel": "channels:read", "private": "groups:read", "im": "im:read"}[
        conversation.kind
    ]


def info(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer conversations.info."""
    conversation = slack.workspace.visible(arguments["channel"])
    slack.need(reading_scope(conversation))
    described = describe_conversation(slack, conversation)
    if arguments.get("include_num_members"):
        described["num_members"] = len(conversation.members)
    return {"channel": described}


def open_conversation(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer conversations.open for one person."""
    if arguments.get("channel"):
        return {"channel": {"id": slack.workspace.visible(arguments["channel"]).id}}
    users = [u for u in arguments.get("users", "").split(",") if u]
    if not users:
        raise SlackRefusal("users_list_not_supplied")
    if len(users) > 1:
        raise SlackRefusal("too_many_users", "[ERROR] the playground has no group conversations")
    if users[0] not in slack.workspace.users:
        raise SlackRefusal("user_not_found")
    conversation = slack.workspace.direct(users[0])
    if arguments.get("return_im"):
        return {"channel": describe_conversation(slack, conversation)}
    return {"channel": {"id": conversation.id}}


_RANGE = ("latest", "oldest", "cursor")
METHODS = (
    Method(
        "conversations.history",
        history,
        limits.TIER_3,
        required=("channel",),
        text=_RANGE,
        flags=("inclusive", "include_all_metadata"),
        numbers=("limit",),
    ),
    Method(
        "conversations.replies",
        replies,
        limits.TIER_3,
        required=("channel", "ts"),
        text=_RANGE,
        flags=("inclusive", "include_all_metadata"),
        numbers=("limit",),
    ),
    Method(
        "conversations.info",
        info,
        limits.TIER_3,
        required=("channel",),
        flags=("include_locale", "include_num_members"),
    ),
    Method(
        "conversations.open",
        open_conversation,
        limits.TIER_3,
        text=("channel", "users"),
        flags=("return_im", "prevent_creation"),
    ),
)
