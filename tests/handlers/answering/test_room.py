"""Who will see an answer, and what each of them holds, asked of a local Slack at that moment."""

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bot.client import make_client
from bot.conversation import Mention, Place
from bot.errors import SlackUnreachable
from bot.memberships import MOST_MEMBERS
from bot.playground.people import User, UserGroup
from bot.playground.server import Playground
from bot.playground.workspace import Conversation
from bot.scopes import BOT_SCOPES, OPTIONAL_SCOPES
from handlers.answering.room import ACCOUNT_SECONDS, Rooms, may_read
from index.audience import EVERYONE, Audience, Principal

ALL = BOT_SCOPES | OPTIONAL_SCOPES
ALICE, BOB = Principal("slack-user", "UALICE"), Principal("slack-user", "UBOB")
CLIENTS = Principal("slack-channel", "GCLIENTS")


@dataclass
class Spot:
    """A local Slack and the code under test; ``asked`` holds the audiences of the cheap look.

    ``now`` is the time of its clock, in seconds.
    """

    slack: Playground
    rooms: Rooms
    asked: list[Audience] = field(default_factory=list)
    now: float = 0.0

    def mention(self, channel: str, user: str = "UALICE") -> Mention:
        place = Place.CHANNEL if channel else Place.DIRECT
        return Mention(self.slack.team, channel or f"D{user[1:]}", user, "1.1", "1.1", place, "")

    async def holds(self, channel: str = "", user: str = "UALICE") -> Audience | None:
        return await self.rooms.audience(self.mention(channel, user))

    def called(self) -> list[str]:
        return sorted(call.method for call in self.slack.calls if call.method != "auth.test")

    def add(self, channel: str, kind: str, *members: str, shared: bool = False) -> None:
        us = self.slack.workspace.bot.id
        self.slack.workspace.add_conversation(
            Conversation(channel, channel.lower(), kind, [*members, us], shared=shared)  # type: ignore[arg-type]
        )


@asynccontextmanager
async def opened(
    *, scopes: Collection[str] = ALL, withholds: bool = True, look_seconds: float = 5.0
) -> AsyncIterator[Spot]:
    async with Playground(signing_secret="s", scopes=scopes) as slack:
        space = slack.workspace
        space.user("alice").email = "Alice@Acme.example"
        space.add_user(User("UGUEST", "guest", "A guest", guest=True, email="g@client.example"))
        space.add_user(User("UBUILD", "builds", "A program", is_bot=True))
        space.groups["SBOARD"] = UserGroup("SBOARD", "board", ["UALICE", "UGUEST"])
        space.groups["SOLD"] = UserGroup("SOLD", "old", ["UALICE"], disabled=True)
        client = make_client("xoxb-playground", slack.api_url)
        place: Spot

        async def look(audience: Audience) -> bool:
            place.asked.append(audience)
            return withholds

        rooms = Rooms(client, look, look_seconds=look_seconds, clock=lambda: place.now)
        place = Spot(slack, rooms)
        yield place


ALICES = {
    EVERYONE,
    ALICE,
    Principal("email", "alice@acme.example"),
    Principal("domain", "acme.example"),
}


async def test_somebody_alone_holds_groups_and_private_channels_of_this_moment() -> None:
    async with opened() as at:
        at.add("GCLIENTS", "private", "UBOB")
        people = Principal("slack-channel", "GPEOPLE")
        board = Principal("slack-group", "SBOARD")
        assert await at.holds() == Audience.of({*ALICES, people, board})
        assert await at.holds(user="UBOB") == Audience.of({EVERYONE, BOB, CLIENTS})
        at.slack.workspace.groups["SBOARD"].users.clear()
        at.slack.workspace.conversation("people-team").members.remove("UALICE")
        assert await at.holds() == Audience.of(ALICES)


async def test_where_everything_is_open_nobody_is_asked_about_groups_and_channels() -> None:
    async with opened(withholds=False) as at:
        assert await at.holds() == Audience.of(ALICES)
        assert at.called() == ["users.info"]
        assert at.asked == [Audience.of(ALICES)]


