"""post_message and set_reminder in a local Slack."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import pytest

from bot.conversation import Place
from handlers.tools.builtin.messages import LONGEST_TEXT, content
from handlers.tools.builtin.post_message import PostMessage
from handlers.tools.builtin.set_reminder import SetReminder
from handlers.tools.errors import BadArguments, ToolRefused, ToolUnavailable
from tests.handlers.tools.builtin.conftest import NOW, Office, call, context

TOMORROW = "2027-01-16T09:00+01:00"
"""NOW is 15 January 2027, 8:00 UTC."""


async def test_a_message_is_posted_where_it_was_meant_and_can_be_taken_back(
    office: Office,
) -> None:
    tool = PostMessage(office.client, clock=lambda: NOW)
    done = await call(tool, context(), channel="#general", text="**Done**: all is well.")
    [message] = office.said("CGENERAL")
    [block] = message["blocks"]
    assert (block["type"], block["text"]) == ("markdown", "**Done**: all is well.")
    assert done.url == f"{office.slack.url}archives/CGENERAL/p{message['ts'].replace('.', '')}"
    assert done.undo == {"channel": "CGENERAL", "ts": message["ts"]}
    for _ in range(2):
        assert "deleted" in (await tool.undo(done.undo, context())).text
    assert office.said("CGENERAL") == []


async def test_this_thread_is_the_thread_that_was_asked_in(office: Office) -> None:
    root = office.say("CGENERAL", "UALICE", "please tell us")
    tool = PostMessage(office.client, clock=lambda: NOW)
    about = context(thread_ts=root)
    await call(tool, about, channel="this thread", text="Told.")
    [message] = office.said("CGENERAL")
    assert message["thread_ts"] == root


@pytest.mark.parametrize("where", ["#general", "this thread"])
async def test_the_same_call_posts_once_however_often_it_is_tried(
    office: Office, where: str
) -> None:
    root = office.say("CGENERAL", "UALICE", "please tell us")
    tool = PostMessage(office.client, clock=lambda: NOW)
    office.slack.fail_next("chat.postMessage", after=True, cut=True)
    with pytest.raises(ToolUnavailable):
        await call(tool, context(thread_ts=root), channel=where, text="Once.")
    again = await call(tool, context(thread_ts=root), channel=where, text="Once.")
    third = await call(tool, context(thread_ts=root), channel=where, text="Once.")
    [message] = office.said("CGENERAL")
    assert again.undo == third.undo == {"channel": "CGENERAL", "ts": message["ts"]}
    await call(tool, context(thread_ts=root, call="another"), channel=where, text="Once.")
    assert len(office.said("CGENERAL")) == 2


async def test_a_forged_mark_of_a_person_does_not_keep_the_message_back(office: Office) -> None:
    tool = PostMessage(office.client, clock=lambda: NOW)
    await call(tool, context(), channel="general", text="First.")
    [own] = office.said("CGENERAL")
    office.slack.workspace.post("CGENERAL", {"user": "UBOB", "metadata": own["metadata"]})
    office.slack.workspace.delete("CGENERAL", own["ts"])
    await call(tool, context(), channel="general", text="First.")
    assert len(office.said("CGENERAL")) == 1


EVIL = (
    "<!channel> <@UBOB> @here @everyone [pay](https://evil.example/?q=1) https://evil.example"
    " ![x](https://evil.example/x.png) evil.example/leak `code <@UBOB>`"
)


async def test_nothing_in_a_posted_text_mentions_links_or_unfolds(office: Office) -> None:
    await call(PostMessage(office.client), context(), channel="general", text=EVIL)
    await call(
        SetReminder(office.client, clock=lambda: NOW),
        context(),
        channel="general",
        at=TOMORROW,
        text=EVIL,
    )
    for method in ("chat.postMessage", "chat.scheduleMessage"):
        [sent] = office.called(method)
        assert str(sent["unfurl_links"]).lower() in ("false", "0")
        assert str(sent["unfurl_media"]).lower() in ("false", "0")
        shown = f"{sent['text']} {sent['blocks']}"
        for live in ("<@", "<!", "](", "![x]", "@here", "@everyone"):
            assert live not in shown.replace(sent["text"], ""), live
        assert "<" not in sent["text"]
        assert "`https://evil.example`" in shown


async def test_a_text_of_invisible_characters_is_for_the_model_to_mend(office: Office) -> None:
    with pytest.raises(BadArguments, match="nothing that anybody could read"):
        await call(PostMessage(office.client), context(), channel="general", text="\u202e\u2066")
    assert not office.called("chat.postMessage")


def test_the_longest_text_stays_within_slacks_limit() -> None:
    [block] = content("&" * LONGEST_TEXT)["blocks"]
    assert len(block["text"]) <= 12_000


@pytest.mark.parametrize(
    ("where", "user"),
    [
        ("#secret", "UBOB"),  # a private channel that the asker is not in
        ("GSECRET", "UBOB"),
        ("#nowhere", "UALICE"),
        ("#partners", "UALICE"),  # shared with another company
        ("#foreign", "UALICE"),  # the bot is not in it
    ],
)
async def test_a_place_where_the_asker_or_the_bot_has_no_business_is_refused(
    office: Office, where: str, user: str
) -> None:
    office.add("GSECRET", "private", "UALICE")
    office.slack.workspace.conversations["GSECRET"].name = "secret"
    office.add("CPARTNERS", "channel", "UALICE", shared=True)
    office.slack.workspace.conversations["CPARTNERS"].name = "partners"
    office.add("CFOREIGN", "channel", "UALICE")
    office.slack.workspace.conversations["CFOREIGN"].name = "foreign"
    office.slack.workspace.conversations["CFOREIGN"].members = ["UALICE"]
    for tool, more in (
        (PostMessage(office.client), {}),
        (SetReminder(office.client, clock=lambda: NOW), {"at": TOMORROW}),
    ):
        with pytest.raises(ToolRefused):
            await call(tool, context(user=user), channel=where, text="Hello", **more)
    assert not office.called("chat.postMessage") and not office.called("chat.scheduleMessage")


async def test_a_reminder_waits_once_and_can_be_taken_back(office: Office) -> None:
    tool = SetReminder(office.client, clock=lambda: NOW)
    office.slack.fail_next("chat.scheduleMessage", after=True, cut=True)
    about = {"channel": "#general", "at": TOMORROW, "text": "Stand-up & <coffee>"}
    with pytest.raises(ToolUnavailable):
        await call(tool, context(), **about)
    done = await call(tool, context(), **about)
    [planned] = office.slack.workspace.scheduled.values()
    assert planned["post_at"] == 1_800_086_400
    assert done.undo == {"channel": "CGENERAL", "scheduled": planned["id"]}
    await tool.undo(done.undo, context())
    assert not office.slack.workspace.scheduled
    with pytest.raises(ToolRefused, match="sent already, or was deleted"):
        await tool.undo(done.undo, context())


async def test_a_reminder_is_posted_when_its_time_has_come(office: Office) -> None:
    root = office.say("CGENERAL", "UALICE", "remind us")
    tool = SetReminder(office.client, clock=lambda: NOW)
    at = "2027-01-15T08:00:01Z"
    await call(tool, context(thread_ts=root), channel="this thread", at=at, text="Now.")
    posted: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    office.slack.workspace.subscribe(lambda change: posted.put_nowait(change.message))
    async with asyncio.timeout(10):
        message = await posted.get()
    assert (message["text"], message["thread_ts"]) == ("Now.", root)


@pytest.mark.parametrize(
    "at", ["2027-01-15T07:59Z", "2027-02-30T09:00Z", "2027-05-16T09:00Z", "2027-01-16T25:00Z"]
)
async def test_a_moment_that_slack_cannot_take_is_for_the_model_to_mend(
    office: Office, at: str
) -> None:
    tool = SetReminder(office.client, clock=lambda: NOW)
    with pytest.raises(BadArguments):
        await call(tool, context(), channel="general", at=at, text="x")
    assert not office.slack.calls


@pytest.mark.parametrize("undo", [{}, {"channel": 1, "ts": "1.1"}, {"scheduled": "Q1"}])
async def test_an_undo_without_its_facts_is_refused(
    office: Office, undo: dict[str, object]
) -> None:
    for tool in (PostMessage(office.client), SetReminder(office.client)):
        with pytest.raises(ToolRefused):
            await tool.undo(undo, context())
    assert not office.slack.calls


async def test_what_slack_does_not_answer_in_time_is_unavailable(office: Office) -> None:
    office.slack.fail_next("users.conversations", delay=5)
    with pytest.raises(ToolUnavailable):
        await call(PostMessage(office.client), context(seconds=0.2), channel="general", text="x")


async def test_in_direct_messages_this_thread_is_there(office: Office) -> None:
    tool = PostMessage(office.client, clock=lambda: NOW)
    root = office.say("DALICE", "UALICE", "note this")
    about = context("DALICE", thread_ts=root, place=Place.DIRECT)
    await call(tool, about, channel="this thread", text="Noted.")
    [message] = office.said("DALICE")
    assert message["thread_ts"] == root


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_slack_loses_each_call_posts_one_message(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    tool = PostMessage(office.client, clock=lambda: NOW)
    methods = ("chat.postMessage", "conversations.history", "users.conversations")
    for name in ("c1", "c2", "c3"):
        for method in methods:
            for _ in range(chance.randint(0, 2)):
                after, cut = chance.random() < 0.5, chance.random() < 0.5
                office.slack.fail_next(method, "internal_error", after=after, cut=cut)
        for _ in range(20):
            with suppress(ToolUnavailable):
                await call(tool, context(call=name), channel="general", text=f"I am {name}.")
                break
    said = [one["blocks"][0]["text"] for one in office.said("CGENERAL")]
    assert said == ["I am c1.", "I am c2.", "I am c3."]
