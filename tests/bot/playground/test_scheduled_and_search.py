import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Playground
from bot.playground.methods_search import SCOPE
from bot.scopes import BOT_SCOPES
from tests.bot.playground.receiver import SECRET, App
from tests.doubles.clocks import ManualClock


async def refused(call: object) -> str:
    with pytest.raises(SlackApiError) as told:
        await call  # type: ignore[misc]
    return str(told.value.response["error"])


async def test_a_scheduled_message_waits_is_listed_and_can_be_deleted(
    timed: Playground, timed_client: AsyncWebClient, clock: ManualClock
) -> None:
    at = int(clock()) + 3600
    planned = await timed_client.chat_scheduleMessage(channel="CGENERAL", post_at=at, text="later")
    [row] = (await timed_client.chat_scheduledMessages_list(channel="CGENERAL"))[
        "scheduled_messages"
    ]
    assert (row["id"], row["post_at"], row["text"]) == (
        planned["scheduled_message_id"],
        at,
        "later",
    )
    assert timed.messages("general") == []
    gone = {"channel": "CGENERAL", "scheduled_message_id": row["id"]}
    await timed_client.chat_deleteScheduledMessage(**gone)
    again = timed_client.chat_deleteScheduledMessage(**gone)
    assert await refused(again) == "invalid_scheduled_message_id"


async def test_slacks_limits_of_scheduling_are_kept(
    timed: Playground, timed_client: AsyncWebClient, clock: ManualClock
) -> None:
    now = int(clock())

    async def plan(**changed: object) -> str:
        given = {"channel": "CGENERAL", "post_at": now + 60, "text": "x", **changed}
        return await refused(timed_client.chat_scheduleMessage(**given))  # type: ignore[arg-type]

    assert await plan(post_at=now) == "time_in_past"
    assert await plan(post_at=now + 121 * 86400) == "time_too_far"
    assert await plan(channel="CNOWHERE") == "channel_not_found"
    assert await plan(thread_ts="1.1") == "thread_not_found"
    assert await plan(metadata={"event_type": "x", "event_payload": {}}) == "metadata_not_allowed"
    for number in range(30):
        await timed_client.chat_scheduleMessage(
            channel="CGENERAL", post_at=now + 60 + number, text="x"
        )
    assert await plan() == "restricted_too_many"


async def test_search_needs_its_scope_and_the_token_of_an_event(app: App) -> None:
    scopes = BOT_SCOPES | {SCOPE}
    async with Playground(signing_secret=SECRET, events_url=app.url, scopes=scopes) as slack:
        client = AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)
        await slack.say("alice", "general", "@Footnote where is the printer?")
        await slack.idle()
        tokens = {
            one.payload["event"]["assistant_thread"]["action_token"] for one in slack.deliveries
        }
        assert len(tokens) == 1

        async def search(**changed: object) -> object:
            given = {"query": "printer", "action_token": next(iter(tokens)), **changed}
            return await client.api_call("assistant.search.context", json=given)

        found = await search()
        assert "printer" in found["results"]["messages"][0]["content"]  # type: ignore[index]
        assert await refused(search(action_token="made up")) == "invalid_action_token"
        assert await refused(search(channel_types=["private_channel"])) == "missing_scope"
        assert await refused(search(limit=21)) == "invalid_limit"


async def test_without_the_scope_no_event_bears_a_token(slack: Playground) -> None:
    await slack.say("alice", "general", "@Footnote hello")
    await slack.idle()
    assert all("assistant_thread" not in one.payload["event"] for one in slack.deliveries)
