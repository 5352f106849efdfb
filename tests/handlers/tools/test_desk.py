"""The door's side: a decision is taken, recorded, and the run goes on, whatever fails between."""

import random
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.proposals import Decision, Proposal, Ruling, Verb
from handlers.adapters.sqlite_audit import SqliteAudit
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.tools.approvals import Approvals, CallToApprove
from handlers.tools.audit import AuditEntry
from handlers.tools.desk import ApprovalDesk
from handlers.tools.run_jobs import RunJobs
from handlers.tools.switch import ThreadStops
from handlers.work.errors import QueueUnavailable, StoreUnavailable
from handlers.work.jobs import AgentJob
from tests.doubles.clocks import ManualClock
from tests.doubles.losing_store import LosingStore
from tests.doubles.noting_tool import NotingTool

JOB = AgentJob("T1", "C1", "U1", "1.000100", "1.0", "channel", trace="abc", accepted_at=5.0)
TOOL = NotingTool()
CALLS = (CallToApprove("1.a", TOOL, {"text": "a"}), CallToApprove("1.b", TOOL, {"text": "b"}))
TTL = 3600.0


async def in_the_room(user: str, channel: str) -> bool:
    return user in ("U1", "U2", "U3") and channel == "C1"


@dataclass
class Bench:
    """A desk on real files; ``line`` can be made to lose what is written to the store."""

    path: Path
    clock: ManualClock
    store: SqliteStore
    line: LosingStore
    queue: SqliteQueue
    audit: SqliteAudit

    def desk(self, **other: Any) -> ApprovalDesk:
        parts: dict[str, Any] = {"queue": self.queue, "audit": self.audit, "approvers": ()}
        parts |= other
        return ApprovalDesk(
            Approvals(self.line, clock=self.clock),
            parts["queue"],
            self.line,
            may_decide=in_the_room,
            audit=parts["audit"],
            approvers=parts["approvers"],
            clock=self.clock,
        )

    async def propose(self) -> Proposal:
        return await Approvals(self.store, clock=self.clock).propose(JOB, CALLS, ttl=TTL)

    async def jobs(self) -> list[AgentJob]:
        found = []
        while delivery := await self.queue.receive():
            assert isinstance(delivery.job, AgentJob)
            found.append(delivery.job)
            await delivery.done()
        return found

    async def entries(self) -> list[AuditEntry]:
        now = self.clock()
        since, until = (datetime.fromtimestamp(now + d, UTC) for d in (-1e6, 1e6))
        return [entry async for entry in self.audit.read(since, until)]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock()
    store = SqliteStore(tmp_path / "state.sqlite", clock=clock)
    line = LosingStore(store, random.Random(1))
    queue = SqliteQueue(tmp_path / "queue.sqlite", clock=clock)
    audit = SqliteAudit(tmp_path / "audit.sqlite")
    (tmp_path / "a-file").write_text("")
    yield Bench(tmp_path, clock, store, line, queue, audit)
    for part in (store, queue, audit):
        await part.close()


def click(proposal: Proposal, *which: int, **more: Any) -> Decision:
    calls = [proposal.calls[n] for n in which or range(len(proposal.calls))]
    pairs = tuple((call.approval, call.nonce) for call in calls)
    return replace(Decision("T1", "C1", "2.0", "U2", Verb.APPROVE, pairs), **more)


async def test_the_run_goes_on_when_nothing_of_its_proposal_is_pending(bench: Bench) -> None:
    desk, proposal = bench.desk(), await bench.propose()
    assert (await desk.decided(click(proposal, 0))).rulings == (Ruling.APPROVED, Ruling.PENDING)
    assert await bench.jobs() == []
    assert (await desk.decided(click(proposal, 1, verb=Verb.REJECT))).ruling is Ruling.REJECTED
    [job] = await bench.jobs()
    assert job == replace(JOB, step=job.step, accepted_at=bench.clock())
    assert job.step.startswith("decided:")
    assert job.run == JOB.run


async def test_clicks_again_put_no_second_job(bench: Bench) -> None:
    desk, proposal = bench.desk(), await bench.propose()
    for _ in range(3):
        await desk.decided(click(proposal))
    assert len(await bench.jobs()) == 1
    await desk.decided(click(proposal))
    assert await bench.jobs() == []


async def test_a_click_after_its_time_lets_the_run_go_on(bench: Bench) -> None:
    desk, proposal = bench.desk(), await bench.propose()
    bench.clock.advance(TTL)
    assert (await desk.decided(click(proposal))).ruling is Ruling.EXPIRED
    assert len(await bench.jobs()) == 1


@pytest.mark.parametrize(
    "wrong", [{"user": "U9"}, {"channel": "C2"}, {"team": "T2"}, {"calls": ()}]
)
async def test_a_click_of_somebody_else_leaves_no_trace(
    bench: Bench, wrong: dict[str, Any]
) -> None:
    desk, proposal = bench.desk(), await bench.propose()
    await desk.decided(click(proposal, **wrong))
    assert await bench.jobs() == []
    assert await bench.entries() == []


