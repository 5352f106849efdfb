"""What people said to the bot between two moments, read back from Slack.

Slack delivers an event at once, after 1 minute and after 5 minutes more, and then never again. What
it could not deliver still stands in its conversation. A sweep walks through the conversations that
the bot is in, by id, and yields everything that ``bot.mentions`` would have answered:

    users.conversations ─▶ for each: conversations.history, the newest first
                                      └─▶ threads with a reply in the window: conversations.replies

A slash command leaves no message behind, so a lost one cannot be found; whoever typed it was told
by Slack at once that the app did not respond.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.allowance import Allowance, Enough
from bot.conversation import Mention
from bot.errors import (
    ConversationUnreadable,
    MessageGone,
    SlackConversationError,
    code_of,
    reading_error,
)
from bot.listings import next_page, rows, seconds, stamp, word
from bot.mentions import heard_later

CALLS = 40
"""Reads of one sweep before it rests: less than one minute of Slack's 50 a minute for each kind."""

SECONDS = 60.0
"""A sweep begins no further call after this time."""

REPLIES_APART = 2.0
"""Seconds between two reads of threads: answering needs a part of the 50 a minute as well."""

THREAD_SECONDS = 7 * 24 * 3600
"""How long before the window a thread may have begun whose new replies are found."""

EARLIER_PAGES = 2
"""Pages of a conversation that are read for such threads."""

MOST_FAILED = 100
"""Conversations of a sweep that Slack may fail at one by one; when more fail, it is down."""

