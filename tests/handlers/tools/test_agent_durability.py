"""Workers die at every moment of a run: it ends once, where it can be seen, and nothing acts twice.

In the normal suite a few moments of one run; as a soak 500 runs, 100 of them in processes that are
ended with SIGKILL (``test_agent_killed.py``).
"""

import asyncio
import os
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bot import agent_messages as messages
from bot.proposals import Verb
from handlers.adapters.openai_agent import OpenAIToolModel
from handlers.adapters.sqlite_queue import Delivery
from handlers.tools.ports import Effect
from handlers.tools.runs import Phase
from handlers.tools.waiting import expire_runs
from handlers.tools.worker import AgentWorker, run_key
from handlers.work.deliveries import LEASE_SECONDS
from handlers.work.jobs import AgentJob
from handlers.work.outcomes import read
from tests.doubles.agent_office import AgentOffice, CountingTool, opened_office, worker_of
from tests.doubles.clocks import ManualClock
from tests.doubles.mortal import (
    Fate,
    Killed,
    MortalAudit,
    MortalClient,
    MortalModel,
    MortalStore,
    mortal,
)
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn

KEPT = "Backups are kept for 35 days."
RUNS = int(os.environ.get("AGENT_RUNS", "400"))

SCENARIOS = ("look up", "approve", "reject", "expire", "two writes", "two rounds", "limit")


def decide(asked: Asked) -> Turn:
    """Do what the request names; a function of the conversation alone."""
    done = len(asked.results)
    if "limit" in asked.request and not asked.concluding:
        return Turn(calls=[("search", {"query": f"round {asked.turns}"})])
    if asked.concluding:
        return Turn(f"{KEPT} [1]")
    if done == 0:
        return Turn(calls=[("search", {"query": "a"}), ("search", {"query": "b"})])
    if "look up" in asked.request or done >= (4 if "two" in asked.request else 3):
        return Turn(f"{KEPT} [1]")
    if "two writes" in asked.request:
        return Turn(calls=[("open_issue", {"query": q}) for q in ("one", "two")])
    return Turn(calls=[("open_issue", {"query": f"issue {done}"})])


class Mill:
    """Works jobs off with workers of which each dies at the moment that it is given."""

    def __init__(self, office: AgentOffice, tools: list[CountingTool], clock: ManualClock) -> None:
        self._office = office
        self._tools = tools
        self._clock = clock
        self.died_at: Counter[str] = Counter()
        # Tasks of a dead worker end as it did, and nobody is left to ask them how.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)

    async def work_off(self, moments: list[int | str], *, rounds: int = 60) -> int:
        """Deliver until the queue is empty; return how many moments the last worker passed."""
        passed = 0
        for _ in range(rounds):
            delivery = await self._office.queue.receive()
            if delivery is None:
                counts = await self._office.queue.counts()
                if not counts.waiting and not counts.held:
                    return passed
                self._clock.advance(LEASE_SECONDS + 1)
                continue
            passed = await self.work(delivery, moments.pop(0) if moments else 0)
        raise AssertionError("the queue does not become empty")

    async def work(self, delivery: Delivery, moment: int | str) -> int:
        """Have one worker, which dies at this moment, do one job; return the moments it passed."""
        fate = Fate(named=moment) if isinstance(moment, str) else Fate(at=moment)
        job = delivery.job
        assert isinstance(job, AgentJob)
        try:
            await self._worker(fate).handle(job)
            fate.moment("before the job leaves the queue")
            await delivery.done()
        except Killed:
            self.died_at[fate.where.partition(":")[0]] += 1
        fate.dead = True  # whatever still runs of this worker is over
        return fate.passed

    def _worker(self, fate: Fate) -> AgentWorker:
        office = self._office
        store = MortalStore(office.store, fate)
        parts = replace(
            office.parts,
            model=MortalModel(office.parts.model, fate),
            tools=tuple(mortal(tool, fate) for tool in self._tools),
            approvals=type(office.parts.approvals)(store, clock=self._clock),
            audit=MortalAudit(office.audit, fate),
        )
        client = MortalClient.at(office.slack.api_url, fate)
        return worker_of(client, store, parts, clock=self._clock)


