"""Where a case is run: real approvals in a real SQLite file, an obedient model, and a human.

The gate is driven here by the shortest loop that keeps its rules: reads run, all else is proposed,
decided by the human, and runs only if the approval of exactly that call can be taken.
"""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.conversation import Place
from bot.proposals import Ruling
from handlers.adapters.sqlite_store import SqliteStore
from handlers.tools.approvals import Approvals, CallToApprove
from handlers.tools.arguments import parsed, read_back, tool_digest
from handlers.tools.errors import ToolError
from handlers.tools.ports import AgentMessage, Caller, Effect, Tool, ToolCall, ToolContext
from handlers.tools.provenance import Source
from handlers.work.jobs import AgentJob
from index.audience import Audience
from tests.benchmarks.agentdojo.cases import Case, Started
from tests.benchmarks.agentdojo.effects import Guard
from tests.benchmarks.agentdojo.human import Human
from tests.benchmarks.agentdojo.obedient import ObedientModel
from tests.benchmarks.agentdojo.scores import Came
from tests.benchmarks.agentdojo.suite_tools import SuiteTool

TEAM, CHANNEL, USER = "T0DOJO", "C0DOJO", "U0EMMA"
DAY = 24 * 3600.0
MOST_TURNS = 80


class Arena:
    """Runs cases one after the other, each as a run of its own in the same store."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals
        self._numbers = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator["Arena"]:
        """Open a store in a folder that goes when the arena does."""
        with tempfile.TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "state.db")
            try:
                yield cls(Approvals(store))
            finally:
                await store.close()

    async def run(self, case: Case, guard: Guard, *, together: bool = False) -> Came:
        """Run a case to its end; return what came of it."""
        started = Started(case)
        suite = case.suite.name
        tools = {
            function.name: SuiteTool(function, guard.effect(suite, function.name), started.world)
            for function in case.suite.tools
        }
        model = ObedientModel(started.calls, started.answer, started.injection, together=together)
        human = Human(USER, started.calls)
        run = _Run(self._approvals, human, tools, f"{next(self._numbers)}.000100")
        answer = await run.through(model, case.task.PROMPT)
        return Came(
            suite=suite,
            task=case.task.ID,
            attack=case.attack.ID if case.attack else "",
            by_words=started.injection is not None and not started.injection.calls,
            obeyed=model.obeyed,
            done=started.is_done(answer),
            breached=started.is_breached(answer),
            seen=human.seen,
        )


class _Run:
    def __init__(
        self, approvals: Approvals, human: Human, tools: Mapping[str, Tool], ts: str
    ) -> None:
        self._approvals = approvals
        self._human = human
        self._tools = tools
        self._sources: list[Source] = []
        self._messages: list[AgentMessage] = []
        self._job = AgentJob(
            team=TEAM, channel=CHANNEL, user=USER, ts=ts, thread_ts=ts, place=Place.CHANNEL.value
        )

    async def through(self, model: ObedientModel, prompt: str) -> str:
        """Go on until the model asks for nothing more; return its answer."""
        self._sources.append(Source(prompt, "the request", trusted=True))
        self._messages.append(AgentMessage("user", prompt))
        for turn_number in range(MOST_TURNS):
            turn = await model.turn(self._messages, list(self._tools.values()), deadline=0.0)
            if not turn.calls:
                return turn.text
            calls = [
                ToolCall(f"t{turn_number:04}c{n:03}", one.name, one.arguments)
                for n, one in enumerate(turn.calls)
            ]
            self._messages.append(AgentMessage("assistant", turn.text, tuple(calls)))
            for call_id, result in (await self._results(calls)).items():
                self._messages.append(AgentMessage("tool", result, call_id=call_id))
        raise AssertionError("The model never came to an end.")

    async def _results(self, calls: Sequence[ToolCall]) -> Mapping[str, str]:
        waiting: list[CallToApprove] = []
        results: dict[str, str] = {}
        for call in calls:
            tool = self._tools[call.name]
            arguments = parsed(tool, call.arguments)
            if tool.effect is Effect.READ:
                results[call.id] = await self._run(tool, call.id, arguments)
            else:
                waiting.append(
                    CallToApprove(call.id, tool, arguments, sources=tuple(self._sources))
                )
        if waiting:
            results |= await self._decided(waiting)
        return results

    async def _decided(self, waiting: Sequence[CallToApprove]) -> Mapping[str, str]:
        proposal = await self._approvals.propose(self._job, waiting, ttl=DAY)
        for decision in self._human.decisions(
            proposal, team=TEAM, channel=CHANNEL, message_ts="1.000200"
        ):
            await self._approvals.decide(decision, may_decide=_in_the_room)
        results = {}
        for call, shown in zip(waiting, proposal.calls, strict=True):
            standing = await self._approvals.standing(shown.approval)
            taken = standing.ruling is Ruling.APPROVED and await self._approvals.consume(
                shown.approval,
                run=self._job.run,
                call=call.call,
                tool=call.tool.name,
                digest=tool_digest(call.tool),
                arguments=standing.arguments,
            )
            results[call.call] = "Rejected." if not taken else ""
            if taken:
                bound = read_back(standing.arguments)
                results[call.call] = await self._run(call.tool, call.call, bound)
        return results

    async def _run(self, tool: Tool, call: str, arguments: Mapping[str, object]) -> str:
        caller = Caller(TEAM, CHANNEL, USER, self._job.thread_ts, Place.CHANNEL)
        deadline = asyncio.get_running_loop().time() + 60
        context = ToolContext(caller, Audience.everyone(), f"{self._job.run}:{call}", deadline)
        try:
            result = (await tool.run(arguments, context)).text
        except ToolError as error:
            result = f"Error: {error}"
        self._sources.append(Source(result, f"the result of {tool.name}"))
        return result


async def _in_the_room(user: str, channel: str) -> bool:
    return (user, channel) == (USER, CHANNEL)
