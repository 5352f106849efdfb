"""The agent's side of a thread: its plan, its cards, what it says. Knows the rate limits.

Everything that is posted is told to ``posted`` with its ts as soon as it exists, so that a
successor can clean up. The answer itself goes through ``bot.replies.Reply``.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from slack_sdk.web.async_client import AsyncWebClient

from bot.approval_cards import card_id, card_id_of, card_text, proposal_blocks, undo_blocks
from bot.blocks import Block, markdown_block, notification
from bot.conversation import Mention
from bot.errors import TROUBLE, MessageGone, code_of, wait_of, writing_error
from bot.markup import cut
from bot.parts import split
from bot.plan_blocks import Step, plan_blocks, plan_text
from bot.proposals import Decided, Proposal
from bot.streams import StreamBudget

__all__ = ["AgentThread", "SessionStatus", "Step"]

PLAN_SECONDS = 1.0
"""The plan is not drawn more often than this."""

_TRIES, _LONGEST_WAIT = 4, 30.0
_UNSURE = frozenset({"", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})

SessionStatus = Literal["processing", "active", "suspended", "closed"]

logger = logging.getLogger(__name__)


class AgentThread:
    """What the agent shows in the thread of ``mention``.

    ``plan_ts`` names the plan that an earlier worker posted, or is "". Only ``ask``, ``show``,
    ``say`` and ``say_undo`` raise SlackConversationError. Call ``settle`` before the worker ends.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        mention: Mention,
        *,
        posted: Callable[[str], Awaitable[None]],
        plan_ts: str = "",
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        budget: StreamBudget | None = None,
    ) -> None:
        self.plan_ts = plan_ts
        self._client = client
        self._mention = mention
        self._posted = posted
        self._clock = clock
        self._pause = pause
        self._now = now
        self._budget = budget or StreamBudget(clock)
        self._wanted: tuple[Step, ...] = ()
        self._drawn: tuple[Step, ...] = ()
        self._drawn_at = float("-inf")
        self._drawing = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    async def session(self, status: SessionStatus) -> None:
        """Show how the session stands. A failure of this never fails a run."""
        try:
            await self._client.agents_sessions_setStatus(
                channel_id=self._mention.channel,
                thread_ts=self._mention.thread_ts,
                status=status,
            )
        except TROUBLE as error:
            _note("session status", error)

    async def plan(self, steps: Sequence[Step]) -> None:
        """Have the plan show these steps, at once or within about a second.

        It is drawn at most once a second, and as often as Slack allows; the latest steps are drawn
        in the end. A failure of this never fails a run.
        """
        self._wanted = tuple(steps)
        if self._later is not None and not self._later.done():
            return
        wait = self._drawn_at + PLAN_SECONDS - self._clock()
        if wait <= 0 and self._budget.take("update", self._mention.team):
            await self._draw()
        else:
            self._later = asyncio.create_task(self._draw_after(max(wait, 0.1)))

    async def settle(self) -> None:
        """Draw what the plan should show by now."""
        later, self._later = self._later, None
        if later is not None:
            if not self._drawing.locked():  # a post that is cut off may be there all the same
                later.cancel()
            await asyncio.gather(later, return_exceptions=True)
        await self._draw()

    async def ask(self, proposal: Proposal) -> str:
        """Show the card of a proposal and return its ts; a card that is there already stays.

        Raises MessageGone, ReplyRefused, SlackUnreachable.
        """
        await self.settle()
        ts = await self._find(card_id(proposal))
        if ts:
            await self._posted(ts)
            return ts
        return await self._post(
            card_text(proposal), proposal_blocks(proposal, None, self._now()), card_id(proposal)
        )

    async def card_of(self, approvals: Sequence[str]) -> str:
        """Return the ts of the card that asks about these calls, "" where none is found."""
        return await self._find(card_id_of(approvals))

    async def show(self, ts: str, decided: Decided) -> None:
        """Have the card show what was decided. A card that somebody deleted is let go.

        Raises ReplyRefused, SlackUnreachable.
        """
        if decided.proposal is None:
            return
        blocks = proposal_blocks(decided.proposal, decided, self._now())
        try:
            await self._update(ts, card_text(decided.proposal), blocks)
        except MessageGone:
            logger.info("a card was deleted before it was settled")

    async def say(self, markdown: str) -> str:
        """Say something and return the ts of its last message. Raises like ``ask``.

        ``markdown`` is ours, or was made harmless with ``bot.markup.inert_markdown``.
        """
        await self.settle()
        ts = ""
        for part in split(markdown):
            ts = await self._post(notification(part), [markdown_block(part)])
        return ts

    async def say_undo(self, markdown: str, run: str, call: str) -> str:
        """Say that something was done, with a button that takes it back. Returns the ts.

        ``markdown`` as for ``say``, at most one part long. Raises like ``ask``.
        """
        await self.settle()
        text = cut(markdown, 3_000)
        return await self._post(notification(text), undo_blocks(text, run, call))

    async def rewrite(self, ts: str, markdown: str) -> None:
        """Replace a message of ours, its button included. Raises like ``ask``."""
        text = cut(markdown, 3_000)
        await self._update(ts, notification(text), [markdown_block(text)])

    async def _draw_after(self, seconds: float) -> None:
        while True:
            await self._pause(seconds)
            seconds = PLAN_SECONDS
            if self._budget.take("update", self._mention.team):
                wanted = self._wanted
                await self._draw()
                if self._wanted is wanted:
                    return

    async def _draw(self) -> None:
        """Bring the plan up to date, if it is not; raises nothing of Slack's."""
        async with self._drawing:
            steps = self._wanted
            if steps == self._drawn or not steps:
                return
            self._drawn_at = self._clock()
            content: dict[str, Any] = {"text": plan_text(steps), "blocks": plan_blocks(steps)}
            try:
                if self.plan_ts:
                    await self._edit(self.plan_ts, content)
                else:
                    self.plan_ts = await self._send(content)
                self._drawn = steps
            except TROUBLE as error:
                _note("plan", error)
                self._drawn = ()
                if isinstance(writing_error(error), MessageGone):
                    self.plan_ts = ""

    async def _post(self, text: str, blocks: list[Block], block_id: str = "") -> str:
        """Post a message. One that may be there after a lost answer is looked for first."""
        tries = 0
        while True:
            tries += 1
            try:
                return await self._send({"text": text, "blocks": blocks})
            except TROUBLE as error:
                await self._bear("post", error, tries)
                if code_of(error) in _UNSURE and (ts := await self._find(block_id, text)):
                    await self._posted(ts)
                    return ts

    async def _bear(self, what: str, error: BaseException, tries: int) -> None:
        """Wait as long as an error asks to, or raise what it means."""
        _note(what, error)
        failure = writing_error(error)
        if tries >= _TRIES or not failure.retryable:
            raise failure from error
        await self._pause(min(wait_of(error, 0.5 * tries), _LONGEST_WAIT))

    async def _send(self, content: dict[str, Any]) -> str:
        response = await self._client.chat_postMessage(
            channel=self._mention.channel,
            thread_ts=self._mention.thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            **content,
        )
        ts = str(response["ts"])
        await self._posted(ts)
        return ts

    async def _update(self, ts: str, text: str, blocks: list[Block]) -> None:
        tries = 0
        while True:
            tries += 1
            try:
                await self._edit(ts, {"text": text, "blocks": blocks})
                return
            except TROUBLE as error:
                await self._bear("update", error, tries)

    async def _edit(self, ts: str, content: dict[str, Any]) -> None:
        await self._client.chat_update(
            channel=self._mention.channel,
            ts=ts,
            unfurl_links=False,
            unfurl_media=False,
            **content,
        )

    async def _find(self, block_id: str, text: str = "") -> str:
        """Return the ts of a message of the bot with this block, or this text, or ""."""
        try:
            response = await self._client.conversations_replies(
                channel=self._mention.channel,
                ts=self._mention.thread_ts,
                oldest=self._mention.ts,
                limit=200,
            )
        except TROUBLE as error:
            _note("search", error)
            return ""
        for message in reversed(response.get("messages") or []):
            if not message.get("bot_id"):
                continue
            ids = [block.get("block_id") for block in message.get("blocks") or []]
            if block_id in ids if block_id else message.get("text") == text:
                return str(message["ts"])
        return ""


def _note(what: str, error: BaseException) -> None:
    logger.info("slack %s failed: %s", what, code_of(error) or type(error).__name__)