async def play(
    office: AgentOffice, mill: Mill, clock: ManualClock, scenario: str, moments: list[int | str]
) -> AgentJob:
    """Run one scenario with workers dying at these moments, and check how it ended."""
    job = await office.ask(scenario)
    await mill.work_off(moments)
    for _ in range(3):
        run = await office.run(job)
        if run.phase is Phase.ENDED:
            break
        assert run.phase is Phase.WAITING, run.phase
        if scenario == "expire":
            clock.advance(office.parts.approval_seconds + 60)
            assert await expire_runs(office.store, office.queue, clock=clock) == 1
        else:
            verb = Verb.REJECT if scenario == "reject" else Verb.APPROVE
            await office.queue.put(await office.decide(job, verb))
        await mill.work_off(moments)
    return job


def expected_writes(scenario: str) -> int:
    return {"approve": 1, "two writes": 2, "two rounds": 2}.get(scenario, 0)


async def check(office: AgentOffice, job: AgentJob, scenario: str, issue: CountingTool) -> str:
    """Assert that the run ended once and visibly and that no write ran twice; return how."""
    run = await office.run(job)
    assert run.phase is Phase.ENDED, (scenario, run.phase)
    assert run.ended == "answered", (scenario, run.ended)
    assert await read(office.store, run_key(job.run)) is not None
    keys = Counter(key for key, _ in issue.ran)
    assert not keys or max(keys.values()) == 1, (scenario, keys)
    said = office.said(job)
    told = Counter(said)
    assert told[f"{KEPT} [1]"] == 1, (scenario, said)
    plans = [m for m in office.slack.messages("general", job.ts) if "plan" in str(m.get("blocks"))]
    assert len(plans) == 1, (scenario, said)
    done = told[messages.done("Open issue", issue.url)]
    unknown = told[messages.unknown("Open issue")]
    lost = told[messages.not_run("Open issue")]
    assert done <= len(issue.ran) <= done + unknown, (scenario, done, unknown, len(issue.ran), said)
    assert done + unknown + lost == expected_writes(scenario), (scenario, said)
    cards = sum("approval" in text for text in said if text != messages.not_run("Open issue"))
    assert told[messages.expired("Open issue")] == (scenario == "expire")
    extra = len(said) - 2 - done - unknown - lost - (scenario in ("expire", "limit"))
    waits = {"look up": 0, "limit": 0, "two rounds": 2}.get(scenario, 1)
    assert extra == waits, (scenario, said, cards)
    return "unknown" if unknown else "lost" if lost else "whole"


def tools_of() -> tuple[CountingTool, CountingTool]:
    search = CountingTool("search")
    issue = CountingTool(
        "open_issue",
        Effect.WRITE,
        says=lambda arguments: "Issue 7 was opened.",
        url="https://github.example/issues/7",
    )
    return search, issue


async def a_mill(office: AgentOffice, clock: ManualClock) -> tuple[Mill, CountingTool]:
    search, issue = office.parts.tools
    assert isinstance(search, CountingTool)
    assert isinstance(issue, CountingTool)
    return Mill(office, [search, issue], clock), issue


async def test_a_write_dies_at_every_moment_and_never_runs_twice(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        ScriptedAgent(decide) as model,
        opened_office(
            tmp_path, model.base_url, tools_of(), clock=clock, rate_limits=False
        ) as office,
    ):
        mill, issue = await a_mill(office, clock)
        job = await play(office, mill, clock, "approve", [])
        assert await check(office, job, "approve", issue) == "whole"
        ends: Counter[str] = Counter()
        for moment in range(1, 60, 5):
            issue.ran.clear()
            # The first worker lives until the card is there; the one after the decision dies.
            job = await play(office, mill, clock, "approve", [0, moment])
            ends[await check(office, job, "approve", issue)] += 1
    assert isinstance(office.parts.model, OpenAIToolModel)
    assert ends["whole"] >= 6


