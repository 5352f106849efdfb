"""The agent as `footnote serve` puts it together: mention, card, click, deed, conclusion."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.agent_messages import ALL_STOPPED
from bot.approval_parts import APPROVE, UNDO
from handlers.runtime.agent_commands import run_agents, run_audit
from handlers.runtime.agent_mode import NO_MODEL, OFF
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn
from tests.journeys.conftest import Office, OpenOffice

SAID = "Tea is at four."


def model_of(server: ScriptedAgent) -> Mapping[str, str]:
    return {
        "FOOTNOTE_AGENT": "ON",
        "OPENAI_MODEL": "scripted",
        "OPENAI_BASE_URL": server.base_url,
        "FOOTNOTE_REWRITE": "off",
    }


def researcher(asked: Asked) -> Turn:
    """Look something up, post it, and conclude."""
    if not asked.tools:
        return Turn("27 days of paid holiday [1].")
    if not asked.results:
        return Turn(calls=[("search_documents", {"query": "days of paid holiday"})])
    if len(asked.results) == 1:
        return Turn(calls=[("post_message", {"channel": "#help", "text": SAID})])
    return Turn("It is posted.")


async def card(office: Office, ts: str) -> dict[str, Any]:
    """Return the button that approves, once the card is in the thread."""
    found: dict[str, Any] = {}

    def there() -> bool:
        for message in office.slack.messages("general", ts):
            for block in message.get("blocks", ()):
                for element in block.get("elements", ()):
                    if element.get("action_id") == APPROVE:
                        found.update({**element, "message": message["ts"]})
        return bool(found)

    await office.slack.wait_until(there)
    return found


def shown(office: Office, channel: str, ts: str = "") -> str:
    found = office.slack.messages(channel, ts) if ts else office.slack.messages(channel)
    return json.dumps(found, ensure_ascii=False)


async def test_what_the_agent_proposes_happens_after_somebody_agreed_and_not_before(
    open_office: OpenOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    async with ScriptedAgent(researcher) as server, open_office(**model_of(server)) as office:
        ts = await office.slack.say("alice", "general", "@Footnote agent: tell #help about tea")
        button = await card(office, ts)
        assert SAID not in shown(office, "help")
        await office.slack.click("bob", "general", button["message"], APPROVE, button["value"])
        await office.slack.wait_until(lambda: SAID in shown(office, "help"))
        await office.slack.wait_until(lambda: UNDO in shown(office, "general", ts))
        settings = office.settings
    capsys.readouterr()
    await run_audit(settings, stage="", region="", since=None, until=None, run="", as_json=True)
    events = [one["event"] for one in json.loads(capsys.readouterr().out)["entries"]]
    told = [event for event in events if event in ("asked", "proposed", "shown", "approved")]
    # Whoever is quick clicks before the worker has noted that the card is shown.
    assert told[:2] == ["asked", "proposed"]
    assert sorted(told[2:]) == ["approved", "shown"]
    assert events.index("approved") < len(events) - events[::-1].index("ran") - 1


async def test_questions_are_answered_while_a_run_is_at_work(open_office: OpenOffice) -> None:
    def slow(asked: Asked) -> Turn:
        return Turn("…", delay=30.0) if asked.tools else Turn("27 days of paid holiday [1].")

    async with ScriptedAgent(slow) as server, open_office(**model_of(server)) as office:
        thread = await office.slack.say("alice", "general", "@Footnote agent: think for long")
        await office.slack.wait_until(lambda: any(asked.tools for asked in server.asked))
        question = "@Footnote How many days of paid holiday do I have?"
        ts = await office.slack.say("alice", "general", question, thread)
        await office.slack.wait_until(lambda: "27 days" in shown(office, "general", thread))
        assert ts


async def test_the_kill_switch_stops_a_run_that_is_at_work(open_office: OpenOffice) -> None:
    def slow(asked: Asked) -> Turn:
        return Turn("…", delay=60.0)

    async with ScriptedAgent(slow) as server, open_office(**model_of(server)) as office:
        ts = await office.slack.say("alice", "general", "@Footnote agent: think for long")
        await office.slack.wait_until(lambda: bool(server.asked))
        await run_agents(office.settings, "stop", stage="", region="", as_json=True)
        await office.slack.wait_until(lambda: server.left_early == 1, 8.0)
        await office.slack.wait_until(lambda: ALL_STOPPED in shown(office, "general", ts))


@pytest.mark.parametrize(("environ", "answer"), [({}, OFF), ({"FOOTNOTE_AGENT": "ON"}, NO_MODEL)])
async def test_where_it_does_not_work_the_thread_is_told_why(
    open_office: OpenOffice, environ: dict[str, str], answer: str
) -> None:
    async with open_office(**environ) as office:
        ts = await office.slack.say("alice", "general", "@Footnote agent: open an issue")
        await office.slack.wait_for_answer("general", ts)
        thread = office.slack.messages("general", ts)
    assert thread[-1]["text"] == answer
    assert len(thread) == 2
