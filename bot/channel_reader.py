"""A channel read from its newest message to its oldest, and its threads, however long that takes.

    conversations.info ─▶ may it be read? ─▶ conversations.history ─▶ conversations.replies

Every call goes through a ``Pacer``. Whatever Slack does not let the bot do raises; a channel or a
thread that is simply not there is told by the result.
"""

from collections.abc import AsyncIterator
from typing import Any

from bot.channels import Channel, Closed, is_id, judged, not_a_member
from bot.client import SlackClient
from bot.errors import ConversationUnreadable, MessageGone, SlackUnreachable, code_of
from bot.listings import next_page, rows, seconds, stamp, word
from bot.pacing import Pacer
from bot.transcripts import people

PAGE = 200
"""Messages a call: Slack recommends no more, and gives distributed apps 15."""

_LISTING_PAGE = 500
_MOST_PAGES = 1_000
_ABSENT = ("channel_not_found", "not_in_channel", "is_archived")


class ChannelReader:
    """Reads with one client. Raises SlackConversationError where nothing else is said."""

    def __init__(self, client: SlackClient, pacer: Pacer) -> None:
        """Nothing is asked here."""
        self._client = client
        self._pacer = pacer

    async def find(self, named: str, wanted: str) -> Channel | Closed:
        """Return the channel that ``channel_named`` gave, or why it is not read.

        ``wanted`` is how the operator calls it. By name only channels are found that the bot is in.
        """
        channel = named if is_id(named) else await self._id_of(named)
        if not channel:
            return not_a_member(wanted)
        try:
            answer = await self._pacer.ask(self._client.conversations_info, channel=channel)
        except ConversationUnreadable as error:
            if code_of(error.__cause__ or error) not in _ABSENT:
                raise
            return not_a_member(wanted)
        row = answer.get("channel")
        return judged(row if isinstance(row, dict) else {}, wanted)

    async def names(self) -> dict[str, str]:
        """Return the display name of everybody whom the workspace knows, by id."""
        found: dict[str, str] = {}
        async for row in self._listed(self._client.users_list, "members"):
            found |= people([row])
        return found

    async def messages(self, channel: str, oldest: float) -> AsyncIterator[dict[str, Any]]:
        """Yield the messages of a channel since ``oldest``, the newest first, without replies.

        Pages go by time, not by cursor, so that messages which come or go meanwhile shift nothing,
        and however long the caller takes between two pages.
        """
        latest = ""
        for _ in range(_MOST_PAGES):
            answer = await self._pacer.ask(
                self._client.conversations_history,
                channel=channel,
                oldest=stamp(oldest),
                latest=latest or None,
                limit=PAGE,
            )
            page = [row for row in rows(answer, "messages") if seconds(row.get("ts"))]
            for message in sorted(page, key=lambda one: seconds(one["ts"]), reverse=True):
                yield message
            if not answer.get("has_more"):
                return
            if not page:
                break
            latest = min((str(row["ts"]) for row in page), key=seconds)
        raise SlackUnreachable("Slack's list of this channel's messages did not come to an end.")

    async def span(self, channel: str, oldest: str, seconds_: float) -> list[dict[str, Any]]:
        """Return the messages from ``oldest``, itself included, until ``seconds_`` later.

        They come oldest first, without replies.
        """
        found: list[dict[str, Any]] = []
        latest = stamp(seconds(oldest) + seconds_)
        for _ in range(_MOST_PAGES):
            answer = await self._pacer.ask(
                self._client.conversations_history,
                channel=channel,
                oldest=oldest,
                latest=latest,
                inclusive=True,
                limit=PAGE,
            )
            page = [row for row in rows(answer, "messages") if seconds(row.get("ts"))]
            known = {row["ts"] for row in found}
            fresh = [row for row in page if row["ts"] not in known]
            found += fresh
            if not answer.get("has_more") or not fresh:
                break
            latest = min((str(row["ts"]) for row in fresh), key=seconds)
        return sorted(found, key=lambda one: seconds(one["ts"]))

    async def thread(self, channel: str, root: str) -> list[dict[str, Any]]:
        """Return the root of a thread and its replies, oldest first; nothing if it is gone."""
        found: dict[str, dict[str, Any]] = {}
        cursor = ""
        for _ in range(_MOST_PAGES):
            try:
                answer = await self._pacer.ask(
                    self._client.conversations_replies,
                    channel=channel,
                    ts=root,
                    limit=PAGE,
                    cursor=cursor or None,
                )
            except MessageGone:
                return []
            # The root comes again at the head of every page.
            found |= {str(row["ts"]): row for row in rows(answer, "messages") if row.get("ts")}
            cursor = next_page(answer)
            if not cursor:
                break
        return sorted(found.values(), key=lambda one: seconds(one["ts"]))

    async def _id_of(self, name: str) -> str:
        """Return the id of the channel of this name that the bot is in, or ""."""
        kinds = "public_channel,private_channel"
        listing = self._listed(self._client.users_conversations, "channels", types=kinds)
        async for row in listing:
            if name in (word(row, "name"), word(row, "name_normalized")):
                return word(row, "id")
        return ""

    async def _listed(
        self, method: Any, name: str, **arguments: Any
    ) -> AsyncIterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_MOST_PAGES):
            answer = await self._pacer.ask(
                method, limit=_LISTING_PAGE, cursor=cursor or None, **arguments
            )
            for row in rows(answer, name):
                yield row
            cursor = next_page(answer)
            if not cursor:
                return
