"""Finds and removes messages that a dead worker left in a thread."""

import asyncio
import logging
from collections.abc import Sequence

from slack_sdk.web.async_client import AsyncWebClient

from bot.conversation import Mention
from bot.errors import TROUBLE, MessageGone, code_of, reading_error, wait_of, writing_error

_NEWEST = 200
_TRIES = 3
_LONGEST_WAIT = 30.0

logger = logging.getLogger(__name__)


async def own_messages_after(
    client: AsyncWebClient, mention: Mention, *, bot_user_id: str, streams: bool = True
) -> tuple[str, ...]:
    """Return the ts of the bot's messages in the thread that may belong to the mention.

    They are newer than it, and stand before anybody else's next message; behind that, only what is
    still being streamed can: a question that comes late must not take back what others were told.
    Whoever never ``streams`` leaves what is being streamed alone.
    Raises ConversationUnreadable, SlackUnreachable.
    """
    try:
        response = await client.conversations_replies(
            channel=mention.channel, ts=mention.thread_ts, oldest=mention.ts, limit=_NEWEST
        )
    except TROUBLE as error:
        trouble = reading_error(error)
        if isinstance(trouble, MessageGone):
            return ()
        raise trouble from error
    found: list[str] = []
    others_spoke = False
    for message in response.get("messages") or []:
        if _number(message["ts"]) <= _number(mention.ts):
            continue
        if message.get("user") != bot_user_id:
            others_spoke = True
            continue
        streaming = message.get("streaming_state") == "in_progress"
        if streams if streaming else not others_spoke:
            found.append(str(message["ts"]))
    return tuple(found)


async def discard(client: AsyncWebClient, channel: str, message_ts: Sequence[str]) -> None:
    """Delete half-written messages of a worker that died. What is gone already is fine."""
    for ts in message_ts:
        for attempt in range(_TRIES):
            try:
                await client.chat_delete(channel=channel, ts=ts)
                break
            except TROUBLE as error:
                code = code_of(error)
                logger.info("slack delete failed: %s", code or type(error).__name__)
                if code == "message_not_found" or attempt + 1 == _TRIES:
                    break
                if code == "streaming_state_conflict":
                    await _end_stream(client, channel, ts)
                elif not writing_error(error).retryable:
                    break
                else:
                    await asyncio.sleep(min(wait_of(error, 0.2), _LONGEST_WAIT))


async def _end_stream(client: AsyncWebClient, channel: str, ts: str) -> None:
    try:
        await client.chat_stopStream(channel=channel, ts=ts)
    except TROUBLE as error:
        logger.info("slack stop failed: %s", code_of(error) or type(error).__name__)


def _number(ts: str) -> tuple[int, ...]:
    return tuple(int(part) for part in ts.split("."))
