"""From a place in Slack to those who will see an answer there, and what each of them may read.

    direct, /ask      the one who asks
    public channel    everyone, for whoever joins it reads it; of a small one each guest as well
    private channel   each of its members; a large one counts as everyone who is in it
    unknown           everyone
    shared            with another company: nobody in particular, so nothing may be said

Everyone are the full members of the workspace; a guest holds no ``everyone``. What Slack says of
rooms, groups, channels and of who asks is not remembered: whoever left a group or a channel does
not read its documents with the next question. What kind of account the others in a room have is
remembered for ``ACCOUNT_SECONDS``: each of them costs a call for each question, and Slack allows a
hundred a minute, all askers together. Their addresses are not, so that for that long a room is not
offered what is open to them by address or domain alone. To keep the rest cheap, groups and channels
are only asked for where the index holds something that the audience may not read anyhow.

What narrows an audience must be known: while Slack does not say who is in a room, the question
waits. What widens it may be missing: then less is found, and the log says why.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.client import bot_user_id
from bot.conversation import Mention, Place
from bot.errors import ConversationUnreadable, SlackConversationError
from bot.memberships import Room, groups_of, private_channels_of, room
from bot.people import Person, known_person, person
from index.audience import EVERYONE, Audience, Principal

LOOK_SECONDS = 5.0
"""How long may be waited for what only widens an audience, a rate limit that ends included."""

ACCOUNT_SECONDS = 300.0
"""How long somebody in a room is taken for the member, or the guest, that they were."""

MOST_ACCOUNTS = 10_000

log = logging.getLogger(__name__)

Found = TypeVar("Found")


class Rooms:
    """Tells who will see an answer. ``withholds`` is that of the index, or of its Retriever."""

    def __init__(
        self,
        client: AsyncWebClient,
        withholds: Callable[[Audience], Awaitable[bool]],
        *,
        look_seconds: float = LOOK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the parts; nobody is asked here. ``clock`` counts seconds."""
        self._client = client
        self._clock = clock
        self._accounts: dict[str, tuple[float, Person]] = {}
        self._withholds = withholds
        self._seconds = look_seconds

    async def audience(self, mention: Mention) -> Audience | None:
        """Return who will see the answer, or None if who asks is no full member of the workspace.

        Raises ConversationUnreadable, SlackUnreachable, TokenRefused, IndexUnavailable.
        """
        if mention.place is not Place.CHANNEL:
            return await self.alone(mention.user)
        async with _together() as tasks:
            asker = tasks.create_task(person(self._client, mention.user))
            place = tasks.create_task(self._room(mention.channel))
        who = asker.result()
        return await self._of_room(place.result(), who) if who.member else None

    async def alone(self, user: str) -> Audience | None:
        """Return ``user`` as the only one who sees an answer, or None for no full member.

        Raises as ``audience`` does.
        """
        asker = await person(self._client, user)
        if not asker.member:
            return None
        own = principals_of(asker)
        if not await self._withholds(Audience.of(own)):
            return Audience.of(own)
        groups, channels = await asyncio.gather(
            _groups(self._client, self._seconds), _channels(self._client, user, self._seconds)
        )
        return Audience.of(own | _in_groups(groups, user) | _in_channels(channels))

    async def alone_beyond(self, room: Audience, user: str) -> Audience | None:
        """Return ``user`` alone, if there may be something that they may read and the room may not.

        Raises as ``audience`` does.
        """
        return await self.alone(user) if await self._withholds(room) else None

    async def _room(self, channel: str) -> Room:
        try:
            return await room(self._client, channel)
        except ConversationUnreadable as error:
            log.warning("a room counts as everyone: %s", error)
            return Room(channel, private=False, shared=False, members=None)

    async def _of_room(self, place: Room, asker: Person) -> Audience:
        if place.shared:
            return Audience(())
        everybody: set[Principal] = {EVERYONE}
        inside = _in_channels([place.channel]) if place.private else set()
        if place.members is None:
            return Audience.of(everybody | inside)
        people = await self._people(place.members, asker)
        if not place.private:
            # Full members who are in it may read what those may who could join.
            people = [one for one in people if not one.member]
        held = {one.id: principals_of(one) | inside for one in people}
        if not place.private:
            held[""] = everybody
        if not held or not await self._withholds(Audience.of(*held.values())):
            return Audience.of(*held.values())
        groups = await _groups(self._client, self._seconds)
        return Audience.of(*(own | _in_groups(groups, one) for one, own in held.items()))

    async def _people(self, members: Iterable[str], asker: Person) -> list[Person]:
        """Return those who read what is said in a room; programs and closed accounts do not."""
        us = await bot_user_id(self._client)
        others = [one for one in members if one not in (us, asker.id)]
        async with _together() as tasks:
            found = [tasks.create_task(self._account(one)) for one in others]
        people = [who for one in found if not ((who := one.result()).bot or who.gone)]
        return [asker, *people] if asker.id in members else people

    async def _account(self, user: str) -> Person:
        """Return who somebody in a room is, or was a short while ago."""
        now = self._clock()
        seen, known = self._accounts.get(user, (-ACCOUNT_SECONDS, Person(user)))
        if now - seen < ACCOUNT_SECONDS:
            # Not the address: whoever has another one by now may read no more what it opened.
            return replace(known, email="")
        known = await known_person(self._client, user)
        if len(self._accounts) >= MOST_ACCOUNTS:
            self._accounts.clear()
        self._accounts[user] = (now, known)
        return known


