import asyncio

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import NotAcknowledged, Playground, PlaygroundMisuse
from bot.playground.delivery import RETRY_DELAYS
from bot.playground.errors import SlackRefusal
from tests.bot.playground.receiver import App
from tests.bot.playground.refusal import refusal_of
from tests.bot.playground.scripted_app import thumbs
from tests.bot.playground.test_messages import BUTTON
from tests.doubles.clocks import ManualClock

VIEW = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Footnote 1"},
    "blocks": [{"type": "actions", "elements": [BUTTON["accessory"]]}],
}
TYPED = {"type": "plain_text_input", "action_id": "a", "initial_value": "as it was"}
FIELD = {"type": "input", "block_id": "b", "label": VIEW["title"], "element": TYPED}
FORM = {**VIEW, "submit": {"type": "plain_text", "text": "Send"}, "blocks": [FIELD]}


async def test_a_mention_in_a_channel_comes_as_two_signed_events(
    slack: Playground, app: App
) -> None:
    ts = await slack.say("alice", "general", "@Footnote how?")
    await slack.idle()
    assert [r.event["type"] for r in app.received] == ["message", "app_mention"]
    assert all(r.signed for r in app.received)
    assert {r.event["ts"] for r in app.received} == {ts}
    assert len({r.body["event_id"] for r in app.received}) == 2
    assert app.received[0].event["channel_type"] == "channel"
    assert app.received[0].body["team_id"] == slack.team


async def test_direct_messages_come_once_even_with_a_mention(slack: Playground, app: App) -> None:
    await slack.say("alice", "dm", "@Footnote how?")
    await slack.idle()
    (received,) = app.received
    assert received.event["channel_type"] == "im" and "thread_ts" not in received.event


async def test_nothing_is_heard_from_where_the_bot_is_no_member(
    slack: Playground, app: App
) -> None:
    await slack.say("alice", "random", "@Footnote how?")
    await slack.idle()
    assert app.received == []
    assert "not in this channel" in slack.ephemerals("alice")[0]["text"]


async def test_the_bots_own_messages_come_back_marked_as_a_bots(
    slack: Playground, app: App, client: AsyncWebClient
) -> None:
    ts = (await client.chat_postMessage(channel="CGENERAL", text="<@UFOOTNOTE> me"))["ts"]
    await client.chat_update(channel="CGENERAL", ts=ts, text="new")
    await client.chat_delete(channel="CGENERAL", ts=ts)
    await slack.idle()
    kinds = {r.event.get("subtype", "") for r in app.received}
    assert kinds == {"", "message_changed", "message_deleted"}
    assert app.events("app_mention") == []
    (own,) = [r for r in app.received if "subtype" not in r.event]
    assert own.event["bot_id"] and own.event["user"] == "UFOOTNOTE"


async def test_what_is_not_acknowledged_comes_again_and_says_so(
    slack: Playground, app: App
) -> None:
    app.answers = [web.Response(status=500) for _ in range(3)]
    await slack.say("alice", "dm", "how?")
    await slack.idle()
    assert [(r.retry, r.reason) for r in app.received] == [
        (None, None),
        ("1", "http_error"),
        ("2", "http_error"),
        ("3", "http_error"),
    ]
    assert len({r.body["event_id"] for r in app.received}) == 1
    assert slack.deliveries[0].tries == ["http_error"] * 3 + ["ok"]


async def test_a_lost_acknowledgement_brings_the_event_twice(slack: Playground, app: App) -> None:
    slack.drop_acks(1)
    await slack.say("alice", "dm", "how?")
    await slack.idle()
    assert [r.retry for r in app.received] == [None, "1"]


async def test_an_app_that_forbids_retries_gets_none(slack: Playground, app: App) -> None:
    app.answers = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"})]
    await slack.say("alice", "dm", "how?")
    await slack.idle()
    assert len(app.received) == 1


async def test_an_app_that_answers_too_late_is_tried_again() -> None:
    slow = web.Application()

    async def late(_: web.Request) -> web.Response:
        await asyncio.sleep(0.4)
        return web.Response()

    slow.router.add_post("/", late)
    runner = web.AppRunner(slow)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with Playground(
        signing_secret="s", events_url=url, ack_seconds=0.1, retry_delays=(0,)
    ) as slack:
        await slack.say("alice", "dm", "how?")
        await slack.idle()
        assert slack.deliveries[0].tries == ["http_timeout"] * 2
        with pytest.raises(NotAcknowledged, match="http_timeout"):
            await slack.command("alice", "dm", "/ask", "how?")
    await runner.cleanup()