async def test_what_people_wrote_before_the_decision_does_not_hide_what_a_dead_worker_said(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with (
        ScriptedAgent(decide) as model,
        opened_office(tmp_path, model.base_url, tools_of(), clock=clock) as office,
    ):
        mill, issue = await a_mill(office, clock)
        job = await office.ask("approve")
        await mill.work_off([])
        await office.slack.say("bob", "general", "Fine with me.", thread_ts=job.ts)
        clock.advance(60)
        await office.queue.put(await office.decide(job))
        # Twice, right after it has said what was done and before it could note that.
        await mill.work_off(["after chat.postMessage", "after chat.postMessage"])
        said = office.said(job)
    assert mill.died_at["after chat.postMessage"] == 2
    assert said.count(f"{KEPT} [1]") == 1
    assert said.count(messages.done("Open issue", issue.url)) == 1


async def test_a_card_that_a_dead_worker_left_stays_for_whoever_decides_at_once(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with (
        ScriptedAgent(decide) as model,
        opened_office(
            tmp_path, model.base_url, tools_of(), clock=clock, rate_limits=False
        ) as office,
    ):
        mill, issue = await a_mill(office, clock)
        await office.ask("approve")
        all_moments = await mill.work_off([])
        unsaved = 0
        for moment in range(all_moments // 2, all_moments):
            issue.ran.clear()
            job = await office.ask("approve")
            delivery = await office.queue.receive()
            assert delivery is not None
            await mill.work(delivery, moment)
            left = cards(office, job)
            if left:
                run = await office.run(job)
                unsaved += not run.card_ts
                await office.queue.put(await office.decide(job))
                await mill.work_off([])
                assert await check(office, job, "approve", issue) == "whole"
                # The one that was decided on, and it says so.
                assert [ts for ts, _ in cards(office, job)] == [ts for ts, _ in left]
                assert "Approved" in cards(office, job)[0][1]
            else:
                await mill.work_off([])
    assert unsaved >= 2


def cards(office: AgentOffice, job: AgentJob) -> list[tuple[str, str]]:
    """Return each card in the thread of a job: its ts, and all of it as text."""
    thread = office.slack.messages("general", job.ts)
    return [(str(m["ts"]), str(m["blocks"])) for m in thread if "proposal-" in str(m.get("blocks"))]


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_hundreds_of_runs_die_at_random_moments_and_each_ends_once(tmp_path: Path) -> None:
    clock, chance = ManualClock(), random.Random(6)
    async with (
        ScriptedAgent(decide) as model,
        opened_office(
            tmp_path, model.base_url, tools_of(), clock=clock, rate_limits=False, turns=5
        ) as office,
    ):
        mill, issue = await a_mill(office, clock)
        ends: Counter[str] = Counter()
        killed = suspended = 0
        while killed < RUNS:
            issue.ran.clear()
            before = mill.died_at.total()
            scenario = SCENARIOS[killed % len(SCENARIOS)]
            deaths = chance.choice([1, 1, 1, 2, 3])
            moments: list[int | str] = [chance.randint(1, 60) for _ in range(deaths)]
            # Some workers live, so that runs are suspended and resumed by another one.
            if scenario not in ("look up", "limit"):
                moments = [0] * chance.randint(0, 1) + moments
            job = await play(office, mill, clock, scenario, moments)
            end = await check(office, job, scenario, issue)
            if mill.died_at.total() > before:
                killed += 1
                suspended += scenario not in ("look up", "limit")
                ends[f"{scenario}: {end}"] += 1
    print(f"{killed} runs, {suspended} suspended, {mill.died_at.total()} deaths")
    for name, count in sorted(ends.items()):
        print(f"  {name}: {count}")
    for where, count in mill.died_at.most_common():
        print(f"  died {where}: {count}")
    assert suspended >= RUNS / 2
