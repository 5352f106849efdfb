import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.playground import Playground
from tests.bot.playground.receiver import App
from tests.bot.playground.refusal import refusal_of
from tests.doubles.clocks import ManualClock

BUTTON = {
    "type": "section",
    "text": {"type": "mrkdwn", "text": "*[1]* Leave"},
    "accessory": {
        "type": "button",
        "action_id": "open",
        "text": {"type": "plain_text", "text": "Open quote"},
        "value": "1",
    },
}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "no_text"),
        ({"text": "   "}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"markdown_text": "x", "text": "y"}, "markdown_text_conflict"),
        ({"text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"text": "x", "blocks": "[nonsense"}, "invalid_blocks_format"),
        ({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
    ],
)
async def test_what_slack_would_not_post_is_refused(
    client: AsyncWebClient, arguments: dict[str, object], error: str
) -> None:
    call = client.api_call("chat.postMessage", json={"channel": "CGENERAL", **arguments})
    assert (await refusal_of(call))["error"] == error


async def test_an_update_edits_own_messages_within_a_shorter_limit(
    slack: Playground, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="CGENERAL", text="old", blocks=[BUTTON])
    where = {"channel": "CGENERAL", "ts": posted["ts"]}
    too_long = client.chat_update(**where, text="x" * 4_001)
    assert (await refusal_of(too_long))["error"] == "msg_too_long"
    await client.chat_update(**where, text="new")
    (message,) = slack.messages("general")
    assert message["text"] == "new" and message["edited"]["user"] == "UFOOTNOTE"
    assert "blocks" not in message, "text alone takes the old blocks away"
    theirs = await slack.say("alice", "general", "mine")
    call = client.chat_update(channel="CGENERAL", ts=theirs, text="yours")
    assert (await refusal_of(call))["error"] == "cant_update_message"


async def test_a_deleted_message_is_gone_and_a_deleted_root_leaves_a_tombstone(
    slack: Playground, client: AsyncWebClient
) -> None:
    root = (await client.chat_postMessage(channel="CGENERAL", text="root"))["ts"]
    await slack.say("bob", "general", "reply", root)
    lone = (await client.chat_postMessage(channel="CGENERAL", text="lone"))["ts"]
    await client.chat_delete(channel="CGENERAL", ts=lone)
    await client.chat_delete(channel="CGENERAL", ts=root)
    (left,) = slack.messages("general")
    assert left["subtype"] == "tombstone" and "root" not in left["text"]
    again = client.chat_delete(channel="CGENERAL", ts=lone)
    assert (await refusal_of(again))["error"] == "message_not_found"


async def test_an_ephemeral_message_reaches_one_member_and_no_history(
    slack: Playground, client: AsyncWebClient
) -> None:
    await client.chat_postEphemeral(channel="CGENERAL", user="UALICE", text="psst")
    assert [m["text"] for m in slack.ephemerals("alice")] == ["psst"]
    assert slack.ephemerals("bob") == [] and slack.messages("general") == []
    outsider = client.chat_postEphemeral(channel="GPEOPLE", user="UBOB", text="psst")
    assert (await refusal_of(outsider))["error"] == "user_not_in_channel"


async def test_a_response_url_answers_five_times(slack: Playground, app: App) -> None:
    await slack.command("alice", "random", "/ask", "how?")
    url = app.received[-1].body["response_url"]
    hook = AsyncWebhookClient(url)
    statuses = [(await hook.send(text=str(n))).status_code for n in range(6)]
    assert statuses == [200] * 5 + [404]
    assert [m["text"] for m in slack.ephemerals("alice")] == ["0", "1", "2", "3", "4"]
    assert slack.messages("random") == [], "private, even where the bot is no member"


async def test_a_response_url_lives_half_an_hour(
    timed: Playground, app: App, clock: ManualClock
) -> None:
    timed.events_url = app.url
    await timed.command("alice", "general", "/ask", "how?")
    clock.advance(1_801)
    response = await AsyncWebhookClient(app.received[-1].body["response_url"]).send(text="late")
    assert response.status_code == 404 and "expired_url" in response.body


async def test_a_response_url_of_a_click_replaces_and_removes_the_private_message(
    slack: Playground, app: App, client: AsyncWebClient
) -> None:
    ts = (
        await client.chat_postEphemeral(
            channel="CGENERAL", user="UALICE", text="x", blocks=[BUTTON]
        )
    )["message_ts"]
    await slack.click("alice", "general", ts, "open", "1")
    clicked = app.received[-1].body
    assert clicked["container"]["is_ephemeral"] and "message" not in clicked
    async with aiohttp.ClientSession() as session:
        answer = {"replace_original": True, "text": "replaced"}
        await session.post(clicked["response_url"], json=answer)
        assert [m["text"] for m in slack.ephemerals("alice")] == ["replaced"]
        await session.post(clicked["response_url"], json={"delete_original": True})
    assert slack.ephemerals("alice") == []


async def test_a_reaction_counts_once(client: AsyncWebClient, slack: Playground) -> None:
    ts = await slack.say("alice", "general", "hello")
    where = {"channel": "CGENERAL", "timestamp": ts, "name": "eyes"}
    await client.reactions_add(**where)
    assert (await refusal_of(client.reactions_add(**where)))["error"] == "already_reacted"
    assert slack.messages("general")[0]["reactions"][0]["count"] == 1


async def test_a_permalink_of_a_reply_names_its_thread(
    client: AsyncWebClient, slack: Playground
) -> None:
    root = await slack.say("alice", "general", "root")
    ts = await slack.say("alice", "general", "reply", root)
    found = await client.chat_getPermalink(channel="CGENERAL", message_ts=ts)
    assert found["permalink"].startswith(slack.url) and f"thread_ts={root}" in found["permalink"]
