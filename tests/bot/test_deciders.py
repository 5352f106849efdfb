"""Who may decide in a room, asked of a local Slack at the moment of the click."""

from collections.abc import AsyncIterator

import pytest

from bot.client import SlackClient, make_client
from bot.deciders import may_decide
from bot.errors import SlackUnreachable
from bot.playground.server import Playground
from bot.playground.workspace import Conversation


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    async with Playground(signing_secret="s") as slack:
        yield slack


@pytest.fixture
def client(slack: Playground) -> SlackClient:
    return make_client("xoxb-playground", slack.api_url)


def room(slack: Playground, *members: str, kind: str = "private", name: str = "GROOM") -> list[str]:
    inside = [slack.workspace.bot.id, *members]
    slack.workspace.add_conversation(Conversation(name, name.lower(), kind, inside))
    return inside


async def test_a_full_member_in_the_room_may_and_one_outside_may_not(
    slack: Playground, client: SlackClient
) -> None:
    inside = room(slack, "UBOB")
    assert await may_decide(client, "UBOB", "GROOM")
    assert not await may_decide(client, "UALICE", "GROOM")
    inside.remove("UBOB")
    assert not await may_decide(client, "UBOB", "GROOM")


async def test_a_guest_a_program_and_a_closed_account_may_not(
    slack: Playground, client: SlackClient
) -> None:
    bot = slack.workspace.bot.id
    room(slack, "UBOB", "UALICE")
    slack.workspace.users["UBOB"].guest = True
    slack.workspace.users["UALICE"].deleted = True
    for user in ("UBOB", "UALICE", bot, "UNOBODY", ""):
        assert not await may_decide(client, user, "GROOM")


async def test_in_a_large_room_too_only_who_is_in_it_may(
    slack: Playground, client: SlackClient
) -> None:
    room(slack, *(f"U{number}" for number in range(2_000)), "UBOB", kind="channel", name="CLARGE")
    assert await may_decide(client, "UBOB", "CLARGE")
    assert not await may_decide(client, "UALICE", "CLARGE")


async def test_in_a_direct_message_the_one_who_writes_may(
    slack: Playground, client: SlackClient
) -> None:
    assert await may_decide(client, "UALICE", slack.workspace.direct("UALICE").id)


async def test_where_slack_does_not_say_nobody_may(slack: Playground, client: SlackClient) -> None:
    room(slack, "UBOB")
    slack.fail_next("conversations.members", "channel_not_found")
    assert not await may_decide(client, "UBOB", "GROOM")
    assert not await may_decide(client, "UBOB", "GELSEWHERE")


async def test_while_slack_does_not_answer_nothing_is_decided(
    slack: Playground, client: SlackClient
) -> None:
    room(slack, "UBOB")
    slack.fail_next("users.info", "internal_error", times=5)
    with pytest.raises(SlackUnreachable):
        await may_decide(client, "UBOB", "GROOM")
