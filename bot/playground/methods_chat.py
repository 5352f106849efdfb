"""The Web API methods that write messages, streams apart."""

from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.validation import check_message_blocks
from bot.playground.workspace import Message

Response = dict[str, Any]
LOOKS = ("icon_emoji", "icon_url", "username")


def message_fields(arguments: Arguments, maximum: int = limits.POST_TEXT) -> Message:
    """Return text and blocks of a message as Slack would store them; refuse what is too long."""
    text = arguments.get("text") or ""
    markdown = arguments.get("markdown_text") or ""
    blocks = arguments.get("blocks")
    if markdown and (text or blocks):
        raise SlackRefusal("markdown_text_conflict")
    if len(text) > maximum or len(markdown) > limits.MARKDOWN_TEXT:
        raise SlackRefusal("msg_too_long")
    if markdown:
        blocks = [{"type": "markdown", "text": markdown}]
        text = markdown
    fields: Message = {"text": text}
    if blocks:
        fields["blocks"] = check_message_blocks(blocks)
    if arguments.get("attachments"):
        fields["attachments"] = arguments["attachments"]
    if not text.strip() and not blocks and not arguments.get("attachments"):
        raise SlackRefusal("no_text")
    return fields


def bot_fields(slack: LocalSlack, arguments: Arguments) -> Message:
    """Return what marks a message as the app's."""
    workspace = slack.workspace
    profile = {
        "id": workspace.bot_id,
        "app_id": workspace.app_id,
        "name": arguments.get("username") or workspace.bot.real_name,
        "team_id": workspace.team,
    }
    return {
        "user": workspace.bot.id,
        "bot_id": workspace.bot_id,
        "app_id": workspace.app_id,
        "bot_profile": profile,
        **({"metadata": arguments["metadata"]} if arguments.get("metadata") else {}),
    }


def thread_root(slack: LocalSlack, channel: str, thread_ts: str) -> str:
    """Return the root of the thread that ``thread_ts`` names; refuse: thread_not_found."""
    if not thread_ts:
        return ""
    found = slack.workspace.find(channel, thread_ts)
    if found is None:
        raise SlackRefusal("thread_not_found")
    return str(found.get("thread_ts", thread_ts))


