"""The bot's answer on its way into Slack: status, growing messages, footnotes, apologies.

The worker appends checked sentences as they come and finishes with the whole answer. Whatever
happened on the way, ``finish`` leaves in Slack exactly the answer that it was given, once.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.blocks import Block, answer_blocks, answer_markdown, answer_messages, notification
from bot.client import TIMEOUT_SECONDS, quiet_logger
from bot.conversation import Answer, Mention
from bot.errors import TROUBLE, SlackConversationError, code_of, writing_error
from bot.leftovers import discard
from bot.messages import STOPPED
from bot.parts import PART_BYTES, split
from bot.streams import LiveMessage, StreamBudget

__all__ = ["PrivateReply", "Reply", "discard"]

FLUSH_SECONDS = 0.7
_EDIT_SECONDS = 3.0
_RESPONSES = "https://hooks.slack.com/"
_RESPONSE_POSTS = 4  # of the five that a response_url takes; one is spent on "Searching…"

logger = logging.getLogger(__name__)


class Reply:
    """An answer in a channel's thread or a direct message.

    ``message_ts`` lists the messages created so far; ``on_started`` is awaited with the ts of each
    right after it exists, so that a successor can clean up after a crash. ``budget`` is shared by
    all replies of a process. Only ``finish`` and ``apologise`` raise SlackConversationError.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        mention: Mention,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_started: Callable[[str], Awaitable[None]] | None = None,
        budget: StreamBudget | None = None,
    ) -> None:
        self.message_ts: list[str] = []
        self._client = client
        self._mention = mention
        self._clock = clock
        self._pause = pause
        self._now = now
        self._on_started = on_started
        self._budget = budget or StreamBudget(clock)
        self._messages: list[LiveMessage] = []
        self._text = ""
        self._shown_at = float("-inf")
        self._status_method = "agents.sessions"

    @property
    def stopped(self) -> bool:
        """Tell whether somebody pressed Stop; what is appended after that is not shown."""
        return any(message.stopped for message in self._messages)

    async def status(self, text: str) -> None:
        """Show that work is going on. A failed status never fails an answer."""
        await self._set_status("processing", text)

    async def settle(self) -> None:
        """Take the status away, when no answer comes."""
        await self._set_status("active", "")

    async def append(self, markdown: str) -> None:
        """Add markdown from ``blocks.sentence_markdown``; it is shown when limits allow."""
        if not self._text:
            markdown = markdown.lstrip()
        if not markdown:
            return
        self._text += markdown
        if self.stopped:
            return
        await self._grow(markdown)
        message = self._messages[-1]
        pause = FLUSH_SECONDS if message.streaming else _EDIT_SECONDS
        if self._clock() - self._shown_at >= pause:
            self._shown_at = self._clock()
            await message.show()

    async def finish(self, answer: Answer, key: str) -> None:
        """Show the rest of the answer and its footnotes.

        If what was appended is not how the answer begins, the answer replaces it. Raises
        MessageGone, ReplyRefused, SlackUnreachable.
        """
        blocks = answer_blocks(answer, key, self._now())
        text = answer_markdown(answer)
        if self.stopped:
            await self._finish_stopped(answer, key)
        elif text.startswith(self._text):
            rest = text[len(self._text) :]
            self._text = text
            if rest:
                await self._grow(rest)
            await self._seal_earlier()
            await self._messages[-1].seal(blocks)
        else:
            await self._replace(text, blocks)
        await self._set_status("active", "")

    async def apologise(self, sentence: str) -> None:
        """Say ``sentence`` instead of an answer; half an answer without footnotes is taken back.

        Raises like ``finish``.
        """
        await self._replace(sentence, [])
        await self._set_status("active", "")

    async def _grow(self, markdown: str) -> None:
        """Add text to the last message, or to new ones when it is full or its stream too old."""
        for piece in split(markdown):
            if not self._messages:
                self._begin()
            message = self._messages[-1]
            full = len((message.text + piece).encode()) > PART_BYTES
            if message.text and (full or message.worn_out):
                await self._seal_quietly(message)
                message = self._begin()
                piece = piece.lstrip("\n").removeprefix(" ")
            message.text += piece

    async def _seal_quietly(self, message: LiveMessage) -> None:
        """Seal a full message; what Slack refuses now, ``finish`` tries again."""
        try:
            await message.seal([])
        except SlackConversationError as error:
            logger.info("slack message not closed yet: %s", type(error).__name__)

    async def _seal_earlier(self) -> None:
        for message in self._messages[:-1]:
            if not message.sealed:
                await message.seal([])

    async def _finish_stopped(self, answer: Answer, key: str) -> None:
        """Leave what was shown before Stop with its footnotes; it does not ask if it helped."""
        await self._seal_earlier()
        shown = "".join(message.shown for message in self._messages)
        kept = tuple(c for c in answer.citations if f"[{c.number}]" in shown)
        rows = answer_blocks(replace(answer, citations=kept), key, self._now(), asks=False)
        last = self._messages[-1]
        await last.rewrite(f"{last.shown}\n\n{STOPPED}".lstrip(), rows)

    async def _replace(self, text: str, blocks: list[Block]) -> None:
        """Make the messages show exactly ``text``."""
        parts = split(text)
        while len(self._messages) < len(parts):
            self._begin()
        for number, part in enumerate(parts, start=1):
            message = self._messages[number - 1]
            await message.rewrite(part, blocks if number == len(parts) else [])
        for message in self._messages[len(parts) :]:
            await message.remove()
        self._text = text

    def _begin(self) -> LiveMessage:
        message = LiveMessage(
            self._client, self._mention, self._budget, self._clock, self._pause, self._created
        )
        self._messages.append(message)
        return message

    async def _created(self, ts: str) -> None:
        self.message_ts.append(ts)
        if self._on_started is not None:
            await self._on_started(ts)

    async def _set_status(self, state: str, text: str) -> None:
        """Use agent sessions; where they do not exist, the older assistant status."""
        channel, thread_ts = self._mention.channel, self._mention.thread_ts
        try:
            if self._status_method == "agents.sessions":
                try:
                    await self._client.agents_sessions_setStatus(
                        channel_id=channel, thread_ts=thread_ts, status=state
                    )
                    return
                except TROUBLE as error:
                    logger.info("slack session status failed: %s", code_of(error) or "no reply")
                    self._status_method = "assistant.threads" if code_of(error) else ""
            if self._status_method == "assistant.threads":
                await self._client.assistant_threads_setStatus(
                    channel_id=channel, thread_ts=thread_ts, status=text
                )
        except TROUBLE as error:
            logger.info("slack status failed: %s", code_of(error) or type(error).__name__)
            self._status_method = ""


