"""Processes that run agents are ended with SIGKILL, a hundred times and more: `make soak`."""

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path

import pytest

from bot.playground import Playground
from bot.proposals import Decision, Verb
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.tools.approvals import Approvals
from handlers.tools.run_rows import Runs
from handlers.tools.runs import CallState, Phase, Run
from handlers.work.jobs import AgentJob
from handlers.work.seal import Seal
from tests.doubles.agent_office import TOKEN
from tests.doubles.agent_process import files_in
from tests.doubles.scripted_agent import ScriptedAgent
from tests.handlers.tools.test_agent_durability import KEPT, decide

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("AGENT_KILLS", "110"))
RUNS = int(os.environ.get("AGENT_KILLED_RUNS", "100"))
KINDS = ("look up", "approve", "two writes", "two rounds")


class Office:
    """Runs in a folder, workers in processes, and a person who approves."""

    def __init__(self, slack: Playground, store: SqliteStore, queue: SqliteQueue) -> None:
        self.slack = slack
        self.store = store
        self.queue = queue
        self.jobs: dict[str, tuple[AgentJob, str]] = {}

    async def ask(self, kind: str) -> None:
        ts = await self.slack.say("alice", "general", f"@Footnote agent: {kind}")
        channel = self.slack.channel_id("general")
        job = AgentJob(self.slack.team, channel, "UALICE", ts, ts, place="channel")
        self.jobs[job.run] = (job, kind)
        await self.queue.put(job)

    async def runs(self) -> list[Run]:
        kept = Runs(self.store, Seal("s"))
        rows = [await kept.load(run) for run in self.jobs]
        return [row.run for row in rows if row is not None]

    async def approve_some(self, chance: random.Random) -> None:
        """Approve what waits, but leave some for later: a run may wait across a restart."""
        for run in await self.runs():
            asked = [c.approval for c in run.open_calls if c.state is CallState.ASKED]
            if run.phase is Phase.WAITING and run.card_ts and asked and chance.random() < 0.5:
                await self._approve(run, asked)

    async def _approve(self, run: Run, asked: list[str]) -> None:
        approvals = Approvals(self.store)
        proposal = await approvals.proposal(asked)
        assert proposal is not None
        job, _ = self.jobs[run.id]
        calls = tuple((call.approval, call.nonce) for call in proposal.calls)
        click = Decision(job.team, job.channel, "1.1", "UBOB", Verb.APPROVE, calls)

        async def anybody(user: str, channel: str) -> bool:
            return True

        await approvals.decide(click, may_decide=anybody)
        step = f"decided:{asked[0]}"
        again = AgentJob(
            job.team, job.channel, job.user, job.ts, job.ts, place="channel", step=step
        )
        await self.queue.put(again)


async def _line(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()


async def _fork(process: Process) -> int:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    await process.stdin.drain()
    return int(await _line(process))


async def test_no_write_runs_twice_and_each_run_ends_once_however_often_sigkill_comes(
    tmp_path: Path,
) -> None:
    chance = random.Random(9)
    async with (
        ScriptedAgent(decide) as model,
        Playground(signing_secret="s", bot_token=TOKEN, rate_limits=False) as slack,
        files_in(tmp_path) as (store, queue),
    ):
        office = Office(slack, store, queue)
        zygote = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.doubles.agent_process",
            *(str(tmp_path), slack.api_url, model.base_url),
            stdin=PIPE,
            stdout=PIPE,
        )
        try:
            assert await _line(zygote) == "ready"
            kills = 0
            for _ in range(KILLS * 20):
                if len(office.jobs) < RUNS:
                    await office.ask(KINDS[len(office.jobs) % len(KINDS)])
                worker = await _fork(zygote)
                last = kills >= KILLS and len(office.jobs) >= RUNS
                began = asyncio.get_running_loop().time()
                # A worker that begins first waits for the lease of the dead one.
                lives = 20.0 if last else chance.uniform(0.3, 1.6)
                while asyncio.get_running_loop().time() - began < lives:
                    await asyncio.sleep(min(0.2, lives))
                    await office.approve_some(chance)
                    if last and all(r.phase is Phase.ENDED for r in await office.runs()):
                        break
                os.kill(worker, signal.SIGKILL)
                kills += 1
                if last and all(r.phase is Phase.ENDED for r in await office.runs()):
                    break
        finally:
            zygote.kill()
            await zygote.wait()
        await _check(office, tmp_path, kills)


async def _check(office: Office, folder: Path, kills: int) -> None:
    runs = await office.runs()
    assert len(runs) == RUNS
    file = folder / "written"
    written = Counter(line.split()[0] for line in file.read_text().splitlines())
    assert max(written.values()) == 1
    fates: Counter[str] = Counter()
    for run in runs:
        job, kind = office.jobs[run.id]
        said = [str(m.get("text", "")) for m in office.slack.messages("general", job.ts)[1:]]
        assert run.phase is Phase.ENDED, (kind, run.phase)
        assert run.ended == "answered", (kind, run.ended, said)
        assert Counter(said)[f"{KEPT} [1]"] == 1, (kind, said)
        acted = [call for call in run.calls if call.acts]
        assert len(acted) == {"look up": 0, "approve": 1}.get(kind, 2), (kind, said)
        # Plan, answer, a card for each proposal, a sentence for each call that acts.
        cards = {"look up": 0, "two rounds": 2}.get(kind, 1)
        assert len(said) == 2 + cards + len(acted), (kind, said)
        fates.update(call.fate.value for call in acted)
    assert fates["worked"] <= sum(written.values()) <= fates["worked"] + fates["unknown"]
    print(f"{RUNS} runs, {kills} times SIGKILL, writes: {dict(fates)}")
