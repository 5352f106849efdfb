"""The Web API methods that plan messages for later, which are posted when their time has come."""

import asyncio
from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.methods_chat import bot_fields, message_fields, thread_root
from bot.playground.methods_conversations import page_of

Response = dict[str, Any]
MOST_SECONDS = 120 * 24 * 3600
MOST_AT_ONCE = 30
WINDOW_SECONDS = 300


def schedule(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.scheduleMessage: at most 120 days ahead, 30 a channel within 5 minutes."""
    workspace = slack.workspace
    channel, post_at = arguments["channel"], int(arguments["post_at"])
    if workspace.joined(channel).archived:
        raise SlackRefusal("is_archived")
    if arguments.get("metadata"):
        # Slack takes it and never posts the message; a stand-in must not hide that.
        raise SlackRefusal("metadata_not_allowed", "[ERROR] such a message is never posted")
    ahead = post_at - workspace.clock()
    if ahead <= 0:
        raise SlackRefusal("time_in_past")
    if ahead > MOST_SECONDS:
        raise SlackRefusal("time_too_far")
    near = [
        one
        for one in workspace.scheduled.values()
        if one["channel_id"] == channel and abs(one["post_at"] - post_at) < WINDOW_SECONDS
    ]
    if len(near) >= MOST_AT_ONCE:
        raise SlackRefusal("restricted_too_many")
    fields = {**bot_fields(slack, arguments), **message_fields(arguments)}
    root = thread_root(slack, channel, arguments.get("thread_ts", ""))
    planned = "Q" + workspace.next_ts().replace(".", "")
    workspace.scheduled[planned] = {
        "id": planned,
        "channel_id": channel,
        "post_at": post_at,
        "date_created": int(workspace.clock()),
        "text": fields["text"],
        "fields": fields,
        "root": root,
    }
    asyncio.get_running_loop().call_later(ahead, _post, slack, planned)
    return {
        "channel": channel,
        "scheduled_message_id": planned,
        "post_at": post_at,
        "message": {"type": "delayed_message", **fields},
    }


def _post(slack: LocalSlack, planned: str) -> None:
    """Post what was planned, unless it was deleted meanwhile, or what it belongs to was."""
    due = slack.workspace.scheduled.pop(planned, None)
    if due is None or (due["root"] and not slack.workspace.find(due["channel_id"], due["root"])):
        return
    slack.workspace.post(due["channel_id"], due["fields"], thread_ts=due["root"])


def list_scheduled(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.scheduledMessages.list."""
    channel = arguments.get("channel")
    oldest = float(arguments.get("oldest") or 0)
    latest = float(arguments.get("latest") or "inf")
    shown = ("id", "channel_id", "post_at", "date_created", "text")
    found = [
        {key: one[key] for key in shown}
        for one in slack.workspace.scheduled.values()
        if channel in (None, one["channel_id"]) and oldest <= one["post_at"] <= latest
    ]
    page, cursor = page_of(found, arguments, 100)
    return {"scheduled_messages": page, "response_metadata": {"next_cursor": cursor}}


def delete_scheduled(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.deleteScheduledMessage: what was posted is no longer there to be deleted."""
    slack.workspace.visible(arguments["channel"])
    found = slack.workspace.scheduled.get(arguments["scheduled_message_id"])
    if found is None or found["channel_id"] != arguments["channel"]:
        raise SlackRefusal("invalid_scheduled_message_id")
    del slack.workspace.scheduled[found["id"]]
    return {}


METHODS = (
    Method(
        "chat.scheduleMessage",
        schedule,
        limits.TIER_3,
        required=("channel", "post_at"),
        text=("text", "markdown_text", "parse", "thread_ts"),
        flags=("as_user", "link_names", "reply_broadcast", "unfurl_links", "unfurl_media"),
        numbers=("post_at",),
        json=("blocks", "attachments", "metadata"),
    ),
    Method(
        "chat.scheduledMessages.list",
        list_scheduled,
        limits.TIER_3,
        text=("channel", "cursor", "latest", "oldest", "team_id"),
        numbers=("limit",),
    ),
    Method(
        "chat.deleteScheduledMessage",
        delete_scheduled,
        limits.TIER_3,
        required=("channel", "scheduled_message_id"),
        flags=("as_user",),
    ),
)