async def test_decisions_stand_in_the_audit_log_with_the_arguments_that_may_run(
    bench: Bench,
) -> None:
    desk, proposal = bench.desk(), await bench.propose()
    await desk.decided(click(proposal, 0, arguments='{"text": "A"}'))
    bench.clock.advance(1)
    await desk.decided(click(proposal, 1, user="U3", verb=Verb.REJECT))
    await desk.decided(click(proposal))
    told = [(e.event, e.user, e.tool, e.details["arguments"]) for e in await bench.entries()]
    assert told == [
        ("edited", "U2", "post_message", '{"text":"A"}'),
        ("approved", "U2", "post_message", '{"text":"A"}'),
        ("rejected", "U3", "post_message", '{"text":"b"}'),
    ]
    assert {entry.run for entry in await bench.entries()} == {JOB.run}


async def test_a_click_after_a_failure_mends_what_the_first_one_left(bench: Bench) -> None:
    proposal = await bench.propose()
    nowhere = bench.path / "a-file" / "x.sqlite"
    with pytest.raises(StoreUnavailable):
        await bench.desk(audit=SqliteAudit(nowhere)).decided(click(proposal))
    with pytest.raises(QueueUnavailable):
        await bench.desk(queue=SqliteQueue(nowhere)).decided(click(proposal))
    assert await bench.jobs() == []
    bench.clock.advance(9)
    assert (await bench.desk().decided(click(proposal))).ruling is Ruling.DECIDED_BEFORE
    assert len(await bench.jobs()) == 1
    told = [(entry.event, entry.at.timestamp()) for entry in await bench.entries()]
    assert told == [("approved", bench.clock() - 9)] * 2


async def test_on_a_bad_line_clicking_until_it_is_done_decides_once(bench: Bench) -> None:
    desk, proposal = bench.desk(), await bench.propose()
    bench.line.loss = 0.3
    rulings = []
    for n in range(100):
        try:
            answer = await desk.decided(click(proposal, user=f"U{1 + n % 3}"))
            rulings.append(answer.ruling)
        except StoreUnavailable:
            continue
    assert rulings.count(Ruling.APPROVED) <= 2
    assert len(await bench.jobs()) == 1
    assert len(await bench.entries()) == 2


async def test_a_proposal_is_found_for_a_modal_while_it_is_kept(bench: Bench) -> None:
    desk, proposal = bench.desk(), await bench.propose()
    ids = [call.approval for call in proposal.calls]
    assert await desk.proposal(ids) == proposal
    only = await desk.proposal(ids[1:])
    assert only
    assert only.calls == proposal.calls[1:]
    assert await desk.proposal([*ids, "0" * 32]) is None
    assert await desk.proposal([]) is None


async def test_stop_marks_the_thread_and_wakes_the_run_that_waits(bench: Bench) -> None:
    await RunJobs(bench.store).keep(JOB)
    await bench.desk().stopped("T1", "C1", "1.0", "U3")
    assert await ThreadStops(bench.store, clock=bench.clock).stopped_by(JOB) == "U3"
    [job] = await bench.jobs()
    assert (job.run, job.step.split(":")[0]) == (JOB.run, "stopped")
    [entry] = await bench.entries()
    assert (entry.event, entry.user, entry.run) == ("stopped", "U3", JOB.run)


async def test_stop_in_a_thread_without_a_run_does_nothing_more(bench: Bench) -> None:
    await bench.desk().stopped("T1", "C1", "9.0", "U3")
    assert await bench.jobs() == []
    assert await bench.entries() == []


async def test_what_was_done_is_taken_back_by_those_who_may(bench: Bench) -> None:
    await RunJobs(bench.store).keep(JOB)
    sentence = await bench.desk().undo("T1", "C1", JOB.run, "1.a", "U2")
    assert sentence.endswith(".")
    [job] = await bench.jobs()
    assert job.step == "undo:1.a"


@pytest.mark.parametrize(
    ("team", "channel", "run", "user"),
    [
        ("T1", "C1", JOB.run, "U9"),
        ("T1", "C2", JOB.run, "U2"),
        ("T2", "C1", JOB.run, "U2"),
        ("T1", "C1", "T1:C1:9.0", "U2"),
        ("T1", "C1", JOB.run, "U3"),
    ],
)
async def test_nothing_is_taken_back_by_others_or_from_elsewhere(
    bench: Bench, team: str, channel: str, run: str, user: str
) -> None:
    await RunJobs(bench.store).keep(JOB)
    desk = bench.desk(approvers=("U2",))
    assert (await desk.undo(team, channel, run, "1.a", user)).endswith(".")
    assert await bench.jobs() == []


async def test_a_run_is_found_by_its_name_and_the_newest_by_its_thread(bench: Bench) -> None:
    jobs, later = RunJobs(bench.store), replace(JOB, ts="2.0")
    assert await jobs.of_run(JOB.run) is None
    await jobs.keep(JOB)
    await jobs.keep(later)
    assert await jobs.of_run(JOB.run) == JOB
    assert await jobs.of_thread("T1", "C1", "1.0") == later
    await bench.store.put(f"agent-job:{JOB.run}", {"job": "{}"}, 60)
    assert await jobs.of_run(JOB.run) is None


def test_the_desk_is_light_enough_for_the_slack_door() -> None:
    heavy = "jsonschema numpy lancedb openai pyarrow mcp boto3 slack_bolt torch"
    program = (
        "import sys, handlers.tools.desk, handlers.tools.switch\n"
        f"print(*(name for name in {heavy.split()!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
