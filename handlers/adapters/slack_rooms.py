"""The channels that the catalog opted in: what each is now, and who is who in the workspace."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from pydantic import Field, field_validator

from bot.channel_reader import ChannelReader
from bot.channels import Channel, Closed, channel_named, is_id
from bot.client import Identity, SlackClient
from bot.transcripts import Said, said
from handlers.adapters.slack_documents import Room
from index.documents import stable_id
from index.sources.catalog import Options

ROOM_SECONDS: Final = 300.0
"""How long a fetch trusts what was last known of a channel; a listing always asks."""

NAMES_SECONDS: Final = 3_600.0


class SlackOptions(Options):
    """What ``kind = "slack"`` takes.

    ``channels`` are ids or names, each its own decision. ``since`` (a date) or else ``days`` says
    how far back, to a midnight (UTC). ``bots`` lets messages of other bots count. ``rereads`` is
    how many quiet threads a sync reads again to find edited replies.
    """

    channels: tuple[str, ...] = Field(min_length=1, max_length=200)
    days: int = Field(default=365, ge=1, le=36_500)
    since: date | None = None
    bots: bool = False
    rereads: int = Field(default=300, ge=0, le=100_000)

    @field_validator("channels")
    @classmethod
    def _named_one_by_one(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(channel_named(one) for one in channels))

    def oldest(self, now: float) -> float:
        """Return the moment before which nothing is read, in seconds since the epoch."""
        day = self.since or datetime.fromtimestamp(now, UTC).date() - timedelta(days=self.days)
        return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


class SlackRooms:
    """Looks rooms and people up, and looks again when that is old. Raises as ChannelReader does."""

    def __init__(
        self,
        options: SlackOptions,
        client: SlackClient,
        reader: ChannelReader,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is asked here."""
        self._options = options
        self._client = client
        self._reader = reader
        self._clock = clock
        self._me = Identity("", "")
        self._names: Mapping[str, str] = {}
        self._named_at = float("-inf")
        self._rooms: dict[str, tuple[float, Room | Closed]] = {}

    def forget(self) -> None:
        """Look everything up afresh from now on."""
        self._rooms, self._named_at = {}, float("-inf")

    async def introduce(self) -> None:
        """Learn who the bot is and what people are called, unless that is known."""
        if self._clock() - self._named_at > NAMES_SECONDS:
            self._me = await self._client.whoami()
            self._names = await self._reader.names()
            self._named_at = self._clock()

    @property
    def recipe(self) -> str:
        """Name all that decides which messages count."""
        return stable_id("1", self._me.bot_user, self._me.bot_id, str(self._options.bots))

    async def room(self, wanted: str) -> Room | Closed:
        """Return a channel as the catalog calls it, or why it is not read."""
        at, known = self._rooms.get(wanted, (float("-inf"), None))
        if known is not None and self._clock() - at <= ROOM_SECONDS:
            return known
        found = await self._reader.find(wanted, wanted if is_id(wanted) else f"#{wanted}")
        room = Room(found, self._me.site, self._names) if isinstance(found, Channel) else found
        self._rooms[wanted] = (self._clock(), room)
        return room

    async def opted_in(self, named: str) -> Room | Closed:
        """Return the room with this id, or of this name in the catalog, if it was opted in."""
        for wanted in self._options.channels:
            room = await self.room(wanted)
            if named == (room.channel.id if isinstance(room, Room) else wanted):
                return room
        return Closed(f"{named} is not a channel of this source.")

    def lines(self, messages: Iterable[Mapping[str, Any]]) -> list[Said]:
        """Return the messages that count."""
        me, bots = self._me, self._options.bots
        found = (said(one, bot_user=me.bot_user, bot_id=me.bot_id, bots=bots) for one in messages)
        return [line for line in found if line is not None]
