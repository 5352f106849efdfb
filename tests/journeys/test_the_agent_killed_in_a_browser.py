"""The journey of the agent in a browser, with its process ended by SIGKILL at each step.

`footnote serve` dies at one moment of the journey and is started again on the same files. Whatever
that moment was: one issue at most was ever opened, with exactly what was approved, and the thread
says once what came of it.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from bot import agent_messages as messages
from bot.playground.server import Playground
from handlers.adapters.sqlite_audit import SqliteAudit
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.runtime.demo import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from handlers.tools.audit import AuditEntry, AuditEvent
from handlers.work.deliveries import DELIVERIES, LEASE_SECONDS
from tests.doubles.agent_page import opened_page
from tests.doubles.github import GitHub, Repository
from tests.doubles.scripted_agent import ScriptedAgent
from tests.doubles.sudden_deaths import (
    Death,
    Gesture,
    Office,
    at_once,
    github_holds,
    model_thinks,
    once_asked,
    slack_holds,
    waits_for_a_person,
)
from tests.journeys.test_the_agent_in_a_browser import (
    CONCLUSION,
    MENDED,
    PROPOSED,
    REPOSITORY,
    REQUEST,
    researcher,
    settings_of,
)

PATIENCE = float(os.environ.get("AGENT_PATIENCE", "90"))
"""Seconds; what a dead process had in hand comes back 15 s after its death."""

TITLE = "Open github issue"
READ, OPENED = 3, 4
"""How many results the model has read when it proposes the issue, and when it concludes."""

POST, DRAW, SESSION = "chat.postMessage", "chat.update", "agents.sessions.setStatus"
ASKS, SEES, OPENS, SUBMITS = Gesture

NOBODY_HEARD = Death(
    "the issue is open and nobody heard", SUBMITS, github_holds("POST", after=True), opened=1
)
DEATHS = (
    Death("the event was accepted", ASKS, slack_holds(SESSION)),
    Death("the model is asked first", ASKS, model_thinks(0)),
    Death("the model has read", ASKS, model_thinks(READ)),
    Death("the card is posted", ASKS, once_asked(READ, slack_holds(POST))),
    Death("the card stands", ASKS, once_asked(READ, slack_holds(POST, after=True))),
    Death(
        "the card stands and somebody decides at once",
        ASKS,
        once_asked(READ, slack_holds(POST, after=True)),
        hurried=True,
    ),
    Death("it waits for a person", SEES, waits_for_a_person),
    Death("the dialog is open", OPENS, at_once),
    Death("the submission was taken", SUBMITS, slack_holds(DRAW, times=9)),
    Death("the issues are listed", SUBMITS, github_holds("GET"), unknown=True),
    Death("the request has arrived", SUBMITS, github_holds("POST"), unknown=True),
    NOBODY_HEARD,
    Death("the link is posted", SUBMITS, slack_holds(POST), opened=1),
    Death("the link stands", SUBMITS, slack_holds(POST, after=True), opened=1),
    Death("the model concludes", SUBMITS, model_thinks(OPENED), opened=1),
    Death("the end is posted", SUBMITS, once_asked(OPENED, slack_holds(POST)), opened=1),
    Death("the end stands", SUBMITS, once_asked(OPENED, slack_holds(POST, after=True)), opened=1),
    Death("all was said", SUBMITS, once_asked(OPENED, slack_holds(SESSION)), opened=1),
)


@pytest.fixture
async def office(environment: dict[str, str]) -> AsyncIterator[Office]:
    async with (
        GitHub({REPOSITORY: Repository()}) as github,
        ScriptedAgent(researcher) as model,
        Playground(
            signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN
        ) as slack,
    ):
        settings = {**environment, **settings_of(model, github), "SLACK_API_URL": slack.api_url}
        office = Office(slack, github, model, settings, researcher, PATIENCE)
        await office.begin()
        yield office
        await office.end()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "death",
    [
        # Each costs half a minute, which only a soak has for all of them.
        pytest.param(one, id=one.name, marks=() if one is NOBODY_HEARD else pytest.mark.soak)
        for one in DEATHS
    ],
)
async def test_whenever_the_process_dies_one_issue_is_opened_and_said_once(
    office: Office, environment: dict[str, str], death: Death
) -> None:
    home = Path(environment["FOOTNOTE_HOME"])
    async with opened_page(office.slack.url, patience=PATIENCE * 1000) as page:
        await death.after(ASKS, page.ask(REQUEST), office)
        if not death.hurried:
            await office.slack.wait_until(waits_for_a_person(office), PATIENCE)
        await death.after(SEES, page.sees_card(PROPOSED["title"]), office)
        await page.become("bob")
        await death.after(OPENS, page.open_dialog(), office)
        await death.after(SUBMITS, page.submit(MENDED), office)
        await page.leave_dialog()
        await page.sees("Approved by @Bob")
        await page.sees(CONCLUSION)
        await quiet(home)
        link = f"{office.github.url}/{REPOSITORY}/issues/1"
        if not death.unknown:
            await page.sees_link(link)
        await expect(page.page.get_by_test_id("status")).to_be_empty()
        await expect(page.thread.locator('[data-state="streaming"]')).to_have_count(0)
        assert page.wrong == []
    assert office.opened == death.opened
    check_thread(office, death, link)
    check_issue(office, death)
    check_log([entry async for entry in logged(home)], death, link)


async def busy(queue: SqliteQueue) -> bool:
    """Tell whether there is a job that waits, or that somebody works on."""
    counts = await queue.counts()
    return bool(counts.waiting or counts.held)


async def quiet(home: Path) -> None:
    """Wait until nobody has anything to do any more."""
    queue = SqliteQueue(
        home / "agents.sqlite", lease_seconds=LEASE_SECONDS, max_attempts=DELIVERIES
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while await busy(queue):  # noqa: ASYNC110 - another process cannot set an event
                await asyncio.sleep(0.2)
    finally:
        await queue.close()


def check_thread(office: Office, death: Death, link: str) -> None:
    """Assert that the thread says everything once, and nothing in it goes on."""
    root = office.slack.messages("general")[-1]["ts"]
    said = office.slack.messages("general", root)[1:]
    assert office.slack.status("general", root).session == "active"
    assert not [m for m in said if m.get("streaming_state") == "in_progress"]
    texts = [str(m["text"]) for m in said]
    kinds = [{block["type"] for block in m["blocks"]} for m in said]
    assert sum("plan" in kind for kind in kinds) == 1, texts
    tasks = [b["tasks"] for m in said for b in m["blocks"] if b["type"] == "plan"]
    assert not {t["status"] for t in tasks[0]} & {"pending", "in_progress"}, tasks
    cards = [m for m in said if any(b.get("type") == "header" for b in m["blocks"])]
    assert len(cards) == 1, texts
    assert MENDED["title"] in json.dumps(cards) and PROPOSED["title"] not in json.dumps(cards)
    assert sum(CONCLUSION in text for text in texts) == 1, texts
    assert (messages.done(TITLE, link) in texts) is not death.unknown, texts
    assert (messages.unknown(TITLE) in texts) is death.unknown, texts
    # The plan, the card, what became of it, the conclusion: nothing twice, nothing else.
    assert len(said) == 4, texts


def check_issue(office: Office, death: Death) -> None:
    """Assert that GitHub was asked once at most to open an issue, for what was approved."""
    issues = office.github.issues(REPOSITORY)
    assert len(issues) == (0 if death.unknown else 1)
    for issue in issues:
        assert issue.title == MENDED["title"]
        assert issue.body.partition("\n\n<!--")[0] == MENDED["body"]
        assert issue.state == "open"


async def logged(home: Path) -> AsyncIterator[AuditEntry]:
    """Yield what the audit log holds."""
    log = SqliteAudit(home / "audit.sqlite")
    now, day = datetime.now(UTC), timedelta(days=1)
    try:
        async for entry in log.read(now - day, now + day):
            yield entry
    finally:
        await log.close()


def check_log(entries: list[AuditEntry], death: Death, link: str) -> None:
    """Assert that the log tells what was approved, and that it ran once, and what came of it."""
    of_issue = [entry for entry in entries if entry.tool == "open_github_issue"]

    def of(event: AuditEvent) -> list[dict[str, Any]]:
        return [dict(entry.details) for entry in of_issue if entry.event is event]

    [approved] = of(AuditEvent.APPROVED)
    [ran] = of(AuditEvent.RAN)
    assert json.loads(ran["arguments"]) == json.loads(approved["arguments"]) == MENDED
    assert [came["url"] for came in of(AuditEvent.RETURNED)] == ([] if death.unknown else [link])