def post_message(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.postMessage. A user id as channel opens the direct messages with that person."""
    workspace = slack.workspace
    channel = arguments["channel"]
    if channel in workspace.users and channel != workspace.bot.id:
        channel = workspace.direct(channel).id
    conversation = workspace.joined(channel)
    if conversation.archived:
        raise SlackRefusal("is_archived")
    fields = message_fields(arguments)
    root = thread_root(slack, channel, arguments.get("thread_ts", ""))
    message = workspace.post(channel, {**bot_fields(slack, arguments), **fields}, thread_ts=root)
    return {"channel": channel, "ts": message["ts"], "message": message}


def own_message(slack: LocalSlack, channel: str, ts: str, refusal: str) -> Message:
    """Return a message the app wrote; refuse others' with ``refusal``."""
    slack.workspace.visible(channel)
    message = slack.workspace.find(channel, ts)
    if message is None or message.get("subtype") == "tombstone":
        raise SlackRefusal("message_not_found")
    if message.get("bot_id") != slack.workspace.bot_id:
        raise SlackRefusal(refusal)
    return message


def update(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.update."""
    channel, ts = arguments["channel"], arguments["ts"]
    old = own_message(slack, channel, ts, "cant_update_message")
    if slack.streams.is_open(channel, ts):
        raise SlackRefusal("streaming_state_conflict")
    fields = message_fields(arguments, limits.UPDATE_TEXT)
    if "text" in arguments and "blocks" not in arguments and "blocks" in old:
        fields.setdefault("blocks", None)  # text alone takes the old blocks away
    fields.setdefault("streaming_state", None)
    message = slack.workspace.change(channel, ts, fields, by=slack.workspace.bot.id)
    return {"channel": channel, "ts": ts, "text": message["text"], "message": message}


def delete(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.delete."""
    channel, ts = arguments["channel"], arguments["ts"]
    own_message(slack, channel, ts, "cant_delete_message")
    slack.streams.closed(channel, ts)
    slack.workspace.delete(channel, ts)
    return {"channel": channel, "ts": ts}


def post_ephemeral(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.postEphemeral: the person must be in the conversation."""
    workspace = slack.workspace
    channel, user = arguments["channel"], arguments["user"]
    conversation = workspace.joined(channel)
    if user not in conversation.members:
        raise SlackRefusal("user_not_in_channel")
    fields = message_fields(arguments)
    root = thread_root(slack, channel, arguments.get("thread_ts", ""))
    message = workspace.whisper(
        channel, user, {**bot_fields(slack, arguments), **fields}, thread_ts=root
    )
    return {"message_ts": message["ts"]}


def get_permalink(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.getPermalink."""
    channel, ts = arguments["channel"], arguments["message_ts"]
    slack.workspace.visible(channel)
    message = slack.workspace.find(channel, ts)
    if message is None:
        raise SlackRefusal("message_not_found")
    link = f"{slack.url}archives/{channel}/p{ts.replace('.', '')}"
    root = message.get("thread_ts", ts)
    if root != ts:
        link += f"?thread_ts={root}&cid={channel}"
    return {"channel": channel, "permalink": link}


def add_reaction(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer reactions.add."""
    channel, ts, name = arguments["channel"], arguments["timestamp"], arguments["name"]
    slack.workspace.joined(channel)
    message = slack.workspace.find(channel, ts)
    if message is None:
        raise SlackRefusal("message_not_found")
    if not name.strip(":").replace("_", "").replace("-", "").replace("+", "").isalnum():
        raise SlackRefusal("invalid_name")
    bot = slack.workspace.bot.id
    reactions = [dict(r) for r in message.get("reactions", [])]
    same = [r for r in reactions if r["name"] == name.strip(":")]
    if same and bot in same[0]["users"]:
        raise SlackRefusal("already_reacted")
    if same:
        same[0].update(users=[*same[0]["users"], bot], count=same[0]["count"] + 1)
    else:
        reactions.append({"name": name.strip(":"), "users": [bot], "count": 1})
    slack.workspace.change(channel, ts, {"reactions": reactions})
    return {}


_MESSAGE_TEXT = ("text", "markdown_text", "parse")
_MESSAGE_JSON = ("blocks", "attachments", "metadata")
METHODS = (
    Method(
        "chat.postMessage",
        post_message,
        limits.POSTING,
        required=("channel",),
        text=(*_MESSAGE_TEXT, *LOOKS, "thread_ts", "container_id"),
        flags=(
            "as_user",
            "link_names",
            "mrkdwn",
            "reply_broadcast",
            "unfurl_links",
            "unfurl_media",
        ),
        json=_MESSAGE_JSON,
    ),
    Method(
        "chat.update",
        update,
        limits.TIER_3,
        required=("channel", "ts"),
        text=(*_MESSAGE_TEXT, "file_ids"),
        flags=("as_user", "link_names", "reply_broadcast", "unfurl_links", "unfurl_media"),
        json=_MESSAGE_JSON,
    ),
    Method("chat.delete", delete, limits.TIER_3, required=("channel", "ts"), flags=("as_user",)),
    Method(
        "chat.postEphemeral",
        post_ephemeral,
        limits.TIER_4,
        required=("channel", "user"),
        text=(*_MESSAGE_TEXT, *LOOKS, "thread_ts"),
        flags=("as_user", "link_names"),
        json=("blocks", "attachments"),
    ),
    Method("chat.getPermalink", get_permalink, limits.SPECIAL, required=("channel", "message_ts")),
    Method("reactions.add", add_reaction, limits.TIER_3, required=("channel", "name", "timestamp")),
)
