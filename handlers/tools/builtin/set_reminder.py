"""Plan a message for later: Slack keeps it and sends it."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.listings import rows, word
from handlers.tools.builtin.asking_slack import asking_slack
from handlers.tools.builtin.messages import TEXT, content
from handlers.tools.builtin.places import CHANNEL, spot
from handlers.tools.errors import BadArguments, ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult

MOST_SECONDS = 120 * 24 * 3600
"""Slack takes no message for later than that."""

_WHEN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$"


class SetReminder:
    """Schedules a message of the bot; undo takes it out of the queue.

    The time bears its offset from UTC, so that whoever approves the call on another continent reads
    the same moment. Slack does not send a scheduled message that has metadata, so that a call which
    is tried again is known by its place, its moment and its words.
    """

    name = "set_reminder"
    description = (
        "Plan a reminder: a message that Slack posts at a time to come, in this thread or in a"
        " channel."
    )
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {
            "channel": CHANNEL,
            "at": {
                "type": "string",
                "maxLength": 25,
                "pattern": _WHEN,
                "description": "When, with the offset from UTC: 2026-12-01T09:00+01:00.",
            },
            "text": TEXT,
        },
        "required": ["channel", "at", "text"],
        "additionalProperties": False,
    }
    effect = Effect.WRITE

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], float] = time.time) -> None:
        """Schedule with ``client``. ``clock`` gives seconds since the epoch."""
        self._client = client
        self._clock = clock

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Schedule. Raises BadArguments, ToolRefused, ToolUnavailable."""
        when = self._moment(str(arguments["at"]))
        post_at, said = int(when.timestamp()), content(str(arguments["text"]))
        async with asking_slack(context):
            place = await spot(self._client, context.caller, str(arguments["channel"]))
            planned = await self._planned_before(place.channel, post_at, said["text"])
            if not planned:
                answer: Any = await self._client.chat_scheduleMessage(
                    channel=place.channel,
                    post_at=post_at,
                    thread_ts=place.thread_ts or None,
                    **said,
                )
                planned = word(answer, "scheduled_message_id")
        return ToolResult(
            f"The reminder is planned for {when.isoformat()} in {place.name}.",
            undo={"channel": place.channel, "scheduled": planned},
        )

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Take the message out of the queue. Raises ToolRefused if it was sent already."""
        channel, planned = undo.get("channel"), undo.get("scheduled")
        if not isinstance(channel, str) or not isinstance(planned, str):
            raise ToolRefused("It is not known any more which reminder that was.")
        async with asking_slack(context):
            await self._client.chat_deleteScheduledMessage(
                channel=channel, scheduled_message_id=planned
            )
        return ToolResult("The reminder was deleted.")

    def _moment(self, at: str) -> datetime:
        try:
            when = datetime.fromisoformat(at)
        except ValueError:
            raise BadArguments(f"{at} is no date and time; write 2026-12-01T09:00+01:00.") from None
        ahead = when.timestamp() - self._clock()
        if ahead <= 0:
            raise BadArguments(f"{at} is over; choose a time that is still to come.")
        if ahead > MOST_SECONDS:
            raise BadArguments("Slack takes no reminder for more than 120 days ahead.")
        return when

    async def _planned_before(self, channel: str, post_at: int, text: str) -> str:
        """Return the id of such a reminder that waits already, or ""."""
        answer: Any = await self._client.chat_scheduledMessages_list(
            channel=channel, oldest=str(post_at - 1), latest=str(post_at + 1), limit=100
        )
        for row in rows(answer, "scheduled_messages"):
            if row.get("post_at") == post_at and word(row, "text") == text:
                return word(row, "id")
        return ""
