import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Playground, PlaygroundMisuse
from bot.playground.people import User
from tests.bot.playground.refusal import refusal_of


async def test_a_thread_is_read_oldest_first_in_pages(
    slack: Playground, client: AsyncWebClient
) -> None:
    root = await slack.say("alice", "general", "root")
    for number in range(5):
        await slack.say("bob", "general", f"reply {number}", root)
    seen: list[str] = []
    cursor = None
    while True:
        page = await client.conversations_replies(
            channel="CGENERAL", ts=root, limit=2, cursor=cursor
        )
        seen += [m["text"] for m in page["messages"]]
        if not page["has_more"]:
            break
        cursor = page["response_metadata"]["next_cursor"]
    assert seen == ["root", *(f"reply {n}" for n in range(5))]


async def test_history_is_newest_first_and_leaves_replies_out(
    slack: Playground, client: AsyncWebClient
) -> None:
    first = await slack.say("alice", "general", "first")
    await slack.say("bob", "general", "a reply", first)
    second = await slack.say("bob", "general", "second")
    found = await client.conversations_history(channel="CGENERAL")
    assert [m["text"] for m in found["messages"]] == ["second", "first"]
    assert found["messages"][1]["reply_count"] == 1
    exact = await client.conversations_history(
        channel="CGENERAL", latest=second, oldest=second, inclusive=True, limit=1
    )
    assert [m["ts"] for m in exact["messages"]] == [second]


@pytest.mark.parametrize(
    ("channel", "error"),
    [("CRANDOM", "not_in_channel"), ("CNOWHERE", "channel_not_found")],
)
async def test_the_bot_reads_and_writes_only_where_it_is_a_member(
    client: AsyncWebClient, channel: str, error: str
) -> None:
    assert (await refusal_of(client.conversations_history(channel=channel)))["error"] == error
    posted = await refusal_of(client.chat_postMessage(channel=channel, text="x"))
    assert posted["error"] == error


async def test_guests_and_strangers_are_told_apart(
    slack: Playground, client: AsyncWebClient
) -> None:
    slack.workspace.add_user(User("UGUEST", "gil", "Gil Guest", guest=True))
    slack.workspace.add_user(User("UOTHER", "oda", "Oda Other", stranger=True))
    assert (await client.users_info(user="UGUEST"))["user"]["is_restricted"] is True
    other = (await client.users_info(user="UOTHER"))["user"]
    assert other["is_stranger"] is True and other["team_id"] != slack.team
    assert (await refusal_of(client.users_info(user="UNOBODY")))["error"] == "user_not_found"


async def test_members_and_kinds_of_a_conversation_are_told(client: AsyncWebClient) -> None:
    members = (await client.conversations_members(channel="GPEOPLE"))["members"]
    assert set(members) == {"UALICE", "UFOOTNOTE"}
    info = (await client.conversations_info(channel="GPEOPLE"))["channel"]
    assert info["is_private"] and not info["is_ext_shared"]
    direct = (await client.conversations_open(users="UBOB"))["channel"]["id"]
    assert (await client.conversations_info(channel=direct))["channel"]["user"] == "UBOB"
    listed = (await client.conversations_list(types="public_channel,private_channel"))["channels"]
    assert {c["name"] for c in listed} == {"general", "help", "random", "people-team"}


async def test_timestamps_grow_even_when_the_clock_stands_still(timed: Playground) -> None:
    stamps = [await timed.say("alice", "general", str(n)) for n in range(50)]
    assert stamps == sorted(set(stamps))


async def test_nobody_speaks_where_they_are_not(slack: Playground) -> None:
    with pytest.raises(PlaygroundMisuse):
        await slack.say("bob", "people-team", "let me in")


async def test_typed_text_is_escaped_and_names_become_mentions(slack: Playground) -> None:
    ts = await slack.say("alice", "general", "@Footnote is 1 < 2 & <!channel>? ask @bob")
    (message,) = slack.messages("general", ts)
    assert message["text"] == ("<@UFOOTNOTE> is 1 &lt; 2 &amp; &lt;!channel&gt;? ask <@UBOB>")
