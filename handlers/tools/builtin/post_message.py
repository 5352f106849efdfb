"""Post a message in Slack, once, in a place that the asker is in."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.listings import next_page, rows, stamp, word
from bot.markup import web_url
from handlers.tools.builtin.asking_slack import asking_slack
from handlers.tools.builtin.messages import TEXT, content, marked, marking
from handlers.tools.builtin.places import CHANNEL, Spot, spot
from handlers.tools.errors import ToolRefused, ToolUnavailable
from handlers.tools.ports import Effect, ToolContext, ToolResult

LOOKS_BACK_SECONDS = 24 * 3600.0
"""How far back a message of the same call is looked for before it is posted (again)."""

_PAGES = 3
_PAGE = 200


class PostMessage:
    """Posts as the bot. Slack has no key that keeps a second try from posting twice, so it looks.

    The metadata of a message names the call that wrote it. A call that is tried again finds its
    message among the last 600 of the channel or thread, and posts nothing.
    """

    name = "post_message"
    description = "Post a message in a Slack channel or in this thread."
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {"channel": CHANNEL, "text": TEXT},
        "required": ["channel", "text"],
        "additionalProperties": False,
    }
    effect = Effect.WRITE

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], float] = time.time) -> None:
        """Post with ``client``. ``clock`` gives seconds since the epoch."""
        self._client = client
        self._clock = clock

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Post, unless this very call has posted before. Raises ToolRefused, ToolUnavailable."""
        async with asking_slack(context):
            place = await spot(self._client, context.caller, str(arguments["channel"]))
            ts = await self._posted_before(place, context.call)
            if not ts:
                answer: Any = await self._client.chat_postMessage(
                    channel=place.channel,
                    thread_ts=place.thread_ts or None,
                    metadata=marking(context.call),
                    **content(str(arguments["text"])),
                )
                ts = word(answer, "ts")
        url = await self._address(place.channel, ts, context)
        return ToolResult(
            f"The message was posted in {place.name}.",
            url=url,
            undo={"channel": place.channel, "ts": ts},
        )

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Delete the message; one that is gone already is no error. Raises as ``run`` does."""
        channel, ts = undo.get("channel"), undo.get("ts")
        if not isinstance(channel, str) or not isinstance(ts, str):
            raise ToolRefused("It is not known any more which message that was.")
        try:
            async with asking_slack(context):
                await self._client.chat_delete(channel=channel, ts=ts)
        except ToolRefused as error:
            if "no longer there" not in str(error):
                raise
        return ToolResult("The message was deleted.")

    async def _posted_before(self, place: Spot, call: str) -> str:
        reading: dict[str, Any] = {
            "channel": place.channel,
            "oldest": stamp(self._clock() - LOOKS_BACK_SECONDS),
            "limit": _PAGE,
            "include_all_metadata": True,
        }
        cursor = ""
        for _ in range(_PAGES):
            if place.thread_ts:
                answer: Any = await self._client.conversations_replies(
                    ts=place.thread_ts, cursor=cursor or None, **reading
                )
            else:
                answer = await self._client.conversations_history(cursor=cursor or None, **reading)
            if ts := marked(rows(answer, "messages"), call):
                return ts
            cursor = next_page(answer)
            if not cursor:
                break
        return ""

    async def _address(self, channel: str, ts: str, context: ToolContext) -> str:
        """Return where the message opens in a browser, or "": it is posted either way."""
        try:
            async with asking_slack(context):
                answer: Any = await self._client.chat_getPermalink(channel=channel, message_ts=ts)
        except (ToolRefused, ToolUnavailable):
            return ""
        return web_url(word(answer, "permalink"))
