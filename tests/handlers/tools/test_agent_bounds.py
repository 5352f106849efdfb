"""A model that never ends, a switch, a button: the run stops, and the thread says why."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot import agent_messages as messages
from bot.proposals import Verb
from handlers.answering.ports import Usage
from handlers.tools.limits import Bound, Limits, Spent
from handlers.tools.ports import Effect
from handlers.tools.runs import Phase
from handlers.tools.switch import Switch, ThreadStops
from tests.doubles.agent_office import CountingTool
from tests.doubles.scripted_agent import Asked, Decide, Turn
from tests.handlers.tools.test_agent_runs import KEPT, issue_tool, office, opens_an_issue


def always_calls(asked: Asked) -> Turn:
    """Call a tool whatever is said, as a server does that does not know ``tool_choice``."""
    return Turn(calls=[("search", {"query": "more"})])


def concludes_when_told(asked: Asked) -> Turn:
    return Turn(f"{KEPT} [1]") if asked.concluding else always_calls(asked)


@pytest.mark.parametrize(
    ("bound", "limits"),
    [
        ("turns", Limits(turns=3)),
        ("tokens", Limits(tokens=40)),
        ("seconds", Limits(seconds=1.0)),
        ("cost", Limits(cost=0.02)),
    ],
)
@pytest.mark.parametrize("decide", [always_calls, concludes_when_told])
async def test_a_run_stops_at_each_limit_and_says_which(
    tmp_path: Path, bound: str, limits: Limits, decide: Decide
) -> None:
    async def slowly() -> None:
        await asyncio.sleep(0.5 if bound == "seconds" else 0.0)

    search = CountingTool("search", before=slowly)
    priced: dict[str, Any] = {"limits": limits, "cost_of": lambda usage: 0.01}
    async with office(tmp_path, decide, search, **priced) as at:
        job = await at.ask("Find everything")
        await at.worker.handle(job)
        run, said = await at.run(job), at.said(job)
    assert run.phase is Phase.ENDED
    assert run.limit == bound
    assert len(search.ran) <= 3
    sentence = messages.LIMITS[bound]
    if decide is always_calls:
        assert said[-1] == f"{sentence} {messages.NOTHING_AT_LIMIT}"
    else:
        assert said[-2:] == [sentence, f"{KEPT} [1]"]


async def test_a_model_that_asks_again_and_again_for_what_was_rejected_ends_at_the_limit(
    tmp_path: Path,
) -> None:
    def insists(asked: Asked) -> Turn:
        return Turn(calls=[("open_issue", {"query": f"again {asked.turns}"})])

    issue = issue_tool()
    async with office(tmp_path, insists, issue, limits=Limits(turns=3)) as at:
        job = await at.ask("Open an issue")
        await at.worker.handle(job)
        for _ in range(3):
            await at.worker.handle(await at.decide(job, Verb.REJECT))
        said = at.said(job)
    assert issue.ran == []
    assert said[-1] == f"{messages.LIMITS['turns']} {messages.NOTHING_AT_LIMIT}"


async def test_more_calls_in_a_turn_than_are_allowed_are_not_made(tmp_path: Path) -> None:
    def greedy(asked: Asked) -> Turn:
        if asked.results:
            return Turn(f"{KEPT} [1]")
        return Turn(calls=[("search", {"query": str(n)}) for n in range(50)])

    search = CountingTool("search")
    async with office(tmp_path, greedy, search, limits=Limits(calls=4)) as at:
        job = await at.ask("Find everything")
        await at.worker.handle(job)
    assert len(search.ran) == 4


@pytest.mark.parametrize(
    ("window", "limits", "least", "most"),
    [
        (6_000, Limits(), 1_500, 6_000),
        (100_000, Limits(), 8_192, 8_192),
        (6_000, Limits(turn_tokens=50), 50, 50),
    ],
)
async def test_a_turn_has_the_room_that_the_window_leaves_and_never_more_than_its_limit(
    tmp_path: Path, window: int, limits: Limits, least: int, most: int
) -> None:
    allowed = []

    def notes(asked: Asked) -> Turn:
        allowed.append(asked.body["max_tokens"])
        return Turn("NOT_FOUND")

    async with office(tmp_path, notes, limits=limits, window_tokens=window) as at:
        await at.worker.handle(await at.ask("Find it"))
    assert len(allowed) == 1
    assert least <= allowed[0] <= most


async def test_a_model_that_thinks_until_its_turn_is_over_has_one_last_turn(tmp_path: Path) -> None:
    def thinks(asked: Asked) -> Turn:
        return Turn("", finish_reason="length")

    async with office(tmp_path, thinks) as at:
        job = await at.ask("Find it")
        await at.worker.handle(job)
        run, said = await at.run(job), at.said(job)
    assert (run.phase, run.limit) == (Phase.ENDED, Bound.TOKENS)
    assert run.spent.turns == 2
    assert said[-1] == f"{messages.LIMITS['tokens']} {messages.NOTHING_AT_LIMIT}"


async def test_the_reads_of_a_turn_run_side_by_side(tmp_path: Path) -> None:
    inside, most = 0, 0

    async def together() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.05)
        inside -= 1

    def several(asked: Asked) -> Turn:
        if asked.results:
            return Turn(f"{KEPT} [1]")
        return Turn(calls=[("search", {"query": q}) for q in "abc"])

    async with office(tmp_path, several, CountingTool("search", before=together)) as at:
        await at.worker.handle(await at.ask("Find it"))
    assert most == 3


@pytest.mark.parametrize("where", ["model", "tool"])
async def test_the_kill_switch_stops_what_runs_within_seconds(tmp_path: Path, where: str) -> None:
    async def for_ever() -> None:
        await asyncio.sleep(60)

    def decide(asked: Asked) -> Turn:
        if where == "model":
            return Turn("never said", delay=60.0)
        return Turn(calls=[("search", {"query": "a"})])

    async with office(tmp_path, decide, CountingTool("search", before=for_ever)) as at:
        job = await at.ask("Find it")
        working = asyncio.create_task(at.worker.handle(job))
        await asyncio.sleep(0.6)
        began = asyncio.get_running_loop().time()
        await Switch(at.store).stop("admin")
        await asyncio.wait_for(working, 5)
        took = asyncio.get_running_loop().time() - began
        said = at.said(job)
        run = await at.run(job)
    assert took < 2.0
    assert said[-1] == messages.ALL_STOPPED
    assert run.ended == "all-stopped"


async def test_a_write_that_was_stopped_while_it_ran_is_said_to_be_unclear(tmp_path: Path) -> None:
    async def for_ever() -> None:
        await asyncio.sleep(60)

    issue = issue_tool(before=for_ever)
    async with office(tmp_path, opens_an_issue, CountingTool("search"), issue) as at:
        job = await at.ask("Open an issue about backups")
        await at.worker.handle(job)
        working = asyncio.create_task(at.worker.handle(await at.decide(job)))
        while not issue.ran:  # noqa: ASYNC110  (what is waited for happens in a tool)
            await asyncio.sleep(0.01)
        await Switch(at.store).stop("admin")
        await asyncio.wait_for(working, 5)
        said = at.said(job)
    assert messages.unknown("Open issue") in said
    assert messages.ALL_STOPPED in said


async def test_nothing_begins_while_the_switch_is_on(tmp_path: Path) -> None:
    search = CountingTool("search")
    async with office(tmp_path, concludes_when_told, search) as at:
        await Switch(at.store).stop("admin")
        job = await at.ask("Find it")
        await at.worker.handle(job)
        assert at.said(job) == [messages.ALL_STOPPED]
    assert search.ran == []


async def test_stop_ends_a_run_that_waits_and_what_was_proposed_never_runs(tmp_path: Path) -> None:
    issue = issue_tool()
    async with office(tmp_path, opens_an_issue, CountingTool("search"), issue) as at:
        job = await at.ask("Open an issue about backups")
        await at.worker.handle(job)
        stops = ThreadStops(at.store)
        await stops.stop(job.team, job.channel, job.thread_ts, "UALICE")
        await at.worker.handle(at.job(job.ts, step="stopped:1"))
        run, said = await at.run(job), at.said(job)
        await at.worker.handle(at.job(job.ts, step="decided:late"))
    assert run.ended == "stopped"
    assert messages.STOPPED in said
    assert messages.STOPPED_CARD in said
    assert issue.ran == []


def test_bounds_are_reached_one_by_one() -> None:
    limits = Limits(turns=2, tokens=100, seconds=10, cost=1)
    spent = Spent()
    assert limits.reached(spent) is None
    assert limits.reached(spent.and_turn(Usage(60, 40), 0.0)) is Bound.TOKENS
    assert limits.reached(spent.and_turn(Usage(), 1.0)) is Bound.COST
    assert limits.reached(spent.and_seconds(10)) is Bound.SECONDS
    twice = spent.and_turn(Usage(), 0).and_turn(Usage(), 0)
    assert limits.reached(twice) is Bound.TURNS
    assert limits.left(spent.and_seconds(7), 60) == 3


def test_every_bound_has_its_sentence() -> None:
    assert {bound.value for bound in Bound} == set(messages.LIMITS)


def test_what_acts_is_what_leaves_the_house_or_changes_something() -> None:
    assert {effect.value for effect in Effect if effect is not Effect.READ} == {"fetch", "write"}