async def test_an_app_that_is_away_is_tried_again_when_it_is_back(app: App) -> None:
    async with Playground(
        signing_secret="s", events_url="http://127.0.0.1:9/", retry_delays=(0, 0.05)
    ) as slack:
        await slack.say("alice", "dm", "how?")
        await slack.wait_until(lambda: slack.deliveries[0].tries)
        slack.events_url = app.url
        await slack.idle()
        assert slack.deliveries[0].tries[0] == "connection_failed"
        assert slack.deliveries[0].acknowledged


def test_retries_come_at_once_after_a_minute_and_after_five() -> None:
    assert RETRY_DELAYS == (0, 60, 300)


async def test_a_command_is_a_signed_form_and_its_answer_is_private(
    slack: Playground, app: App
) -> None:
    app.answers = [web.json_response({"text": "Looking…"})]
    await slack.command("bob", "help", "/ask", "how many days?")
    (received,) = app.received
    assert received.signed and received.body["command"] == "/ask"
    assert received.body["text"] == "how many days?"
    assert received.body["channel_name"] == "help"
    assert [m["text"] for m in slack.ephemerals("bob")] == ["Looking…"]


async def test_a_click_opens_a_view_within_three_seconds_once(
    timed: Playground, timed_client: AsyncWebClient, app: App, clock: ManualClock
) -> None:
    timed.events_url = app.url
    ts = (await timed_client.chat_postMessage(channel="CGENERAL", text="x", blocks=[BUTTON]))["ts"]
    await timed.click("alice", "general", ts, "open", "1")
    await timed.idle()
    (click,) = [r.body for r in app.received if r.body["type"] == "block_actions"]
    assert click["actions"][0]["value"] == "1" and click["message"]["ts"] == ts
    clock.advance(2.9)
    await timed_client.views_open(trigger_id=click["trigger_id"], view=VIEW)
    assert timed.views("alice")[0]["title"]["text"] == "Footnote 1"
    again = timed_client.views_open(trigger_id=click["trigger_id"], view=VIEW)
    assert (await refusal_of(again))["error"] == "exchanged_trigger_id"
    await timed.click("alice", "general", ts, "open", "1")
    late = app.received[-1].body["trigger_id"]
    clock.advance(3.1)
    expired = timed_client.views_open(trigger_id=late, view=VIEW)
    assert (await refusal_of(expired))["error"] == "expired_trigger_id"
    unknown = timed_client.views_open(trigger_id="1.2", view=VIEW)
    assert (await refusal_of(unknown))["error"] == "invalid_trigger_id"


async def test_a_vote_comes_with_the_value_of_the_chosen_button(
    slack: Playground, client: AsyncWebClient, app: App
) -> None:
    ts = (await client.chat_postMessage(channel="CGENERAL", text="x", blocks=[thumbs()]))["ts"]
    await slack.click("alice", "general", ts, "vote", "down")
    (action,) = app.received[-1].body["actions"]
    block = slack.messages("general")[-1]["blocks"][0]
    assert action.pop("action_ts") > ts
    assert action == {
        "type": "feedback_buttons",
        "action_id": "vote",
        "block_id": block["block_id"],
        "text": {"type": "plain_text", "text": "Bad"},
        "value": "down",
    }
    with pytest.raises(PlaygroundMisuse):
        await slack.click("alice", "general", ts, "vote", "sideways")


@pytest.mark.parametrize(("action", "value"), [("close", "1"), ("open", "2")])
async def test_nobody_presses_a_button_that_is_not_there(
    slack: Playground, client: AsyncWebClient, action: str, value: str
) -> None:
    ts = (await client.chat_postMessage(channel="CGENERAL", text="x", blocks=[BUTTON]))["ts"]
    with pytest.raises(PlaygroundMisuse):
        await slack.click("alice", "general", ts, action, value)


async def test_views_are_updated_pushed_and_closed(
    slack: Playground, client: AsyncWebClient, app: App
) -> None:
    await slack.command("alice", "general", "/ask")
    opened = await client.views_open(trigger_id=app.received[-1].body["trigger_id"], view=VIEW)
    stale = {"view_id": opened["view"]["id"], "hash": "old", "view": VIEW}
    assert (await refusal_of(client.views_update(**stale)))["error"] == "hash_conflict"
    other = {**VIEW, "title": {"type": "plain_text", "text": "Other"}, "notify_on_close": True}
    await client.views_update(view_id=opened["view"]["id"], view=other)
    await slack.click_view("alice", "open", "1")
    clicked = app.received[-1].body
    assert clicked["container"]["type"] == "view"
    await client.views_push(trigger_id=clicked["trigger_id"], view=VIEW)
    assert [v["title"]["text"] for v in slack.views("alice")] == ["Other", "Footnote 1"]
    await slack.close_view("alice")
    await slack.close_view("alice")
    assert slack.views("alice") == [] and app.received[-1].body["type"] == "view_closed"


