"""Questions are read back from Slack: all of them, nothing else, within Slack's limits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.client import SlackClient, make_client
from bot.conversation import Mention, Place
from bot.errors import ConversationUnreadable
from bot.missed import Bookmark, Sweep
from bot.playground import Playground
from bot.playground.people import User
from bot.playground.workspace import Conversation
from tests.doubles.clocks import ManualClock

TOKEN = "xoxb-playground"
DAY = 24 * 3600.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def slack(clock: ManualClock) -> AsyncIterator[Playground]:
    """A workspace that nobody delivers from; only the test moves its time."""
    async with Playground(signing_secret="s", bot_token=TOKEN, clock=clock) as playground:
        yield playground


@pytest.fixture
def client(slack: Playground) -> SlackClient:
    return make_client(TOKEN, slack.api_url)


async def at_once(_: float) -> None:
    """Wait as long as a test wants to."""


def sweep_of(client: SlackClient, now: ManualClock, **more: Any) -> Sweep:
    """Return a sweep through the last hour, the present moment included."""
    window = {"since": now() - 3600, "until": now() + 1, "pause": at_once}
    return Sweep(client, **(window | more))


async def found_by(sweep: Sweep) -> list[Mention]:
    return [mention async for mention in sweep.mentions()]


async def said_to_the_bot(sweep: Sweep) -> set[str]:
    return {mention.text for mention in await found_by(sweep)}


async def test_mentions_direct_messages_and_replies_are_found_and_nothing_else(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    root = await slack.say("bob", "general", "lunch?")
    await slack.say("alice", "general", "@Footnote in a channel?")
    await slack.say("alice", "general", "@Footnote in a thread?", root)
    await slack.say("alice", "people-team", "@Footnote in private?")
    await slack.say("bob", "general", "nobody asked you", root)
    await slack.say("bob", "random", "@Footnote where you are not?")
    mine = await slack.say("bob", "dm", "directly?")
    await slack.say("bob", "dm", "and then?", mine)
    sweep = sweep_of(client, clock)
    found = await found_by(sweep)
    assert {(m.text, m.place, m.thread_ts == m.ts) for m in found} == {
        ("in a channel?", Place.CHANNEL, True),
        ("in a thread?", Place.CHANNEL, False),
        ("in private?", Place.CHANNEL, True),
        ("directly?", Place.DIRECT, True),
        ("and then?", Place.DIRECT, False),
    }
    assert (sweep.finished, sweep.unreadable) == (True, 0)
    assert sweep.conversations == 5
    (reply,) = (m for m in found if m.text == "in a thread?")
    assert (reply.team, reply.user, reply.thread_ts) == (slack.team, "UALICE", root)


async def test_what_bots_wrote_and_what_was_deleted_is_passed_over(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    bot, place = slack.workspace.bot.id, slack.workspace
    root = await slack.say("alice", "general", "@Footnote deleted, with a thread")
    await slack.say("bob", "general", "a reply", root)
    gone = await slack.say("alice", "general", "@Footnote deleted")
    for ts in (root, gone):
        place.delete("CGENERAL", ts)
    other = {"user": "UOTHERBOT", "bot_id": "BOTHER", "text": f"<@{bot}> from a bot"}
    place.post("CGENERAL", other)
    place.post("CGENERAL", other | {"subtype": "bot_message"})
    place.post("CGENERAL", {"user": "UALICE", "subtype": "channel_join", "text": f"<@{bot}>"})
    place.post("CGENERAL", {"user": "UALICE", "text": f"<@{bot}X> is somebody else"})
    place.post("DALICE", {"user": bot, "text": "my own words"})
    assert await said_to_the_bot(sweep_of(client, clock)) == set()


async def test_an_edited_question_is_found_with_its_present_words(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    ts = await slack.say("alice", "general", "@Footnote tpyo?")
    text = f"<@{slack.workspace.bot.id}> typo?"
    slack.workspace.change("CGENERAL", ts, {"text": text}, by="UALICE")
    found = await found_by(sweep_of(client, clock))
    assert [(m.text, m.ts) for m in found] == [("typo?", ts)]


async def test_only_the_window_counts_its_beginning_included(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    await slack.say("alice", "general", "@Footnote before")
    clock.advance(10)
    since = clock()
    root = await slack.say("alice", "general", "@Footnote first")
    await slack.say("alice", "general", "@Footnote inside", root)
    clock.advance(10)
    until = clock()
    await slack.say("alice", "general", "@Footnote reply after", root)
    await slack.say("alice", "general", "@Footnote after")
    found = await said_to_the_bot(sweep_of(client, clock, since=since, until=until))
    assert found == {"first", "inside"}


async def test_a_reply_in_an_older_thread_is_found(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    root = await slack.say("alice", "general", "@Footnote last week?")
    quiet = await slack.say("alice", "general", "@Footnote also last week?")
    await slack.say("bob", "general", "a reply of last week", quiet)
    clock.advance(6 * DAY)
    await slack.say("bob", "general", "@Footnote and now?", root)
    assert await said_to_the_bot(sweep_of(client, clock)) == {"and now?"}
    threads = [c.arguments["ts"] for c in slack.calls if c.method == "conversations.replies"]
    assert threads == [root], "a thread without anything new is not read"


async def test_a_thread_in_which_only_the_bot_replied_costs_no_call(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    ts = await slack.say("alice", "general", "@Footnote?")
    await client.chat_postMessage(channel="CGENERAL", thread_ts=ts, text="an answer")
    assert len(await found_by(sweep_of(client, clock))) == 1
    assert "conversations.replies" not in {call.method for call in slack.calls}


async def test_a_reply_that_was_also_sent_to_the_channel_is_found_once(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    root = await slack.say("bob", "general", "hm")
    text = f"<@{slack.workspace.bot.id}> loud?"
    loud = {"user": "UALICE", "text": text, "subtype": "thread_broadcast"}
    slack.workspace.post("CGENERAL", loud, thread_ts=root)
    found = await found_by(sweep_of(client, clock))
    assert [(m.text, m.thread_ts) for m in found] == [("loud?", root)]


async def test_conversations_that_are_shared_or_archived_are_left_out(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    members = ["UALICE", slack.workspace.bot.id]
    for name, more in (("shared", {"shared": True}), ("archived", {"archived": True})):
        room = Conversation(f"C{name.upper()}", name, "channel", list(members), **more)
        slack.workspace.add_conversation(room)
        await slack.say("alice", name, "@Footnote hello?")
    slack.workspace.add_user(User("UGONE", "gone", "Gone Away", deleted=True))
    await slack.say("gone", "dm", "hello?")
    assert await said_to_the_bot(sweep_of(client, clock)) == set()


async def test_a_person_of_another_company_is_not_answered(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    text = f"<@{slack.workspace.bot.id}> let me in"
    slack.workspace.post("CGENERAL", {"user": "UALICE", "user_team": "TELSEWHERE", "text": text})
    assert await said_to_the_bot(sweep_of(client, clock)) == set()


async def test_long_conversations_are_read_to_the_beginning_of_the_window(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    await slack.say("alice", "general", "@Footnote long ago?")
    clock.advance(2 * 3600)
    await slack.say("alice", "general", "@Footnote first?")
    root = await slack.say("bob", "general", "a long thread")
    for number in range(450):
        slack.workspace.post("CGENERAL", {"user": "UBOB", "text": f"noise {number}"})
        slack.workspace.post("CGENERAL", {"user": "UBOB", "text": "more"}, thread_ts=root)
    await slack.say("alice", "general", "@Footnote last in the thread?", root)
    sweep = sweep_of(client, clock)
    assert await said_to_the_bot(sweep) == {"first?", "last in the thread?"}
    assert sweep.finished


async def test_what_precedes_the_window_is_read_two_pages_deep(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    for _ in range(1_000):
        slack.workspace.post("CGENERAL", {"user": "UBOB", "text": "noise"})
    clock.advance(2 * 3600)
    await slack.say("alice", "general", "@Footnote?")
    sweep = sweep_of(client, clock)
    assert len(await found_by(sweep)) == 1
    pages = [
        call
        for call in slack.calls
        if (call.method, call.arguments.get("channel")) == ("conversations.history", "CGENERAL")
    ]
    assert (len(pages), sweep.finished) == (2, True)


async def test_a_sweep_whose_calls_are_spent_goes_on_at_its_bookmark_and_skips_nothing(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    asked = set()
    for number in range(30):
        root = await slack.say("bob", "general", f"thread {number}")
        await slack.say("alice", "general", f"@Footnote question {number}?", root)
        asked.add(f"question {number}?")
    window = {"since": clock() - 3600, "until": clock() + 1}
    found: list[str] = []
    bookmark, runs, finished = Bookmark(), 0, False
    while not finished and runs < 20:
        clock.advance(60)
        sweep = sweep_of(client, clock, **window, start=bookmark, calls=12)
        found += [mention.text for mention in await found_by(sweep)]
        bookmark, finished, runs = sweep.bookmark, sweep.finished, runs + 1
    assert sorted(found) == sorted(asked)
    assert runs == 4


async def test_a_bookmark_stays_before_a_question_that_was_not_dealt_with(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    for text in ("one?", "two?", "three?"):
        await slack.say("alice", "dm", text)
    sweep = sweep_of(client, clock)
    mentions = sweep.mentions()
    assert (await anext(mentions)).text == "three?"
    assert (await anext(mentions)).text == "two?"
    await mentions.aclose()
    again = sweep_of(client, clock, start=sweep.bookmark)
    assert [mention.text for mention in await found_by(again)] == ["two?", "one?"]


async def test_a_sweep_rests_when_slack_asks_to_wait_twice(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    await slack.say("alice", "general", "@Footnote one?")
    await slack.say("alice", "people-team", "@Footnote two?")
    slack.fail_next("conversations.history", delay=0.01)
    slack.fail_next("conversations.history", "ratelimited", retry_after=0, times=2)
    sweep = sweep_of(client, clock)
    first = await said_to_the_bot(sweep)
    assert not sweep.finished
    again = sweep_of(client, clock, start=sweep.bookmark)
    assert first | await said_to_the_bot(again) == {"one?", "two?"}
    assert (first, again.finished) == ({"one?"}, True)


@pytest.mark.parametrize("method", ["auth.test", "users.conversations", "conversations.history"])
async def test_a_slack_that_is_down_ends_the_sweep_unfinished(
    slack: Playground, client: SlackClient, clock: ManualClock, method: str
) -> None:
    await slack.say("alice", "general", "@Footnote?")
    slack.fail_next(method, status=503)
    sweep = sweep_of(client, clock)
    assert await found_by(sweep) == []
    assert not sweep.finished


async def test_a_sweep_without_time_begins_no_call(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    sweep = sweep_of(client, clock, clock=clock)
    clock.advance(61)
    assert await found_by(sweep) == []
    assert (sweep.finished, slack.calls) == (False, [])


async def test_threads_are_read_with_pauses_between(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    for text in ("one", "two", "three"):
        root = await slack.say("alice", "general", text)
        await slack.say("bob", "general", "a reply", root)
    await found_by(sweep_of(client, clock, pause=pause))
    assert pauses == [2.0, 2.0]


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found", "missing_scope"])
async def test_a_conversation_that_slack_refuses_does_not_hide_the_others(
    slack: Playground, client: SlackClient, clock: ManualClock, error: str
) -> None:
    await slack.say("alice", "general", "@Footnote one?")
    await slack.say("alice", "help", "@Footnote two?")
    slack.fail_next("conversations.history", error)
    sweep = sweep_of(client, clock)
    assert await said_to_the_bot(sweep) == {"two?"}
    assert (sweep.finished, sweep.unreadable) == (True, 1)


@pytest.mark.parametrize(
    ("error", "unreadable"), [("thread_not_found", 0), ("invalid_arguments", 1)]
)
async def test_a_thread_that_slack_refuses_does_not_hide_the_rest(
    slack: Playground, client: SlackClient, clock: ManualClock, error: str, unreadable: int
) -> None:
    await slack.say("alice", "general", "@Footnote one?")
    root = await slack.say("alice", "general", "@Footnote two?")
    await slack.say("bob", "general", "a reply", root)
    slack.fail_next("conversations.replies", error)
    sweep = sweep_of(client, clock)
    assert await said_to_the_bot(sweep) == {"one?", "two?"}
    assert (sweep.finished, sweep.unreadable) == (True, unreadable)


async def test_a_bot_that_may_not_list_its_conversations_says_what_to_do(
    slack: Playground, client: SlackClient, clock: ManualClock
) -> None:
    slack.fail_next("users.conversations", "missing_scope")
    with pytest.raises(ConversationUnreadable, match="Install the app again"):
        await found_by(sweep_of(client, clock))


def test_a_sweep_has_calls_enough_for_one_thread(client: SlackClient, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="12"):
        sweep_of(client, clock, calls=11)


ODD: list[Any] = [None, 5, "text", [], {}, {"ts": 5}, {"ts": "now"}, {"ts": "١.٢"}, {"ts": None}]
ODD_FIELDS = [
    {"latest_reply": 7, "reply_count": "many"},
    {"latest_reply": "1.1", "reply_users": [{}, []], "reply_users_count": 2},
    {"reply_users": "U1", "thread_ts": 3},
    {"user": ["U1"], "text": {"a": 1}},
    {"type": 4, "subtype": ["x"]},
    {"text": None, "bot_id": {}},
]


async def test_rows_of_any_shape_stop_nothing(clock: ManualClock) -> None:
    good = {"type": "message", "user": "U1", "text": "a question?"}
    now = clock()
    messages = [
        *ODD,
        *({**good, **odd, "ts": f"{now + n:.6f}"} for n, odd in enumerate(ODD_FIELDS)),
        {**good, "ts": f"{now + 50:.6f}"},
    ]
    channels = [*ODD, {"id": 7}, {"id": "D 1"}, {"id": "D1"}, {"id": "", "is_ext_shared": []}]
    answers: dict[str, dict[str, Any]] = {
        "auth.test": {"team_id": "T1", "user_id": "UBOT", "enterprise_id": 5},
        "users.conversations": {"channels": channels, "response_metadata": "no"},
        "conversations.history": {"messages": messages, "response_metadata": {"next_cursor": 4}},
        "conversations.replies": {"messages": "none"},
    }

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"ok": True, **answers[request.match_info["method"]]})

    app = web.Application()
    app.router.add_route("*", "/api/{method}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        odd_client = make_client(TOKEN, f"http://127.0.0.1:{port}/api/")
        sweep = sweep_of(odd_client, clock, until=now + 100)
        found = await found_by(sweep)
    finally:
        await runner.cleanup()
    assert found[0].text == "a question?"
    assert sweep.finished
