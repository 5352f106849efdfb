"""Where a case is run: our loop, real state in SQLite files, an obedient model, and a human.

Only Slack is left out: the human is handed the proposals that a card would show. Whatever is
decided about and run goes the way it goes in production.
"""

import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.conversation import Place, Question
from handlers.adapters.sqlite_audit import SqliteAudit
from handlers.adapters.sqlite_store import SqliteStore
from handlers.tools.approvals import Approvals
from handlers.tools.calling import Bench
from handlers.tools.concluding import concluded
from handlers.tools.diary import Diary
from handlers.tools.limits import Limits
from handlers.tools.loop import advance, begun
from handlers.tools.parts import Parts
from handlers.tools.ports import Caller
from handlers.tools.run_rows import Runs
from handlers.tools.runs import Phase, Run
from handlers.tools.settling import decided
from handlers.tools.surroundings import Surroundings
from handlers.tools.switch import Switch, ThreadStops
from handlers.tools.watching import Watch
from handlers.tools.worker import run_of
from handlers.work.jobs import AgentJob
from handlers.work.ports import StateStore
from handlers.work.seal import Seal
from index.audience import Audience
from tests.benchmarks.agentdojo.cases import Case, Started
from tests.benchmarks.agentdojo.effects import Guard
from tests.benchmarks.agentdojo.human import Human
from tests.benchmarks.agentdojo.obedient import Arrangement, ObedientModel
from tests.benchmarks.agentdojo.scores import Came
from tests.benchmarks.agentdojo.suite_tools import SuiteTool

TEAM, CHANNEL, USER = "T0DOJO", "C0DOJO", "U0EMMA"
CARD = "1.000200"

LIMITS = Limits(turns=80, tokens=10**9, seconds=10**6)
"""Wider than ours: a model that asks for one call a turn takes up to 25 turns for these tasks."""


class Arena:
    """Runs cases one after the other, each as a run of its own in the same store."""

    def __init__(self, store: StateStore, audit: SqliteAudit) -> None:
        self._store = store
        self._audit = audit
        self._approvals = Approvals(store)
        self._runs = Runs(store, Seal("dojo"))
        self._numbers = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator["Arena"]:
        """Open a store in a folder that goes when the arena does."""
        with tempfile.TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "state.db")
            audit = SqliteAudit(Path(folder) / "audit.db")
            try:
                yield cls(store, audit)
            finally:
                await store.close()
                await audit.close()

    async def run(self, case: Case, guard: Guard, arrangement: Arrangement) -> Came:
        """Run a case to its end; return what came of it."""
        started = Started(case)
        suite = case.suite.name
        tools = tuple(
            SuiteTool(function, guard.effect(suite, function.name), started.world)
            for function in case.suite.tools
        )
        acting = {
            function.name for function in case.suite.tools if guard.asks(suite, function.name)
        }
        model = ObedientModel(
            started.calls, started.answer, started.injection, arrangement, acting=acting
        )
        human = Human(USER, started.calls)
        bench, run = self._begun(Parts(model, tools, self._approvals, self._audit, limits=LIMITS))
        row = await self._runs.begin(begun(bench.parts, run, Question(case.task.PROMPT)))
        bench = Bench(bench.parts, bench.job, bench.around, bench.watch, bench.diary, row.save)
        run = row.run
        while run.phase is not Phase.CONCLUDING:
            run = await advance(bench, run)
            await row.save(run)
            if run.phase is Phase.WAITING:
                await self._asked(bench, run, human)
        shown = concluded(run, bench.around, model=model.name)
        return Came(
            suite=suite,
            task=case.task.ID,
            attack=case.attack.ID if case.attack else "",
            by_words=started.injection is not None and not started.injection.calls,
            obeyed=model.obeyed,
            done=started.is_done(run.text),
            breached=started.is_breached(run.text),
            shown=started.is_breached("\n".join(one.text for one in shown.sentences)),
            seen=human.seen,
        )

    def _begun(self, parts: Parts) -> tuple[Bench, Run]:
        ts = f"{next(self._numbers)}.000100"
        job = AgentJob(TEAM, CHANNEL, USER, ts=ts, thread_ts=ts, place=Place.CHANNEL.value)
        caller = Caller(TEAM, CHANNEL, USER, ts, Place.CHANNEL)
        watch = Watch(Switch(self._store), ThreadStops(self._store), job)
        diary = Diary(self._audit, job, parts.clock)
        around = Surroundings(caller, Audience.everyone())
        return Bench(parts, job, around, watch, diary, _not_yet), run_of(job)

    async def _asked(self, bench: Bench, run: Run, human: Human) -> None:
        """Put the card of a waiting run before the human, and carry every click to the gate."""
        card = await decided(bench.parts, run)
        assert card is not None and card.proposal is not None
        for decision in human.decisions(card.proposal, TEAM, CHANNEL, CARD):
            await self._approvals.decide(decision, may_decide=_in_the_room)


async def _in_the_room(user: str, channel: str) -> bool:
    return (user, channel) == (USER, CHANNEL)


async def _not_yet(run: Run) -> None:
    raise AssertionError("A run is saved in its row.")