class PrivateReply:
    """The answer to a slash command: only its author sees it, and it comes in one piece.

    Ephemeral messages cannot stream, be edited or be found again, so there is nothing to clean up.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        mention: Mention,
        response_url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_started: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self.message_ts: list[str] = []
        self.stopped = False
        self._client = client
        self._mention = mention
        self._response_url = response_url
        self._now = now

    async def status(self, text: str) -> None:
        """Do nothing: the command was acknowledged with a sentence that says the same."""

    async def append(self, markdown: str) -> None:
        """Do nothing: the answer comes in one piece."""

    async def finish(self, answer: Answer, key: str) -> None:
        """Show the answer. Raises ReplyRefused, SlackUnreachable."""
        parts = answer_messages(answer, key, self._now())
        for text, blocks in parts[: _RESPONSE_POSTS - 1] + parts[_RESPONSE_POSTS - 1 :][-1:]:
            await self._send(text, blocks)

    async def apologise(self, sentence: str) -> None:
        """Say ``sentence`` instead of an answer. Raises like ``finish``."""
        await self._send(notification(sentence), [])

    async def _send(self, text: str, blocks: list[Block]) -> None:
        body: dict[str, Any] = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": text,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if blocks:
            body["blocks"] = blocks
        if self._is_slacks(self._response_url):
            try:
                # Its own retry would say everything twice, and its own logger would log it.
                webhook = AsyncWebhookClient(
                    self._response_url,
                    timeout=TIMEOUT_SECONDS,
                    default_headers={},
                    logger=quiet_logger(),
                    retry_handlers=[],
                )
                response = await webhook.send_dict(body)
                if response.status_code == 200:
                    return
                logger.info("response_url answered %s", response.status_code)
            except TROUBLE as error:
                logger.info("response_url failed: %s", type(error).__name__)
        # Used up, expired or unreachable: the same words by the other private way.
        try:
            await self._client.chat_postEphemeral(
                channel=self._mention.channel,
                user=self._mention.user,
                text=text,
                blocks=blocks or None,
            )
        except TROUBLE as error:
            raise writing_error(error) from error

    async def settle(self) -> None:
        """Do nothing: a command shows no status."""

    def _is_slacks(self, url: str) -> bool:
        """Tell whether an answer may be sent there: to Slack, or to the server in its place."""
        origin = urlsplit(self._client.base_url)
        return url.startswith((_RESPONSES, f"{origin.scheme}://{origin.netloc}/"))