_PAGE = 200  # Slack recommends no more
_REPLY_PAGES = 10
_LISTING_PAGE = 999  # its rows are short, and Slack may return fewer
_LISTING_PAGES = 100
_NOT_LISTED = (
    "Slack does not let the bot list its conversations, so lost questions cannot be found. Install"
    " the app again with the scopes of its manifest."
)
_FAILED = {(200, "internal_error"), (200, "fatal_error")}  # a 5xx may mean all of Slack
_KINDS = "public_channel,private_channel,mpim,im"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a sweep came: up to this conversation, and in it back to the message ``before``."""

    conversation: str = ""
    before: str = ""


class Sweep:
    """One bounded walk through the window from ``since`` to ``until`` (seconds since the epoch).

    Iterate over ``mentions`` once. Afterwards ``finished`` tells whether it came to the end; if
    not, another Sweep with the same window goes on at ``bookmark``, which moves only when a message
    and its thread are dealt with. So nothing is skipped, and a page that is full of threads still
    gets done. ``since`` itself is inside the window, ``until`` is not.

    Slack may fail at one conversation for ever. It is passed over, and ``failed`` tells from when
    it is to be read: the next runs of this sweep need that as ``failed``, the next as ``behind``.

    Found are all messages, and replies in threads that began in the window or, before it, among the
    200 to 400 messages and 7 days that precede it. Conversations shared with other companies are
    left out, because the bot answers nobody there.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        since: float,
        until: float,
        start: Bookmark = Bookmark(),  # noqa: B008 - frozen
        behind: Mapping[str, float] | None = None,
        failed: Mapping[str, float] | None = None,
        calls: int = CALLS,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Keep the window; Slack is asked by ``mentions`` alone. Times are in seconds.

        With fewer than 12 ``calls`` a long thread could keep the sweep in one place for ever.
        """
        if calls < _REPLY_PAGES + 2:
            raise ValueError(f"A sweep needs at least {_REPLY_PAGES + 2} calls.")
        self.bookmark = start
        self.finished = False
        self.messages = 0
        self.conversations = 0
        self.unreadable = 0
        self.failed = dict(failed or {})
        self._client = client
        self._whole, self._since, self._until = since, since, until
        self._behind = behind or {}
        self._allowance = Allowance(calls, SECONDS, clock=clock)
        self._pause = pause
        self._threads = 0
        self._known: set[str] = set()
        self._who: dict[str, str] = {}

    async def mentions(self) -> AsyncGenerator[Mention, None]:
        """Yield what was said to the bot. Ask for the next one when the last is dealt with.

        A Slack that is slow, down or asks to wait ends it unfinished. A conversation or thread that
        Slack refuses to the bot, or fails at, is counted in ``unreadable``. Raises
        ConversationUnreadable when the bot may not even list its conversations.
        """
        try:
            await self._introduce()
            for channel in await self._channels():
                if channel != self.bookmark.conversation:
                    self.bookmark = Bookmark(channel)
                self._known = set()
                self._since = self._behind.get(channel, self._whole)
                try:
                    async with aclosing(self._read(channel)) as found:
                        async for mention in found:
                            yield mention
                except SlackConversationError as error:
                    self._pass_over("a conversation", error)
                except Enough as stop:
                    self._put_off(channel, "a conversation", stop)
                else:
                    self.conversations += 1
            self.finished = True
        except Enough:
            return

    async def _introduce(self) -> None:
        """Learn who the bot is, and in which workspace and organisation."""
        me = await self._allowance.ask(self._client.auth_test, counted=False)
        self._who = {
            "team": word(me, "team_id"),
            "bot_user": word(me, "user_id"),
            "enterprise": word(me, "enterprise_id"),
        }
        if not self._who["team"] or not self._who["bot_user"]:
            raise ConversationUnreadable("Slack did not say who the bot is. Check the bot token.")

    async def _channels(self) -> list[str]:
        """Return the ids of the conversations that are left to read, in order.

        Listed anew each time: what the bot joined in between holds nothing that it was sent before
        ``until``.
        """
        found: set[str] = set()
        cursor = ""
        for _ in range(_LISTING_PAGES):
            try:
                answer = await self._allowance.ask(
                    self._client.users_conversations,
                    counted=False,
                    types=_KINDS,
                    exclude_archived=True,
                    limit=_LISTING_PAGE,
                    cursor=cursor or None,
                )
            except SlackConversationError as error:
                raise ConversationUnreadable(_NOT_LISTED) from error
            for row in rows(answer, "channels"):
                channel = row.get("id")
                closed = row.get("is_ext_shared") or row.get("is_user_deleted")
                if isinstance(channel, str) and channel.isalnum() and not closed:
                    found.add(channel)
            cursor = next_page(answer)
            if not cursor:
                break
        else:
            logger.warning("the bot is in more conversations than are looked at")
        return sorted(channel for channel in found if channel >= self.bookmark.conversation)

    async def _read(self, channel: str) -> AsyncGenerator[Mention, None]:
        latest = self.bookmark.before or stamp(self._until)
        cursor, earlier = "", 0
        while earlier < EARLIER_PAGES:
            answer = await self._allowance.ask(
                self._client.conversations_history,
                channel=channel,
                oldest=stamp(self._since - THREAD_SECONDS),
                latest=latest,
                limit=_PAGE,
                cursor=cursor or None,
            )
            for message in sorted(rows(answer, "messages"), key=_when, reverse=True):
                for mention in await self._with_thread(channel, message):
                    yield mention
                if _when(message):
                    self.bookmark = Bookmark(channel, str(message["ts"]))
            cursor = next_page(answer)
            if not cursor:
                return
            reached = seconds(self.bookmark.before)
            earlier += 1 if 0 < reached < self._since else 0

    async def _with_thread(self, channel: str, message: dict[str, Any]) -> list[Mention]:
        """Return the message, if it is a question in the window, and those in its thread."""
        said = [message]
        if self._has_new_replies(message):
            said += await self._replies(channel, str(message["ts"]))
        return [found for one in said if (found := self._judge(channel, one))]

    def _judge(self, channel: str, message: dict[str, Any]) -> Mention | None:
        self.messages += 1
        if not self._since <= _when(message) < self._until or message["ts"] in self._known:
            return None
        found = heard_later(message, channel, **self._who)
        if not isinstance(found, Mention):
            return None
        self._known.add(found.ts)  # what was also sent to the channel comes twice
        return found

    def _has_new_replies(self, message: dict[str, Any]) -> bool:
        """Tell whether somebody may have replied in the window; the bot alone does not count."""
        if not _when(message) or message.get("thread_ts", message["ts"]) != message["ts"]:
            return False
        newest = seconds(message.get("latest_reply"))
        if not newest:
            return bool(message.get("reply_count"))
        who = message.get("reply_users")
        if isinstance(who, list) and who and len(who) == message.get("reply_users_count"):
            return newest >= self._since and any(user != self._who["bot_user"] for user in who)
        return newest >= self._since

    async def _replies(self, channel: str, root: str) -> list[dict[str, Any]]:
        """Return the replies of a thread in the window; of one that is gone, none."""
        if self._threads:
            await self._pause(REPLIES_APART)
        self._threads += 1
        found: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(_REPLY_PAGES):
            try:
                answer = await self._allowance.ask(
                    self._client.conversations_replies,
                    channel=channel,
                    ts=root,
                    oldest=stamp(self._since),
                    latest=stamp(self._until),
                    inclusive=True,
                    limit=_PAGE,
                    cursor=cursor or None,
                )
            except MessageGone:
                break
            except SlackConversationError as error:
                self._pass_over("a thread", error)
                break
            except Enough as stop:
                self._put_off(channel, "a thread", stop)
                break
            # The root comes again at the head of every page.
            found += [row for row in rows(answer, "messages") if row.get("ts") != root]
            cursor = next_page(answer)
            if not cursor:
                break
        return found

    def _put_off(self, channel: str, what: str, stop: Enough) -> None:
        """Leave the conversation to the next sweep, unless the trouble is with all of Slack."""
        error, others = stop.__cause__, self.failed.keys() - {channel}
        status = getattr(getattr(error, "response", None), "status_code", 0)
        if error is None or (status, code_of(error)) not in _FAILED or len(others) >= MOST_FAILED:
            raise stop
        self.failed[channel] = self._since
        self._pass_over(what, reading_error(error))

    def _pass_over(self, what: str, error: SlackConversationError) -> None:
        logger.warning("%s could not be read back: %s", what, error)
        self.unreadable += 1


def _when(message: dict[str, Any]) -> float:
    """Return when a message was written, or 0.0 when it does not say."""
    return seconds(message.get("ts"))
