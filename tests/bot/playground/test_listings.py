import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Playground
from bot.playground.limits import TIER_3
from bot.playground.workspace import Conversation
from tests.bot.playground.refusal import refusal_of

ALL = "public_channel,private_channel,mpim,im"


async def names(client: AsyncWebClient, **arguments: object) -> list[str]:
    """Return the names (or ids) of the conversations that a bot or a person is in."""
    listed = await client.users_conversations(**arguments)  # type: ignore[arg-type]
    return [row.get("name", row["id"]) for row in listed["channels"]]


async def test_the_bot_lists_only_what_it_is_in(slack: Playground, client: AsyncWebClient) -> None:
    assert await names(client) == ["general", "help"]
    everything = await names(client, types=ALL)
    assert set(everything) == {"general", "help", "people-team", "DALICE", "DBOB"}


async def test_a_person_is_listed_where_the_bot_may_know_of_it(
    slack: Playground, client: AsyncWebClient
) -> None:
    slack.workspace.add_conversation(Conversation("GSECRET", "secret", "private", ["UBOB"]))
    assert await names(client, user="UBOB", types=ALL) == ["DBOB", "general", "help", "random"]
    refusal = await refusal_of(client.users_conversations(user="UNOBODY"))
    assert refusal["error"] == "user_not_found"


async def test_descriptions_are_shorter_than_elsewhere(
    slack: Playground, client: AsyncWebClient
) -> None:
    slack.workspace.user("bob").deleted = True
    listed = await client.users_conversations(types="public_channel,im")
    rows = {row["id"]: row for row in listed["channels"]}
    assert not any({"is_member", "num_members"} & row.keys() for row in rows.values())
    assert rows["CGENERAL"]["is_ext_shared"] is False
    assert (rows["DALICE"]["user"], rows["DALICE"]["is_user_deleted"]) == ("UALICE", False)
    assert rows["DBOB"]["is_user_deleted"] is True


async def test_archived_channels_can_be_left_out(slack: Playground, client: AsyncWebClient) -> None:
    slack.workspace.add_conversation(
        Conversation("COLD", "old", "channel", [slack.workspace.bot.id], archived=True)
    )
    assert "old" in await names(client)
    assert "old" not in await names(client, exclude_archived=True)


async def test_pages_come_to_an_end(slack: Playground, client: AsyncWebClient) -> None:
    found: list[str] = []
    cursor = None
    for _ in range(3):
        page = await client.users_conversations(types=ALL, limit=2, cursor=cursor)
        found += [row["id"] for row in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
    assert len(set(found)) == len(found) == 5
    assert cursor == ""


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"types": "public_channel,secret"}, "invalid_types"),
        ({"limit": 1000}, "invalid_limit"),
        ({"limit": 0}, "invalid_limit"),
        ({"cursor": "no cursor"}, "invalid_cursor"),
        ({"channel": "CGENERAL"}, "invalid_arguments"),
    ],
)
async def test_what_slack_would_refuse_is_refused(
    client: AsyncWebClient, arguments: dict[str, object], error: str
) -> None:
    for method in ("users.conversations", "conversations.list"):
        refusal = await refusal_of(client.api_call(method, params=arguments))
        assert refusal["error"] == error, method


@pytest.mark.parametrize("end", ["latest", "oldest"])
async def test_history_wants_timestamps_and_pages_of_less_than_a_thousand(
    client: AsyncWebClient, end: str
) -> None:
    odd = await refusal_of(client.conversations_history(channel="CGENERAL", **{end: "inf"}))  # type: ignore[arg-type]
    assert odd["error"] == f"invalid_ts_{end}"
    long = await refusal_of(client.conversations_history(channel="CGENERAL", limit=1000))
    assert long["error"] == "invalid_limit"


async def test_a_reply_that_was_also_sent_to_the_channel_stands_in_its_history(
    slack: Playground, client: AsyncWebClient
) -> None:
    root = await slack.say("alice", "general", "root")
    loud = {"user": "UBOB", "text": "loud", "subtype": "thread_broadcast"}
    slack.workspace.post("CGENERAL", loud, thread_ts=root)
    history = (await client.conversations_history(channel="CGENERAL"))["messages"]
    assert [(m["text"], m["thread_ts"]) for m in history] == [("loud", root), ("root", root)]


async def test_listing_is_limited_as_in_slack(
    timed: Playground, timed_client: AsyncWebClient
) -> None:
    for _ in range(TIER_3.burst):
        await timed_client.users_conversations()
    refusal = await refusal_of(timed_client.users_conversations())
    assert refusal["error"] == "ratelimited"
