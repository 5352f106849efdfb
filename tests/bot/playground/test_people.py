"""People, their addresses and groups, as Slack describes them to a token with the right scopes."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Playground
from bot.playground.limits import TIER_2
from bot.playground.people import UserGroup
from bot.scopes import BOT_SCOPES, OPTIONAL_SCOPES
from tests.bot.playground.receiver import SECRET
from tests.bot.playground.refusal import refusal_of

Opened = Callable[..., AbstractAsyncContextManager[tuple[Playground, AsyncWebClient]]]


@pytest.fixture
def opened() -> Opened:
    @asynccontextmanager
    async def open_one(
        scopes: Collection[str] = BOT_SCOPES, *, rate_limits: bool = False
    ) -> AsyncIterator[tuple[Playground, AsyncWebClient]]:
        async with Playground(
            signing_secret=SECRET, scopes=scopes, rate_limits=rate_limits
        ) as slack:
            yield slack, AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)

    return open_one


async def test_groups_are_listed_with_their_users_only_if_asked_for(opened: Opened) -> None:
    async with opened() as (slack, client):
        slack.workspace.groups["S1"] = UserGroup("S1", "board", ["UALICE"])
        slack.workspace.groups["S2"] = UserGroup("S2", "old", ["UBOB"], disabled=True)
        (plain,) = (await client.usergroups_list())["usergroups"]
        assert (plain["id"], plain["handle"], plain["date_delete"]) == ("S1", "board", 0)
        assert not {"users", "user_count"} & plain.keys()
        listed = await client.usergroups_list(
            include_users=True, include_count=True, include_disabled=True
        )
        rows = {row["id"]: row for row in listed["usergroups"]}
        assert (rows["S1"]["users"], rows["S1"]["user_count"]) == (["UALICE"], 1)
        assert rows["S2"]["date_delete"] > 0


async def test_addresses_are_shown_with_their_own_scope_alone(opened: Opened) -> None:
    for scopes, shown in ((BOT_SCOPES, None), (BOT_SCOPES | OPTIONAL_SCOPES, "a@acme.example")):
        async with opened(scopes) as (slack, client):
            slack.workspace.user("alice").email = "a@acme.example"
            found = (await client.users_info(user="UALICE"))["user"]
            assert found["profile"].get("email") == shown
            assert found["is_email_confirmed"] is True
            listed = {row["id"]: row for row in (await client.users_list())["members"]}
            assert listed["UALICE"]["profile"].get("email") == shown
            assert "email" not in listed["UBOB"]["profile"]


@pytest.mark.parametrize(
    ("method", "arguments", "needed"),
    [
        ("users.info", {"user": "UALICE"}, "users:read"),
        ("users.list", {}, "users:read"),
        ("usergroups.list", {}, "usergroups:read"),
        ("conversations.info", {"channel": "CGENERAL"}, "channels:read"),
        ("conversations.info", {"channel": "GPEOPLE"}, "groups:read"),
        ("conversations.members", {"channel": "GPEOPLE"}, "groups:read"),
        ("conversations.members", {"channel": "DALICE"}, "im:read"),
        ("users.conversations", {"types": "private_channel"}, "groups:read"),
        ("conversations.list", {"types": "mpim,im"}, "mpim:read"),
    ],
)
async def test_a_token_without_the_scope_is_refused_in_slacks_words(
    opened: Opened, method: str, arguments: dict[str, str], needed: str
) -> None:
    async with opened(BOT_SCOPES - {needed}) as (_, client):
        refusal = await refusal_of(client.api_call(method, params=arguments))
        assert refusal["error"] == "missing_scope"
        assert needed in refusal["needed"].split(",")
        assert needed not in refusal["provided"].split(",")


async def test_groups_are_listed_twenty_times_a_minute(opened: Opened) -> None:
    async with opened(rate_limits=True) as (_, client):
        for _ in range(TIER_2.burst):
            await client.usergroups_list()
        assert (await refusal_of(client.usergroups_list()))["error"] == "ratelimited"
