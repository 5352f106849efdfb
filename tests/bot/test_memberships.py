"""Who belongs where, read from a local Slack page by page."""

from collections.abc import AsyncIterator

import pytest

from bot.client import make_client
from bot.errors import ConversationUnreadable
from bot.memberships import MOST_MEMBERS, groups_of, private_channels_of, room
from bot.playground.server import Playground
from bot.playground.workspace import Conversation


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    async with Playground(signing_secret="s") as slack:
        yield slack


async def test_private_channels_are_read_to_the_last_page(slack: Playground) -> None:
    us = slack.workspace.bot.id
    for number in range(1_100):
        one = Conversation(f"G{number}", f"c{number}", "private", ["UBOB", us])
        slack.workspace.add_conversation(one)
    slack.workspace.add_conversation(Conversation("GALONE", "alone", "private", ["UBOB"]))
    found = await private_channels_of(make_client("xoxb-playground", slack.api_url), "UBOB")
    assert found == {f"G{number}" for number in range(1_100)}


async def test_a_room_is_large_from_one_member_more_than_are_looked_at(slack: Playground) -> None:
    client, us = make_client("xoxb-playground", slack.api_url), slack.workspace.bot.id
    full = [us, *(f"U{number}" for number in range(1, MOST_MEMBERS))]
    slack.workspace.add_conversation(Conversation("GFULL", "full", "private", full))
    assert (await room(client, "GFULL")).members == tuple(full)
    full.append("UMORE")
    found = await room(client, "GFULL")
    assert (found.members, found.private, found.shared) == (None, True, False)


async def test_where_there_are_no_user_groups_slack_says_so(slack: Playground) -> None:
    client = make_client("xoxb-playground", slack.api_url)
    assert await groups_of(client) == {}
    slack.fail_next("usergroups.list", "plan_upgrade_required")
    with pytest.raises(ConversationUnreadable):
        await groups_of(client)
