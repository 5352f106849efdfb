"""A message and its thread -> a Question, bounded. The text comes from Slack, not from a queue."""

import re
from collections import deque
from collections.abc import Iterable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.conversation import Mention, Question, Turn
from bot.errors import TROUBLE, MessageGone, code_of, reading_error
from bot.markup import cut, plain_text

QUESTION_CHARACTERS = 8_000
HISTORY_TURNS = 20
TURN_CHARACTERS = 2_000
HISTORY_CHARACTERS = 10_000
_PAGE = 200
_PAGES = 10
_MARKS = re.compile(r"\s?\[\d{1,6}\]")
_GONE = "The message was deleted before it could be answered."


async def read_question(client: AsyncWebClient, mention: Mention, *, bot_user_id: str) -> Question:
    """Return the question of ``mention`` and what was said in its thread before it, oldest first.

    The history holds people's turns and the bot's own, without footnote marks; other bots are left
    out. It ends before the mention, whatever was said since. Raises MessageGone,
    ConversationUnreadable, SlackUnreachable.
    """
    found, earlier = await _read_thread(client, mention)
    if found is None:
        found = await _read_one(client, mention)
    if found is None or found.get("subtype") == "tombstone":
        raise MessageGone(_GONE)
    text = plain_text(_text(found), bot_user_id)
    return Question(cut(text, QUESTION_CHARACTERS), _bounded(earlier, bot_user_id))


async def _read_thread(
    client: AsyncWebClient, mention: Mention
) -> tuple[dict[str, Any] | None, deque[dict[str, Any]]]:
    """Return the message itself, if its thread shows it, and the last messages before it."""
    earlier: deque[dict[str, Any]] = deque(maxlen=HISTORY_TURNS * 2)
    cursor = ""
    for _ in range(_PAGES):
        try:
            response = await client.conversations_replies(
                channel=mention.channel,
                ts=mention.thread_ts,
                latest=mention.ts,
                inclusive=True,
                limit=_PAGE,
                cursor=cursor or None,
            )
        except TROUBLE as error:
            if code_of(error) in ("thread_not_found", "message_not_found"):
                return None, earlier
            raise reading_error(error) from error
        for message in _messages(response.get("messages")):
            ts = str(message.get("ts", ""))
            if ts == mention.ts:
                return message, earlier
            # The root comes again at the head of every page.
            if not earlier or _before(str(earlier[-1].get("ts", "")), ts):
                earlier.append(message)
        cursor = (response.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            break
    return None, earlier


async def _read_one(client: AsyncWebClient, mention: Mention) -> dict[str, Any] | None:
    """Return the message alone: the thread was too long to page through, or is none at all."""
    window: dict[str, Any] = {
        "oldest": mention.ts,
        "latest": mention.ts,
        "inclusive": True,
        "limit": 2,
    }
    try:
        if mention.thread_ts == mention.ts:
            response = await client.conversations_history(channel=mention.channel, **window)
        else:
            response = await client.conversations_replies(
                channel=mention.channel, ts=mention.thread_ts, **window
            )
    except TROUBLE as error:
        raise reading_error(error) from error
    for message in _messages(response.get("messages")):
        if message.get("ts") == mention.ts:
            return message
    return None


def _bounded(messages: Iterable[dict[str, Any]], bot_user_id: str) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    room = HISTORY_CHARACTERS
    for message in reversed(list(messages)):
        turn = _turn(message, bot_user_id)
        if turn is None:
            continue
        room -= len(turn.text)
        if room < 0 or len(turns) == HISTORY_TURNS:
            break
        turns.append(turn)
    return tuple(reversed(turns))


def _turn(message: dict[str, Any], bot_user_id: str) -> Turn | None:
    user = str(message.get("user") or "")
    own = user == bot_user_id
    if message.get("subtype") not in (None, "file_share", "thread_broadcast", "bot_message"):
        return None
    if not own and (message.get("bot_id") or not user):
        return None
    text = plain_text(_text(message), bot_user_id)
    text = cut(_MARKS.sub("", text) if own else text, TURN_CHARACTERS)
    return Turn(str(message.get("ts", "")), "" if own else user, text) if text else None


def _messages(value: object) -> list[dict[str, Any]]:
    return [m for m in value if isinstance(m, dict)] if isinstance(value, list) else []


def _text(message: dict[str, Any]) -> str:
    text = message.get("text")
    return text if isinstance(text, str) else ""


def _before(ts: str, limit: str) -> bool:
    """Compare two message ids; both are seconds and microseconds with a dot between."""
    try:
        return tuple(map(int, ts.split("."))) < tuple(map(int, limit.split(".")))
    except ValueError:
        return False
