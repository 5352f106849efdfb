"""From a mention to a footnote that opens, through Slack's own protocols."""

import asyncio
import gc
import json
import logging
import sqlite3
from typing import Any

import pytest

from bot import messages
from bot.errors import ConversationUnreadable
from bot.playground.people import User
from bot.wording import GERMAN
from handlers.runtime.laptop import running
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import state_path
from tests.doubles.local_cloud import until
from tests.doubles.scripted_model import ScriptedModel, Streams
from tests.journeys.conftest import Office, OpenOffice

HOLIDAYS = "How many days of paid holiday do I have?"


def shown(found: list[dict[str, Any]]) -> str:
    """Return all that a reader of these messages sees, as one string."""
    return "\n".join(
        message.get("text", "") + json.dumps(message.get("blocks", []), ensure_ascii=False)
        for message in found
    )


def button(message: dict[str, Any]) -> dict[str, Any]:
    """Return the first footnote button of a message."""
    return next(
        block["accessory"]
        for block in message["blocks"]
        if block.get("accessory", {}).get("action_id") == "footnote.open"
    )


def votes(office: Office) -> list[str]:
    """Return the votes that are kept."""
    with sqlite3.connect(state_path(office.settings)) as db:
        rows = db.execute("SELECT value FROM items WHERE key LIKE 'feedback:%'").fetchall()
    db.close()
    return [value for (value,) in rows]


async def test_a_mention_gets_one_footnoted_answer_in_its_thread(open_office: OpenOffice) -> None:
    async with open_office() as office:
        ts = await office.slack.say("alice", "general", f"@Footnote {HOLIDAYS}")
        answer = await office.slack.wait_for_answer("general", ts)
        thread = office.slack.messages("general", ts)
    assert "27 days of paid holiday" in shown(answer)
    assert "[1]" in shown(answer)
    assert len(thread) == 2


async def test_a_footnote_opens_the_exact_quote(open_office: OpenOffice) -> None:
    async with open_office() as office:
        ts = await office.slack.say("alice", "general", f"@Footnote {HOLIDAYS}")
        answer = (await office.slack.wait_for_answer("general", ts))[-1]
        press = button(answer)
        channel = office.slack.channel_id("general")
        await office.slack.click("bob", channel, answer["ts"], press["action_id"], press["value"])
        views = office.slack.views("bob")
    assert len(views) == 1
    assert "27 days of paid holiday" in json.dumps(views[0], ensure_ascii=False)


@pytest.mark.parametrize(
    "question", [HOLIDAYS, "What was our revenue in the third quarter?"], ids=["found", "not found"]
)
async def test_a_reader_says_whether_the_answer_helped_and_only_that_is_kept(
    open_office: OpenOffice, question: str
) -> None:
    async with open_office() as office:
        ts = await office.slack.say("alice", "general", f"@Footnote {question}")
        answer = (await office.slack.wait_for_answer("general", ts))[-1]
        (buttons,) = answer["blocks"][-1]["elements"]
        for chosen in ("positive_button", "negative_button"):
            value = buttons[chosen]["value"]
            await office.slack.click("bob", "general", answer["ts"], buttons["action_id"], value)
    assert [json.loads(row)["helpful"] for row in votes(office)] == [False]


async def test_a_direct_message_is_answered_without_a_mention(open_office: OpenOffice) -> None:
    async with open_office() as office:
        ts = await office.slack.say("alice", "dm", HOLIDAYS)
        dm = office.slack.channel_id("dm", "alice")
        answer = await office.slack.wait_for_answer(dm, ts)
    assert "27 days of paid holiday" in shown(answer)


async def test_the_answer_to_a_slash_command_is_seen_by_its_author_only(
    open_office: OpenOffice,
) -> None:
    async with open_office() as office:
        await office.slack.command("alice", "general", "/ask", HOLIDAYS)
        private = await office.slack.wait_until(
            lambda: [m for m in office.slack.ephemerals("alice") if "27 days" in shown([m])], 30
        )
        assert office.slack.messages("general") == []
        assert office.slack.ephemerals("bob") == []
    assert "[1]" in shown(private)


async def test_what_the_documents_do_not_know_is_not_answered(open_office: OpenOffice) -> None:
    async with open_office() as office:
        ts = await office.slack.say(
            "alice", "general", "@Footnote What was our revenue in the third quarter?"
        )
        answer = shown(await office.slack.wait_for_answer("general", ts))
    assert "could not find" in answer
    assert "nearest" in answer.lower()
    assert "[1]" not in answer


async def test_a_follow_up_is_understood_from_its_thread(open_office: OpenOffice) -> None:
    async with open_office() as office:
        ts = await office.slack.say(
            "alice", "general", "@Footnote How long is parental leave for the other parent?"
        )
        await office.slack.wait_for_answer("general", ts)
        await office.slack.say(
            "alice", "general", "@Footnote How early do I have to announce it?", ts
        )
        answer = await office.slack.wait_for_answer("general", ts)
    assert "eight weeks before the leave begins" in shown(answer)


ANNOUNCED = "How early must the parental leave of the other parent be announced?"