async def test_a_submitted_view_follows_the_apps_answer(
    slack: Playground, client: AsyncWebClient, app: App
) -> None:
    await slack.command("alice", "general", "/ask")
    await client.views_open(trigger_id=app.received[-1].body["trigger_id"], view=FORM)
    app.answers = [web.json_response({"response_action": "errors", "errors": {"b": "no"}})]
    values = {"b": {"a": {"type": "plain_text_input", "value": "x"}}}
    answer = await slack.submit("alice", values)
    assert answer["errors"] == {"b": "no"} and len(slack.views("alice")) == 1
    await slack.submit("alice", values)
    assert slack.views("alice") == []
    assert app.received[-1].body["view"]["state"]["values"] == values


async def test_fields_keep_what_the_app_filled_in_and_hold_what_slack_lets_people_submit(
    slack: Playground, client: AsyncWebClient, app: App
) -> None:
    await slack.command("alice", "general", "/ask")
    await client.views_open(trigger_id=app.received[-1].body["trigger_id"], view=FORM)
    for value in ("", "x" * 3_001):
        with pytest.raises(PlaygroundMisuse):
            await slack.submit("alice", {"b": {"a": {"value": value}}})
    await slack.submit("alice")
    (state,) = app.received[-1].body["view"]["state"]["values"]["b"].values()
    assert state == {"type": "plain_text_input", "value": "as it was"}


async def test_errors_for_a_field_that_is_not_there_are_refused(
    slack: Playground, client: AsyncWebClient, app: App
) -> None:
    await slack.command("alice", "general", "/ask")
    await client.views_open(trigger_id=app.received[-1].body["trigger_id"], view=FORM)
    for errors in ({"c": "no"}, {}, {"b": 5}):
        app.answers = [web.json_response({"response_action": "errors", "errors": errors})]
        with pytest.raises(SlackRefusal):
            await slack.submit("alice")
    assert len(slack.views("alice")) == 1


async def test_a_field_is_not_filled_with_more_than_it_holds(
    slack: Playground, client: AsyncWebClient, app: App
) -> None:
    for fault in ({"initial_value": "x" * 3_001}, {"max_length": 3_001}, {"max_length": 5}):
        await slack.command("alice", "general", "/ask")
        broken = {**FORM, "blocks": [{**FIELD, "element": {**TYPED, **fault}}]}
        trigger = app.received[-1].body["trigger_id"]
        refused = await refusal_of(client.views_open(trigger_id=trigger, view=broken))
        assert refused["error"] == "invalid_arguments"


async def test_stop_is_there_while_a_session_is_processing_and_ends_its_streams(
    slack: Playground, client: AsyncWebClient, app: App
) -> None:
    root = await slack.say("alice", "dm", "how?")
    place = {"channel": slack.channel_id("dm", "alice"), "thread_ts": root}
    stream = await client.chat_startStream(**place, markdown_text="Well")
    with pytest.raises(PlaygroundMisuse):
        await slack.stop_session("alice", "dm", root)
    session = {"channel_id": place["channel"], "thread_ts": root, "status": "processing"}
    await client.agents_sessions_setStatus(**session)
    await slack.stop_session("alice", "dm", root)
    await slack.idle()
    (stopped,) = app.events("agent_session_stopped")
    told = {key: stopped.event[key] for key in ("channel", "thread_ts", "user")}
    assert told == {**place, "user": "UALICE"}
    assert stopped.event["streaming_message_ts"] == [stream["ts"]]
    late = client.chat_appendStream(channel=place["channel"], ts=stream["ts"], markdown_text="x")
    assert (await refusal_of(late))["error"] == "stopped_by_user"
    assert slack.status("dm", root, user="alice").session == "processing"


async def test_opening_home_is_told_and_the_app_fills_it(
    slack: Playground, client: AsyncWebClient, app: App
) -> None:
    await slack.open_home("bob")
    await slack.idle()
    (received,) = app.events("app_home_opened")
    assert (received.event["user"], received.event["tab"]) == ("UBOB", "home")
    await client.views_publish(user_id="UBOB", view={"type": "home", "blocks": []})
    assert slack.home("bob") is not None and slack.home("alice") is None