@pytest.mark.parametrize("change", ["unconfirmed", "no address", "no scope", "odd"])
async def test_only_a_confirmed_address_that_the_bot_may_know_opens_anything(change: str) -> None:
    async with opened(scopes=BOT_SCOPES if change == "no scope" else ALL, withholds=False) as at:
        alice = at.slack.workspace.user("alice")
        alice.confirmed = change != "unconfirmed"
        alice.email = {"no address": "", "odd": "a@b@acme.example"}.get(change, alice.email)
        assert await at.holds() == Audience.of({EVERYONE, ALICE})


@pytest.mark.parametrize("flag", ["guest", "stranger", "deleted"])
async def test_who_is_no_full_member_gets_no_audience(flag: str) -> None:
    async with opened() as at:
        setattr(at.slack.workspace.user("alice"), flag, True)
        for channel in ("", "CGENERAL"):
            assert await at.holds(channel) is None


async def test_a_public_channel_is_everyone_and_each_guest_in_it() -> None:
    async with opened() as at:
        assert await at.holds("CGENERAL") == Audience.everyone()
        at.add("CCLIENTS", "channel", "UALICE", "UBOB", "UGUEST", "UBUILD")
        guest = {
            Principal("slack-user", "UGUEST"),
            Principal("slack-group", "SBOARD"),
            Principal("email", "g@client.example"),
            Principal("domain", "client.example"),
        }
        assert await at.holds("CCLIENTS") == Audience.of(guest, {EVERYONE})


async def test_a_small_private_channel_is_each_of_its_members() -> None:
    async with opened() as at:
        at.add("GCLIENTS", "private", "UALICE", "UBOB", "UBUILD")
        board = Principal("slack-group", "SBOARD")
        expected = Audience.of({*ALICES, CLIENTS, board}, {EVERYONE, BOB, CLIENTS})
        assert await at.holds("GCLIENTS") == expected
        assert await at.holds("GCLIENTS", "UBOB") == Audience(expected.members[::-1])


async def test_the_others_in_a_room_are_looked_at_once_in_five_minutes() -> None:
    async with opened(withholds=False) as at:
        at.add("CCLIENTS", "channel", "UALICE", "UBOB", "UGUEST")
        await at.holds("CCLIENTS")
        assert at.called().count("users.info") == 3
        remembered = await at.holds("CCLIENTS")
        assert remembered is not None
        assert remembered == Audience.of({Principal("slack-user", "UGUEST")}, {EVERYONE})
        assert at.called().count("users.info") == 4  # the one who asks, again
        at.slack.workspace.user("UBOB").guest = True
        at.now += ACCOUNT_SECONDS
        later = await at.holds("CCLIENTS")
        assert later is not None
        assert len(later.members) > len(remembered.members)
        assert at.called().count("users.info") == 7


async def test_no_address_of_somebody_in_a_room_is_remembered_for_the_next_question() -> None:
    async with opened(withholds=False) as at:
        at.add("GCLIENTS", "private", "UALICE", "UGUEST")
        theirs = Principal("domain", "client.example")
        first, second = await at.holds("GCLIENTS"), await at.holds("GCLIENTS")
        assert first is not None
        assert second is not None
        assert any(theirs.id in one for one in first.members)
        assert not any(theirs.id in one for one in second.members)


@pytest.mark.parametrize("kind", ["channel", "private"])
async def test_a_large_room_counts_as_everyone_and_costs_no_call_for_each(kind: str) -> None:
    async with opened() as at:
        many = [f"U{number}" for number in range(MOST_MEMBERS)]
        at.add("GCLIENTS", kind, "UALICE", *many)
        inside = {CLIENTS} if kind == "private" else set()
        assert await at.holds("GCLIENTS") == Audience.of({EVERYONE, *inside})
        assert at.called() == ["conversations.info", "conversations.members", "users.info"]


async def test_where_another_company_listens_nothing_may_be_said() -> None:
    async with opened() as at:
        at.add("GCLIENTS", "private", "UALICE", shared=True)
        assert await at.holds("GCLIENTS") == Audience(())


