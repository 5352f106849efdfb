"""One message of an answer, kept in step with the text it should show.

        ┌────────┐ startStream ┌───────────┐ anything but "wait"  ┌─────────┐
        │  NEW   │────────────▶│ STREAMING │─────────────────────▶│ EDITING │
        └────────┘             └───────────┘                      └─────────┘
             │  no budget, no streams here, no answer                  ▲
             └─────────────────────────────────────────────────────────┘

A stream is opened empty, so that a start whose answer got lost leaves no text behind. When an
append fails, nobody can tell whether Slack took the text: from then on the message is edited, and
every edit carries the whole text. So nothing is lost and nothing is shown twice.
"""

import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks import Block, markdown_block, notification
from bot.conversation import Mention, Place
from bot.errors import TROUBLE, code_of, wait_of, writing_error
from bot.leftovers import discard

STREAM_SECONDS = 240.0  # Slack ends a stream about 300 s after its start (measured)
_LONGEST_WAIT = 30.0
_TRIES = 4
_WAITS = frozenset({"ratelimited", "rate_limited"})
# Slack's own words: "some aspect of the operation" may have succeeded.
_UNSURE = frozenset({"", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})

logger = logging.getLogger(__name__)


class StreamBudget:
    """Token buckets a team, below Slack's tiers, shared by all replies of a process.

    startStream 20 a minute, appendStream 100, chat.update 50
    (https://docs.slack.dev/apis/web-api/rate-limits). A bucket holds a third of a minute's calls
    and is refilled with the other two thirds, so that no minute sees more than the whole. Closing a
    stream is never held back: each start has kept a place for its stop.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._spent: dict[tuple[str, str], tuple[float, float]] = {}
        self._rates = {"start": 18.0, "append": 90.0, "update": 40.0}

    def take(self, what: str, team: str) -> bool:
        """Take one call of "start", "append" or "update" if there is one."""
        most, refill = self._rates[what] / 3, self._rates[what] * 2 / 3 / 60
        now = self._clock()
        left, then = self._spent.get((what, team), (most, now))
        left = min(most, left + (now - then) * refill)
        self._spent[what, team] = (left - 1 if left >= 1 else left, now)
        return left >= 1


class _State(Enum):
    NEW = auto()
    STREAMING = auto()
    EDITING = auto()


class LiveMessage:
    """One message in the thread of ``mention``. ``text`` is what it should show.

    ``created`` is awaited with the ts as soon as the message exists. Errors of Slack are raised
    only by ``seal``, as SlackConversationError: while an answer grows, the next step may mend it.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        mention: Mention,
        budget: StreamBudget,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]],
        created: Callable[[str], Awaitable[None]],
    ) -> None:
        self.text = ""
        self.ts = ""
        self.stopped = False
        self._client = client
        self._mention = mention
        self._budget = budget
        self._clock = clock
        self._pause = pause
        self._created = created
        self._state = _State.NEW
        self._sent = 0
        self._started_at = 0.0
        self._not_before = 0.0
        self._streaming_there = False
        self._perhaps_posted = ""
        self.sealed = False

    @property
    def shown(self) -> str:
        """Return the text of which Slack said that it shows it."""
        return self.text[: self._sent] if self.stopped else self.text

    @property
    def streaming(self) -> bool:
        """Tell whether text goes out as a stream (or will, as far as anybody knows)."""
        return self._state is not _State.EDITING

    @property
    def worn_out(self) -> bool:
        """Tell whether the stream is so old that Slack will soon end it."""
        age = self._clock() - self._started_at
        return self._state is _State.STREAMING and age > STREAM_SECONDS

    async def show(self) -> None:
        """Bring Slack closer to ``text`` if limits allow; raises nothing of Slack's."""
        if self.stopped or self._clock() < self._not_before:
            return
        if self._state is _State.NEW:
            await self._start()
        if self._state is _State.STREAMING:
            await self._append()
        elif self._budget.take("update", self._mention.team):
            try:
                await self._write([])
            except TROUBLE as error:
                self._not_before = self._clock() + wait_of(error, 3.0)
                _note("edit", error)

    async def seal(self, blocks: list[Block]) -> None:
        """Show all of ``text`` with ``blocks`` below it; the message is then finished.

        Raises MessageGone, ReplyRefused, SlackUnreachable.
        """
        if self._state is not _State.STREAMING or not await self._stop(blocks):
            await self.rewrite(self.shown, blocks)
        self.sealed = True

    async def rewrite(self, text: str, blocks: list[Block]) -> None:
        """Make the message show exactly this, whatever it showed before. Raises like ``seal``."""
        self.text = text
        self._state = _State.EDITING
        for attempt in range(_TRIES):
            try:
                await self._write(blocks)
                return
            except TROUBLE as error:
                _note("write", error)
                failure = writing_error(error)
                self._streaming_there = code_of(error) == "streaming_state_conflict"
                if attempt + 1 == _TRIES or not failure.retryable:
                    raise failure from error
                await self._pause(min(wait_of(error, 0.5 * (attempt + 1)), _LONGEST_WAIT))

    async def remove(self) -> None:
        """Take the message away, if Slack lets us."""
        if self.ts:
            await discard(self._client, self._mention.channel, [self.ts])

    async def _start(self) -> None:
        if not self._budget.take("start", self._mention.team):
            self._state = _State.EDITING
            return
        in_channel = self._mention.place is Place.CHANNEL
        try:
            started = await self._client.chat_startStream(
                channel=self._mention.channel,
                thread_ts=self._mention.thread_ts,
                recipient_user_id=self._mention.user if in_channel else None,
                recipient_team_id=self._mention.team if in_channel else None,
            )
            ts = str(started["ts"])
        except TROUBLE as error:
            _note("start", error)
            ts = await self._find_lost_start(error)
            if not ts:
                self._state = _State.EDITING
                return
        self._state = _State.STREAMING
        self._streaming_there = True
        self._started_at = self._clock()
        await self._exists(ts)

    async def _find_lost_start(self, error: Exception) -> str:
        """Return the ts of the empty message that a start may have made all the same, or ""."""
        if code_of(error) not in _UNSURE:
            return ""
        try:
            return await self._find("")
        except TROUBLE as another:
            _note("search", another)
            return ""

    async def _append(self) -> None:
        pending = self.text[self._sent :]
        if not pending or not self._budget.take("append", self._mention.team):
            return
        try:
            await self._client.chat_appendStream(
                channel=self._mention.channel, ts=self.ts, markdown_text=pending
            )
            self._sent += len(pending)
        except TROUBLE as error:
            self._trouble("append", error)

    async def _stop(self, blocks: list[Block]) -> bool:
        """End the stream with the rest of the text; tell whether that worked."""
        pending = self.text[self._sent :]
        extra: dict[str, Any] = {"markdown_text": pending} if pending else {}
        if blocks:
            extra["blocks"] = blocks
        for attempt in range(_TRIES):
            try:
                await self._client.chat_stopStream(
                    channel=self._mention.channel, ts=self.ts, **extra
                )
                self._sent = len(self.text)
                self._streaming_there = False
                return True
            except TROUBLE as error:
                self._trouble("stop", error)
                if code_of(error) not in _WAITS or attempt + 1 == _TRIES:
                    break
                await self._pause(min(wait_of(error), _LONGEST_WAIT))
        return False

    def _trouble(self, what: str, error: Exception) -> None:
        _note(what, error)
        code = code_of(error)
        if code in _WAITS:
            self._not_before = self._clock() + wait_of(error)
            return
        self._state = _State.EDITING
        self.stopped = code == "stopped_by_user"
        self._streaming_there = code not in ("stopped_by_user", "message_not_in_streaming_state")

    async def _write(self, blocks: list[Block]) -> None:
        """Post the message, or edit it to the whole text."""
        if self._streaming_there:
            # A message that still streams cannot be edited; the edit then carries the whole text.
            try:
                await self._client.chat_stopStream(channel=self._mention.channel, ts=self.ts)
            except TROUBLE as error:
                _note("stop before edit", error)
            self._streaming_there = False
        content: dict[str, Any] = {
            "text": notification(self.text),
            "blocks": [markdown_block(self.text), *blocks],
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if self.ts:
            await self._client.chat_update(channel=self._mention.channel, ts=self.ts, **content)
        else:
            await self._post(content)

    async def _post(self, content: dict[str, Any]) -> None:
        channel, thread_ts = self._mention.channel, self._mention.thread_ts
        if self._perhaps_posted:
            # A post has no idempotency key, so look before posting again.
            ts = await self._find(self._perhaps_posted)
            if ts:
                await self._exists(ts)
                await self._client.chat_update(channel=channel, ts=ts, **content)
                return
        try:
            response = await self._client.chat_postMessage(
                channel=channel, thread_ts=thread_ts, **content
            )
        except TROUBLE as error:
            if code_of(error) in _UNSURE:
                self._perhaps_posted = content["text"]
            raise
        await self._exists(str(response["ts"]))

    async def _find(self, text: str) -> str:
        try:
            response = await self._client.conversations_replies(
                channel=self._mention.channel,
                ts=self._mention.thread_ts,
                oldest=self._mention.ts,
                limit=100,
            )
        except TROUBLE as error:
            if code_of(error) == "thread_not_found":
                return ""
            raise
        for message in reversed(response.get("messages") or []):
            if message.get("bot_id") and message.get("text") == text:
                return str(message["ts"])
        return ""

    async def _exists(self, ts: str) -> None:
        self.ts = ts
        await self._created(ts)


def _note(what: str, error: Exception) -> None:
    logger.info("slack %s failed: %s", what, code_of(error) or type(error).__name__)
