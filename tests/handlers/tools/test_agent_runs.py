"""A run of the agent in a local Slack: it looks up, asks, acts once, and says what it found."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import agent_messages as messages
from bot.client import make_client
from bot.conversation import Ending
from bot.proposals import Verb
from handlers.answering.errors import ModelUnavailable
from handlers.answering.worker import Handled
from handlers.tools.errors import ToolRefused, ToolUnavailable
from handlers.tools.ports import Effect, Tool
from handlers.tools.runs import Phase
from handlers.tools.waiting import expire_runs
from handlers.tools.worker import run_key
from handlers.work.deliveries import TRIES
from handlers.work.outcomes import read
from handlers.work.seal import Seal
from tests.doubles.agent_office import (
    TOKEN,
    AgentOffice,
    CountingTool,
    opened_office,
    worker_of,
)
from tests.doubles.clocks import ManualClock
from tests.doubles.scripted_agent import Asked, Decide, ScriptedAgent, Turn

KEPT = "Backups are kept for 35 days."


def looks_up(asked: Asked) -> Turn:
    if not asked.results:
        return Turn(calls=[("search", {"query": "backups"})])
    return Turn(f"{KEPT} [1]")


def opens_an_issue(asked: Asked) -> Turn:
    """Look something up, then act on it, then say what was found."""
    if not asked.results:
        return Turn(calls=[("search", {"query": "backups"})])
    if len(asked.results) == 1:
        return Turn(calls=[("open_issue", {"query": "Backups"})])
    return Turn(f"{KEPT} [1]")


@asynccontextmanager
async def office(
    folder: Path, decide: Decide, *tools: Tool, **more: Any
) -> AsyncIterator[AgentOffice]:
    async with (
        ScriptedAgent(decide) as model,
        opened_office(folder, model.base_url, tools, **more) as opened,
    ):
        yield opened


def issue_tool(**more: Any) -> CountingTool:
    return CountingTool(
        "open_issue",
        Effect.WRITE,
        says=lambda arguments: "Issue 7 was opened.",
        url="https://github.example/issues/7",
        **more,
    )


async def test_a_run_looks_up_and_says_what_it_found_with_footnotes(tmp_path: Path) -> None:
    search = CountingTool("search")
    async with office(tmp_path, looks_up, search) as at:
        job = await at.ask("How long are backups kept?")
        assert isinstance(await at.worker.handle(job), Handled)
        run = await at.run(job)
        said = at.said(job)
        outcome = await read(at.store, run_key(job.run))
    assert [arguments for _, arguments in search.ran] == [{"query": "backups"}]
    assert run.phase is Phase.ENDED
    assert said[-1] == f"{KEPT} [1]"
    assert len(said) == 2  # the plan, and the answer
    assert outcome is not None
    assert outcome.ending is Ending.ANSWERED


async def test_a_finished_job_that_comes_again_says_nothing_more(tmp_path: Path) -> None:
    async with office(tmp_path, looks_up, CountingTool("search")) as at:
        job = await at.ask("How long are backups kept?")
        await at.worker.handle(job)
        before = at.said(job)
        await at.worker.handle(job)
        await at.worker.handle(at.job(job.ts, step="decided:late"))
        assert at.said(job) == before


async def test_a_write_waits_for_a_human_and_then_runs_once(tmp_path: Path) -> None:
    search, issue = CountingTool("search"), issue_tool()
    async with office(tmp_path, opens_an_issue, search, issue) as at:
        job = await at.ask("Open an issue about backups")
        await at.worker.handle(job)
        assert issue.ran == []
        session = at.slack.status("general", job.ts)
        going_on = await at.decide(job)
        await at.worker.handle(going_on)
        await at.worker.handle(going_on)
        said = at.said(job)
        run = await at.run(job)
    assert "suspended" in str(session)
    assert [arguments for _, arguments in issue.ran] == [{"query": "Backups"}]
    assert messages.done("Open issue", issue.url) in said
    assert said[-1] == f"{KEPT} [1]"
    assert run.phase is Phase.ENDED
    assert at.audit.events == [
        *("asked", "returned", "proposed", "shown", "ran", "returned", "ended"),
    ]


async def test_a_rejected_write_does_not_run_and_the_model_is_told(tmp_path: Path) -> None:
    issue = issue_tool()
    async with office(tmp_path, opens_an_issue, CountingTool("search"), issue) as at:
        job = await at.ask("Open an issue about backups")
        await at.worker.handle(job)
        await at.worker.handle(await at.decide(job, Verb.REJECT))
        said = at.said(job)
    assert issue.ran == []
    assert said[-1] == f"{KEPT} [1]"


async def test_a_write_that_nobody_decides_about_expires(tmp_path: Path) -> None:
    clock, issue = ManualClock(), issue_tool()
    tools = (CountingTool("search"), issue)
    async with office(tmp_path, opens_an_issue, *tools, clock=clock) as at:
        job = await at.ask("Open an issue about backups")
        delivery = await at.queue.receive()
        assert delivery is not None
        await at.worker.handle(delivery.job)  # type: ignore[arg-type]
        await delivery.done()
        assert await expire_runs(at.store, at.queue, clock=clock) == 0
        clock.advance(at.parts.approval_seconds + 60)
        assert await expire_runs(at.store, at.queue, clock=clock) == 1
        delivery = await at.queue.receive()
        assert delivery is not None
        await at.worker.handle(delivery.job)  # type: ignore[arg-type]
        said = at.said(job)
        assert await expire_runs(at.store, at.queue, clock=clock) == 0
    assert issue.ran == []
    assert messages.expired("Open issue") in said
    assert said[-1] == f"{KEPT} [1]"


async def test_edited_arguments_are_what_runs(tmp_path: Path) -> None:
    issue = issue_tool()
    async with office(tmp_path, opens_an_issue, CountingTool("search"), issue) as at:
        job = await at.ask("Open an issue about backups")
        await at.worker.handle(job)
        await at.worker.handle(await at.decide(job, arguments='{"query": "Restores"}'))
    assert [arguments for _, arguments in issue.ran] == [{"query": "Restores"}]


async def test_what_a_tool_cannot_do_is_told_to_the_model_in_words(tmp_path: Path) -> None:
    heard: list[str] = []

    def decide(asked: Asked) -> Turn:
        heard[:] = asked.results
        if len(asked.results) < 4:
            return Turn(
                calls=[
                    ("search", {"query": "a"}),
                    ("search", {"wrong": 1}),
                    ("search", "not json"),
                    ("nothing", {}),
                ]
            )
        return Turn("NOT_FOUND")

    search = CountingTool("search", troubles=[ToolRefused("There is no such page.")])
    async with office(tmp_path, decide, search) as at:
        job = await at.ask("Find it")
        await at.worker.handle(job)
        said = at.said(job)
    assert "There is no such page." in heard[0]
    assert "wrong" in heard[1] or "query" in heard[1]
    assert "JSON" in heard[2]
    assert "There is no tool of that name. The tools are: search." in heard[3]
    assert said[-1] == "I could not find this in the documents."


async def test_a_write_whose_end_is_unclear_is_said_to_be_so_and_not_run_again(
    tmp_path: Path,
) -> None:
    issue = issue_tool(troubles=[ToolUnavailable("GitHub did not answer.")])
    async with office(tmp_path, opens_an_issue, CountingTool("search"), issue) as at:
        job = await at.ask("Open an issue about backups")
        await at.worker.handle(job)
        await at.worker.handle(await at.decide(job))
        said = at.said(job)
    assert len(issue.ran) == 1
    assert messages.unknown("Open issue") in said


async def test_several_writes_of_a_turn_are_one_proposal(tmp_path: Path) -> None:
    def decide(asked: Asked) -> Turn:
        if not asked.results:
            return Turn(calls=[("open_issue", {"query": q}) for q in ("one", "two")])
        return Turn("Issue 7 was opened. [1]")

    issue = issue_tool()
    async with office(tmp_path, decide, issue) as at:
        job = await at.ask("Open two issues")
        await at.worker.handle(job)
        assert len((await at.waiting(job)).calls) == 2
        await at.worker.handle(await at.decide(job))
        said = at.said(job)
    assert [arguments for _, arguments in issue.ran] == [{"query": "one"}, {"query": "two"}]
    assert len({call for call, _ in issue.ran}) == 2
    assert said[-1] == "Issue 7 was opened. [1]"


async def test_what_was_done_can_be_taken_back_once(tmp_path: Path) -> None:
    issue = issue_tool(undo_with={"number": 7})
    async with office(tmp_path, opens_an_issue, CountingTool("search"), issue) as at:
        job = await at.ask("Open an issue about backups")
        await at.worker.handle(job)
        await at.worker.handle(await at.decide(job))
        run = await at.run(job)
        undone = at.job(job.ts, step=f"undo:{run.calls[1].id}")
        await at.worker.handle(undone)
        await at.worker.handle(at.job(job.ts, step=f"undo:{run.calls[1].id}"))
        said = at.said(job)
    assert issue.undone == [{"number": 7}]
    assert said[-1] == messages.undone("Open issue")


@pytest.mark.parametrize(
    "message",
    [
        "registry.ollama.ai/library/gemma does not support tools",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "tools param requires --jinja flag",
    ],
)
async def test_a_model_that_cannot_call_tools_is_said_to_be_one(
    tmp_path: Path, message: str
) -> None:
    def refuses(asked: Asked) -> Turn:
        return Turn(status=500 if "jinja" in message else 400, message=message)

    async with office(tmp_path, refuses, CountingTool("search")) as at:
        job = await at.ask("How long are backups kept?")
        assert isinstance(await at.worker.handle(job), Handled)
        assert at.said(job)[-1] == messages.NO_TOOLS


async def test_a_run_that_nobody_can_open_any_more_ends_with_an_apology(tmp_path: Path) -> None:
    issue = issue_tool()
    async with office(tmp_path, opens_an_issue, CountingTool("search"), issue) as at:
        job = await at.ask("Open an issue about backups")
        await at.worker.handle(job)
        client = make_client(TOKEN, at.slack.api_url)
        later = worker_of(client, at.store, at.parts, seal=Seal("another secret"))
        await later.handle(await at.decide(job))
        assert at.said(job)[-1] == messages.APOLOGY
    assert issue.ran == []


async def test_a_model_that_is_away_for_good_ends_with_one_apology(tmp_path: Path) -> None:
    async with office(tmp_path, lambda asked: Turn(status=503), CountingTool("search")) as at:
        job = await at.ask("How long are backups kept?")
        for _ in range(TRIES):
            with pytest.raises(ModelUnavailable):
                await at.worker.handle(job)
        assert isinstance(await at.worker.handle(job), Handled)
        said = at.said(job)
    assert said.count(messages.APOLOGY) == 1
    assert len(said) <= 2


async def test_an_empty_request_is_told_what_to_write(tmp_path: Path) -> None:
    async with office(tmp_path, looks_up, CountingTool("search")) as at:
        job = await at.ask("")
        await at.worker.handle(job)
        assert at.said(job) == [messages.WHAT_TO_DO]
