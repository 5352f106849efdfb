"""The Web API methods that stream a message."""

from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.methods_chat import LOOKS, bot_fields, own_message, thread_root
from bot.playground.streams import Stream
from bot.playground.validation import check_chunks, check_message_blocks

Response = dict[str, Any]
SESSION_STATES = ("processing", "active", "suspended", "closed")


def _chunks(arguments: Arguments) -> list[dict[str, Any]]:
    """Return what is appended, as chunks; refuse both ways at once."""
    text = arguments.get("markdown_text") or ""
    if text and arguments.get("chunks"):
        raise SlackRefusal("markdown_text_conflict")
    if len(text) > limits.MARKDOWN_TEXT:
        raise SlackRefusal("msg_too_long")
    if text:
        return [{"type": "markdown_text", "text": text}]
    return check_chunks(arguments.get("chunks", []))


def start(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.startStream: in a thread, and outside direct messages for one named person."""
    channel = arguments["channel"]
    conversation = slack.workspace.joined(channel)
    if not conversation.is_direct:
        for name in ("recipient_user_id", "recipient_team_id"):
            if not arguments.get(name):
                raise SlackRefusal(f"missing_{name}")
        if arguments["recipient_user_id"] not in slack.workspace.users:
            raise SlackRefusal("user_not_found")
        if arguments["recipient_team_id"] != slack.workspace.team:
            raise SlackRefusal("team_not_found")
    if arguments.get("task_display_mode", "timeline") not in ("timeline", "plan"):
        raise SlackRefusal("invalid_arguments", "[ERROR] must be one of: timeline, plan")
    root = thread_root(slack, channel, arguments["thread_ts"])
    stream = slack.streams.new(channel)
    stream.add(_chunks(arguments))
    message = slack.workspace.post(
        channel,
        {
            **bot_fields(slack, arguments),
            "text": stream.text,
            "blocks": stream.blocks(),
            "streaming_state": "in_progress",
        },
        thread_ts=root,
    )
    stream.ts = message["ts"]
    slack.streams.opened(stream)
    return {"channel": channel, "ts": stream.ts}


def _running(slack: LocalSlack, arguments: Arguments) -> Stream:
    own_message(slack, arguments["channel"], arguments["ts"], "message_not_owned_by_app")
    return slack.streams.running(arguments["channel"], arguments["ts"])


def append(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.appendStream."""
    stream = _running(slack, arguments)
    chunks = _chunks(arguments)
    if not chunks:
        raise SlackRefusal("no_text")
    stream.add(chunks)
    slack.workspace.change(
        stream.channel, stream.ts, {"text": stream.text, "blocks": stream.blocks()}
    )
    return {"channel": stream.channel, "ts": stream.ts}


def stop(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer chat.stopStream: ``blocks`` go below what was streamed."""
    stream = _running(slack, arguments)
    status = arguments.get("session_status", "")
    if status and status not in SESSION_STATES:
        raise SlackRefusal("invalid_arguments", "[ERROR] unknown session_status")
    blocks = check_message_blocks(arguments.get("blocks") or [])
    stream.add(_chunks(arguments))
    streamed = stream.blocks()
    fields = {
        "text": stream.text,
        "blocks": [*streamed, *blocks] or None,
        "streaming_state": "completed",
    }
    if arguments.get("metadata"):
        fields["metadata"] = arguments["metadata"]
    slack.streams.closed(stream.channel, stream.ts)
    message = slack.workspace.change(stream.channel, stream.ts, fields)
    if status:
        slack.workspace.set_status(stream.channel, message["thread_ts"], session=status)
    return {"channel": stream.channel, "ts": stream.ts, "message": message}


_PIECES = ("chunks",)
METHODS = (
    Method(
        "chat.startStream",
        start,
        limits.TIER_2,
        required=("channel", "thread_ts"),
        text=(
            *LOOKS,
            "markdown_text",
            "recipient_user_id",
            "recipient_team_id",
            "task_display_mode",
        ),
        json=_PIECES,
    ),
    Method(
        "chat.appendStream",
        append,
        limits.TIER_4,
        required=("channel", "ts"),
        text=("markdown_text",),
        json=_PIECES,
    ),
    Method(
        "chat.stopStream",
        stop,
        limits.TIER_2,
        required=("channel", "ts"),
        text=("markdown_text", "session_status"),
        json=(*_PIECES, "blocks", "metadata"),
    ),
)