@pytest.mark.parametrize("rewrite", [[ANNOUNCED], ["NOT_", "FOUND"]], ids=["good", "useless"])
async def test_a_follow_up_is_searched_for_as_the_model_rewrites_it(
    open_office: OpenOffice, rewrite: list[str]
) -> None:
    quote = "It must be announced eight weeks before the leave begins. [1]"
    async with (
        ScriptedModel(Streams(["NOT_FOUND"]), Streams(rewrite), Streams([quote])) as model,
        open_office(OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="scripted") as office,
    ):
        asked = "@Footnote How long is parental leave for the other parent?"
        ts = await office.slack.say("alice", "general", asked)
        await office.slack.wait_for_answer("general", ts)
        again = await office.slack.say(
            "alice", "general", "@Footnote How early do I have to announce it?", ts
        )
        await office.slack.wait_until(lambda: len(office.slack.messages("general", ts)) == 4, 60)
        await office.slack.wait_for_answer("general", ts)
        sent = [request.messages[1]["content"] for request in model.requests]
        answer = shown(office.slack.messages("general", ts))
    assert again
    assert "How long is parental leave for the other parent?" in sent[1]
    assert "The question to rewrite" in sent[1]
    assert "How early do I have to announce it?" in sent[2]
    assert ANNOUNCED not in answer
    assert ANNOUNCED not in sent[2]


async def test_no_follow_up_is_rewritten_where_that_is_switched_off(
    open_office: OpenOffice,
) -> None:
    async with (
        ScriptedModel(Streams(["NOT_FOUND"]), Streams(["NOT_FOUND"])) as model,
        open_office(
            OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="scripted", FOOTNOTE_REWRITE="off"
        ) as office,
    ):
        ts = await office.slack.say("alice", "general", f"@Footnote {HOLIDAYS}")
        await office.slack.wait_for_answer("general", ts)
        await office.slack.say("alice", "general", "@Footnote And how many of them expire?", ts)
        await office.slack.wait_until(lambda: len(model.requests) == 2, 60)
        await office.slack.wait_for_answer("general", ts)
    assert "And how many of them expire?" in model.requests[1].messages[1]["content"]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("help?", messages.unclear("")),
        ("Was ist das?", GERMAN.unclear("")),
        ("Wie hoch war unser Umsatz im dritten Quartal?", GERMAN.not_found),
    ],
)
async def test_what_cannot_be_answered_is_said_in_the_language_of_the_question(
    open_office: OpenOffice, question: str, says: str
) -> None:
    async with open_office() as office:
        ts = await office.slack.say("alice", "general", f"@Footnote {question}")
        answer = shown(await office.slack.wait_for_answer("general", ts))
    assert says in answer
    assert "[1]" not in answer


async def test_a_filter_of_the_question_is_named_below_the_answer(open_office: OpenOffice) -> None:
    async with open_office() as office:
        ts = await office.slack.say(
            "alice", "general", "@Footnote How many days of paid holiday? since:2001-01-01"
        )
        answer = shown(await office.slack.wait_for_answer("general", ts))
    assert "The search was limited: only pages updated since 2001-01-01." in answer


async def test_the_whole_path_works_over_socket_mode(open_office: OpenOffice) -> None:
    async with open_office(SLACK_APP_TOKEN="xapp-playground") as office:
        assert office.events_url == ""
        ts = await office.slack.say("alice", "general", f"@Footnote {HOLIDAYS}")
        answer = await office.slack.wait_for_answer("general", ts)
    assert "27 days of paid holiday" in shown(answer)


async def test_a_refused_app_token_ends_it_with_a_sentence(
    open_office: OpenOffice,
) -> None:
    with pytest.raises(ConversationUnreadable, match="Check SLACK_APP_TOKEN"):
        async with open_office(SLACK_APP_TOKEN="xapp-wrong"):
            pytest.fail("it is connected")


async def test_slack_that_is_away_is_waited_for_without_stack_traces(
    environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = {"SLACK_API_URL": "http://127.0.0.1:9/api/", "SLACK_APP_TOKEN": "xapp-playground"}

    async def serve() -> None:
        async with running(Settings.load(environment | nowhere)):
            pytest.fail("it is connected")

    serving = asyncio.create_task(serve())
    await until(lambda: any(one.levelno >= logging.ERROR for one in caplog.records), 40)
    serving.cancel()
    await asyncio.wait([serving])
    gc.collect()
    assert serving.cancelled()
    assert "Slack cannot be reached yet" in caplog.text
    assert "Traceback" not in caplog.text
    assert "Unclosed" not in caplog.text


@pytest.mark.parametrize("kind", ["guest", "stranger"])
async def test_whoever_is_no_full_member_gets_no_words_of_the_documents(
    open_office: OpenOffice, kind: str
) -> None:
    async with open_office() as office:
        office.slack.workspace.add_user(
            User(
                "UVISITOR", "visitor", "A Visitor", guest=kind == "guest", stranger=kind != "guest"
            )
        )
        ts = await office.slack.say("visitor", "dm", HOLIDAYS)
        dm = office.slack.channel_id("dm", "visitor")
        answer = shown(await office.slack.wait_for_answer(dm, ts))
    assert messages.MEMBERS_ONLY in answer
    assert "27 days" not in answer
