"""A worker died while a call ran: the tool looks for what the call did, and nothing runs again."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import agent_messages as messages
from handlers.tools.audit import AuditEvent
from handlers.tools.errors import ToolRefused, ToolUnavailable
from handlers.tools.policy import read_policy
from handlers.tools.ports import Effect
from handlers.tools.runs import Fate, Phase
from handlers.tools.switch import Switch
from handlers.work.jobs import AgentJob
from tests.doubles.agent_office import AgentOffice, CountingTool, TracingTool, opened_office
from tests.doubles.clocks import ManualClock
from tests.doubles.scripted_agent import ScriptedAgent
from tests.handlers.tools.test_agent_durability import KEPT, Mill, decide

URL = "https://github.example/issues/7"
DONE, UNKNOWN = messages.done("Open issue", URL), messages.unknown("Open issue")


def tracing(**more: Any) -> TracingTool:
    """Return a tool that opens issues and finds them again."""
    return TracingTool(
        "open_issue",
        Effect.WRITE,
        says=lambda arguments: f"Issue 7 was opened: {arguments['query']}.",
        url=URL,
        undo_with={"number": 7},
        **more,
    )


@asynccontextmanager
async def desk(
    folder: Path, issue: CountingTool, **more: Any
) -> AsyncIterator[tuple[AgentOffice, Mill, ScriptedAgent]]:
    """Open an office with this tool, and a mill of workers that may die."""
    clock, search = ManualClock(), CountingTool("search")
    async with (
        ScriptedAgent(decide) as model,
        opened_office(folder, model.base_url, [search, issue], clock=clock, **more) as office,
    ):
        yield office, Mill(office, [search, issue], clock), model


async def approved(
    office: AgentOffice, mill: Mill, moments: list[int | str], **more: Any
) -> AgentJob:
    """Have an issue proposed and approved; workers die at these moments from then on."""
    job = await office.ask("approve")
    await mill.work_off([])
    await office.queue.put(await office.decide(job, **more))
    await mill.work_off(moments)
    run = await office.run(job)
    assert (run.phase, run.ended) == (Phase.ENDED, "answered")
    assert office.said(job).count(f"{KEPT} [1]") == 1
    return job


async def test_what_a_dead_worker_did_is_found_and_linked_and_can_be_taken_back(
    tmp_path: Path,
) -> None:
    issue = tracing()
    async with desk(tmp_path, issue) as (office, mill, model):
        job = await approved(office, mill, ["after open_issue"])
        [call] = [one for one in (await office.run(job)).calls if one.acts]
        said, read = office.said(job), model.asked[-1].results[-1]
        noted = [entry for entry in office.audit.entries if entry.tool == "open_issue"]
    assert issue.looked == issue.ran and len(issue.ran) == 1
    assert said.count(DONE) == 1 and UNKNOWN not in said
    assert (call.fate, call.url, call.undo) == (Fate.WORKED, URL, {"number": 7})
    assert "Issue 7 was opened: issue 2." in read
    [returned] = [entry for entry in noted if entry.event is AuditEvent.RETURNED]
    assert returned.details["url"] == URL
    assert [entry.event for entry in noted].count(AuditEvent.RAN) == 1


async def test_where_nothing_is_found_nobody_knows_and_nothing_runs_again(tmp_path: Path) -> None:
    issue = tracing()
    async with desk(tmp_path, issue) as (office, mill, _):
        job = await approved(office, mill, ["before open_issue"])
        said = office.said(job)
    assert issue.ran == [] and len(issue.looked) == 1
    assert said.count(UNKNOWN) == 1 and DONE not in said


@pytest.mark.parametrize(
    "trouble",
    [ToolUnavailable("No answer."), ToolRefused("No."), TimeoutError(), KeyError("number"), None],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_a_tool_that_cannot_look_leaves_it_unknown(
    tmp_path: Path, trouble: Exception | None
) -> None:
    issue = tracing(hidden=[trouble])
    async with desk(tmp_path, issue) as (office, mill, _):
        job = await approved(office, mill, ["after open_issue"])
        said = office.said(job)
        events = [entry.event for entry in office.audit.entries if entry.tool == "open_issue"]
    assert len(issue.ran) == 1 and len(issue.looked) == 1
    assert said.count(UNKNOWN) == 1 and DONE not in said
    assert AuditEvent.RETURNED not in events


async def test_one_who_dies_while_looking_is_followed_by_one_who_looks(tmp_path: Path) -> None:
    issue = tracing()
    async with desk(tmp_path, issue) as (office, mill, _):
        moments: list[int | str] = ["after open_issue", "after looking for open_issue"]
        job = await approved(office, mill, moments)
        said = office.said(job)
    assert len(issue.ran) == 1 and len(issue.looked) == 2
    assert said.count(DONE) == 1 and UNKNOWN not in said


async def test_a_mended_call_is_looked_for_as_it_was_mended_and_the_model_is_told(
    tmp_path: Path,
) -> None:
    issue = tracing()
    mended = {"query": "mended"}
    async with desk(tmp_path, issue) as (office, mill, model):
        await approved(office, mill, ["after open_issue"], arguments=json.dumps(mended))
        read = model.asked[-1].results[-1]
    assert [arguments for _, arguments in issue.looked] == [mended]
    assert "A person changed the arguments" in read and "Issue 7 was opened: mended." in read


async def test_a_call_that_needed_no_click_is_looked_for_as_well(tmp_path: Path) -> None:
    issue = tracing()
    policy = read_policy('[[allow]]\ntool = "open_issue"\narguments = { query = "issue 2" }')
    async with desk(tmp_path, issue, policy=policy) as (office, mill, _):
        job = await office.ask("approve")
        await mill.work_off(["after open_issue"])
        said = office.said(job)
    assert issue.looked == issue.ran and len(issue.ran) == 1
    assert said.count(DONE) == 1 and UNKNOWN not in said


async def test_a_tool_that_has_changed_meanwhile_is_not_asked(tmp_path: Path) -> None:
    issue = tracing()
    async with desk(tmp_path, issue) as (office, mill, _):
        job = await office.ask("approve")
        await mill.work_off([])
        await office.queue.put(await office.decide(job))

        async def change() -> None:
            issue.description = "Opens something else."

        issue.before = change
        await mill.work_off(["after open_issue"])
        said = office.said(job)
    assert issue.looked == [] and len(issue.ran) == 1
    assert said.count(UNKNOWN) == 1


async def test_while_all_agents_are_stopped_nobody_looks(tmp_path: Path) -> None:
    issue = tracing()
    async with desk(tmp_path, issue) as (office, mill, _):
        job = await office.ask("approve")
        await mill.work_off([])
        await office.queue.put(await office.decide(job))

        async def stop() -> None:
            await Switch(office.store, clock=office.clock).stop("admin")

        issue.before = stop
        await mill.work_off(["after open_issue"])
        said = office.said(job)
    assert issue.looked == [] and len(issue.ran) == 1
    assert said.count(UNKNOWN) == 1 and said[-1] == messages.ALL_STOPPED


async def test_a_write_that_can_be_found_dies_at_every_moment_and_is_never_unknown_when_it_ran(
    tmp_path: Path,
) -> None:
    issue = tracing()
    async with desk(tmp_path, issue, rate_limits=False) as (office, mill, _):
        for moment in range(1, 60, 7):
            issue.ran.clear()
            job = await approved(office, mill, [moment])
            said = office.said(job)
            assert len(issue.ran) == said.count(DONE) <= 1, (moment, said)
    assert mill.died_at.total() >= 6