async def may_read(client: AsyncWebClient, user: str, readers: frozenset[str]) -> bool:
    """Tell whether ``user``, guest or not, may read what is open to these readers now.

    For what was shown before and is opened again: Slack is asked for no more than it takes. Raises
    SlackUnreachable, TokenRefused.
    """
    who = await known_person(client, user)
    if who.bot or who.gone:
        return False
    if Audience.of(principals_of(who)).may_read(readers):
        return True
    channels = await _channels(client, user, LOOK_SECONDS)
    if Audience.of(_in_channels(channels)).may_read(readers):
        return True
    groups = await _groups(client, LOOK_SECONDS)
    return Audience.of(_in_groups(groups, user)).may_read(readers)


def principals_of(who: Person) -> set[Principal]:
    """Return what somebody holds by their account alone. Pure.

    Slack's ids are unique across workspaces, so the team is no part of them.
    """
    held = {Principal("slack-user", who.id)}
    if who.member:
        held.add(EVERYONE)
    if who.email:
        held.add(Principal.written(f"email:{who.email}"))
        held.add(Principal.written(f"domain:{who.email.partition('@')[2]}"))
    return held


def _in_groups(groups: Mapping[str, frozenset[str]], user: str) -> set[Principal]:
    return {Principal("slack-group", group) for group, users in groups.items() if user in users}


def _in_channels(channels: Iterable[str]) -> set[Principal]:
    return {Principal("slack-channel", channel) for channel in channels}


async def _groups(client: AsyncWebClient, seconds: float) -> Mapping[str, frozenset[str]]:
    return await _or_else({}, groups_of(client), "user groups", seconds)


async def _channels(client: AsyncWebClient, user: str, seconds: float) -> frozenset[str]:
    asked = private_channels_of(client, user)
    return await _or_else(frozenset(), asked, "private channels", seconds)


async def _or_else(nothing: Found, asked: Awaitable[Found], what: str, seconds: float) -> Found:
    """Return what Slack says, or ``nothing`` where it says nothing in time."""
    try:
        async with asyncio.timeout(seconds):
            return await asked
    except (SlackConversationError, TimeoutError) as error:
        log.warning("who may read is known in part, without %s: %s", what, type(error).__name__)
        return nothing


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """Yield a group of tasks; the first that fails ends the others, and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
