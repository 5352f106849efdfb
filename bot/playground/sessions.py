"""Agent sessions: what Slack's own Stop button does."""

from typing import Any

from bot.playground.errors import PlaygroundMisuse
from bot.playground.method import LocalSlack
from bot.playground.workspace import Conversation


def stopped(
    slack: LocalSlack, user: str, conversation: Conversation, thread_ts: str
) -> dict[str, Any]:
    """End the streams of a thread where the app is at work; return the event that tells it.

    The status of the session stays as it is: changing it is the app's part. Raise PlaygroundMisuse
    where nothing is processing, since there is no button then.
    """
    workspace = slack.workspace
    status = workspace.statuses.get((conversation.id, thread_ts))
    if status is None or status.session != "processing":
        raise PlaygroundMisuse("nothing is being worked on in this thread")
    ended = [
        str(message["ts"])
        for message in workspace.thread(conversation.id, thread_ts)
        if slack.streams.stop(conversation.id, message["ts"])
    ]
    for ts in ended:
        workspace.change(conversation.id, ts, {"streaming_state": "completed"})
    return {
        "type": "agent_session_stopped",
        "channel": conversation.id,
        "thread_ts": thread_ts,
        "user": user,
        "streaming_message_ts": ended,
        "event_ts": workspace.next_ts(),
    }