async def test_an_account_that_slack_does_not_describe_holds_nothing_of_everyone() -> None:
    async with opened() as at:
        at.add("GCLIENTS", "private", "UALICE", "UNOBODY")
        found = await at.holds("GCLIENTS")
        assert found is not None
        assert not found.may_read(frozenset({EVERYONE.id}))
        assert found.may_read(frozenset({CLIENTS.id}))


async def test_a_room_that_slack_refuses_to_describe_counts_as_everyone() -> None:
    async with opened(scopes=ALL - {"groups:read"}) as at:
        assert await at.holds("GPEOPLE") == Audience.everyone()


@pytest.mark.parametrize("method", ["conversations.info", "conversations.members", "users.info"])
async def test_while_slack_does_not_say_who_is_in_a_room_the_question_waits(method: str) -> None:
    async with opened() as at:
        at.slack.fail_next(method, status=503, times=20)
        with pytest.raises(SlackUnreachable):
            await at.holds("GPEOPLE")


@pytest.mark.parametrize(
    ("method", "lost"),
    [
        ("usergroups.list", Principal("slack-group", "SBOARD")),
        ("users.conversations", Principal("slack-channel", "GPEOPLE")),
    ],
)
@pytest.mark.parametrize(
    "trouble", ["missing_scope", "internal_error", "slow", "cut", "ratelimited"]
)
async def test_what_slack_does_not_tell_opens_less_and_the_answer_goes_on(
    method: str,
    lost: Principal,
    trouble: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with opened(look_seconds=0.3) as at:
        if trouble == "slow":
            at.slack.fail_next(method, delay=1.0)
        elif trouble == "cut":
            at.slack.fail_next(method, cut=True, times=5)
        else:
            at.slack.fail_next(method, trouble, times=5)
        found = await at.holds()
    assert found is not None
    assert not found.may_read(frozenset({lost.id}))
    assert found.may_read(frozenset({EVERYONE.id}))
    (line,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert line.getMessage().startswith("who may read is known in part")


async def test_without_the_scope_for_groups_nobody_is_in_one() -> None:
    async with opened(scopes=ALL - {"usergroups:read"}) as at:
        assert await at.holds() == Audience.of({*ALICES, Principal("slack-channel", "GPEOPLE")})


async def test_a_rate_limit_that_ends_soon_costs_time_and_nothing_else() -> None:
    async with opened() as at:
        at.slack.fail_next("usergroups.list", "ratelimited", retry_after=1)
        found = await at.holds()
    assert found is not None
    assert found.may_read(frozenset({Principal("slack-group", "SBOARD").id}))


@pytest.mark.parametrize(
    ("user", "reader", "calls"),
    [
        ("UALICE", "everyone", 1),
        ("UALICE", "slack-user:UALICE", 1),
        ("UGUEST", "domain:client.example", 1),
        ("UALICE", "slack-channel:GPEOPLE", 2),
        ("UGUEST", "slack-group:SBOARD", 3),
    ],
)
async def test_what_was_shown_is_opened_again_by_its_readers_for_few_calls(
    user: str, reader: str, calls: int
) -> None:
    async with opened() as at:
        client = make_client("xoxb-playground", at.slack.api_url)
        assert await may_read(client, user, frozenset({Principal.written(reader).id}))
        assert len(at.called()) == calls


@pytest.mark.parametrize(
    ("user", "reader"),
    [
        ("UGUEST", "everyone"),
        ("UBUILD", "everyone"),
        ("UNOBODY", "everyone"),
        ("UBOB", "slack-user:UALICE"),
        ("UBOB", "slack-channel:GPEOPLE"),
        ("UBOB", "slack-group:SBOARD"),
        ("UALICE", "slack-group:SOLD"),
        ("UALICE", "group:SBOARD"),
    ],
)
async def test_what_was_shown_is_opened_again_by_nobody_else(user: str, reader: str) -> None:
    async with opened() as at:
        client = make_client("xoxb-playground", at.slack.api_url)
        assert not await may_read(client, user, frozenset({Principal.written(reader).id}))
        assert not await may_read(client, user, frozenset())
