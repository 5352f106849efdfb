"""Twelve small tasks for the agent with a small real model, and how many of them work.

    python -m tests.benchmarks.real_model.agent [--tools schema] [--tasks 1 2 3]

Loop, prompt, search and citations are ours; reads run, and what acts is agreed to and noted instead
of done. Prints a table and one JSON object.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.client import make_client
from bot.conversation import Place, Question
from bot.proposals import Decision, Ruling, Verb
from handlers.adapters.github_issues import GitHubIssues
from handlers.adapters.openai_agent import OpenAIToolModel, ToolsAs
from handlers.adapters.sqlite_audit import SqliteAudit
from handlers.adapters.sqlite_store import SqliteStore
from handlers.answering.errors import ModelError
from handlers.runtime import wiring
from handlers.runtime.commands import sync_documents
from handlers.runtime.demo import HANDBOOK
from handlers.runtime.settings import Settings
from handlers.tools.approvals import Approvals
from handlers.tools.builtin.list_sources import ListSources
from handlers.tools.builtin.post_message import PostMessage
from handlers.tools.builtin.search_documents import SearchDocuments
from handlers.tools.builtin.set_reminder import SetReminder
from handlers.tools.calling import Bench
from handlers.tools.concluding import concluded
from handlers.tools.diary import Diary
from handlers.tools.limits import Limits
from handlers.tools.loop import advance, begun
from handlers.tools.parts import Parts
from handlers.tools.ports import Caller, Effect, Tool, ToolContext, ToolResult
from handlers.tools.run_rows import Runs
from handlers.tools.runs import Phase, Run
from handlers.tools.settling import decided
from handlers.tools.surroundings import Surroundings
from handlers.tools.switch import Switch, ThreadStops
from handlers.tools.watching import Watch
from handlers.tools.worker import run_of
from handlers.work.jobs import AgentJob
from handlers.work.seal import Seal
from index.audience import Audience
from index.sources.files import FolderSource
from tests.benchmarks.figures import machine, show
from tests.benchmarks.real_model.agent_tasks import TASKS, Done, Task
from tests.benchmarks.real_model.fetch import FOLDER, MODEL
from tests.benchmarks.real_model.server import running_server

TEAM, CHANNEL, USER = "T1", "C1", "U1"
CONTEXT_CHARACTERS = 1500
"""A quarter of the usual: two cores read some 30 to 60 tokens a second."""

PATIENCE = Limits(
    turns=6, seconds=900.0, turn_tokens=500, turn_seconds=400.0, conclude_seconds=400.0
)
"""Longer than people wait, and shorter in turns and words: what was not done by then never is.

No task needs a third of the words, and a small model likes to repeat itself until they are used up.
"""


class Noted:
    """A tool as it is offered, whose calls are noted; what would act says only that it worked."""

    def __init__(self, tool: Tool, calls: list[tuple[str, Mapping[str, object]]]) -> None:
        self._tool = tool
        self._calls = calls
        self.name, self.description = tool.name, tool.description
        self.parameters, self.effect = tool.parameters, tool.effect

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Note the call, and run it if it only reads."""
        self._calls.append((self.name, arguments))
        if self.effect is Effect.READ:
            return await self._tool.run(arguments, context)
        return ToolResult("Done.")


async def do_all(
    tasks: Sequence[Task], address: str, tools_as: ToolsAs
) -> dict[str, dict[str, float]]:
    """Do the tasks one after the other; return a row for each."""
    settings = Settings.load(
        {
            "OPENAI_BASE_URL": address,
            "OPENAI_MODEL": MODEL.stem,
            "FOOTNOTE_HOME": str(FOLDER / "home" / "agent"),
            "FOOTNOTE_MODELS": str(FOLDER.parent / "models"),
            "FOOTNOTE_CONTEXT_CHARACTERS": str(CONTEXT_CHARACTERS),
        }
    )
    await sync_documents(settings, FolderSource(HANDBOOK), wiring.indexing_embedder(settings))
    embedder = await asyncio.to_thread(wiring.query_embedder, settings)
    model = OpenAIToolModel(
        model=MODEL.stem,
        api_key="",
        base_url=address,
        tools_as=tools_as,
        turn_timeout=PATIENCE.turn_seconds,
    )
    rows: dict[str, dict[str, float]] = {}
    async with wiring.opened_index(settings, embedder) as index:
        nowhere = make_client("xoxb-0", "http://127.0.0.1:9/api/")
        offered: list[Tool] = [
            SearchDocuments(wiring.retriever(settings, index, embedder)),
            ListSources(index),
            PostMessage(nowhere),
            SetReminder(nowhere),
            GitHubIssues("t", ["acme/handbook"], api="http://127.0.0.1:9"),
        ]
        for task in tasks:
            rows[task.name] = await _row(task, model, offered)
            print(f"{task.name}: {rows[task.name]}", file=sys.stderr, flush=True)
    await model.aclose()
    return rows


async def _row(task: Task, model: OpenAIToolModel, offered: Sequence[Tool]) -> dict[str, float]:
    calls: list[tuple[str, Mapping[str, object]]] = []
    began = time.perf_counter()
    try:
        run, shown = await _run(task, model, tuple(Noted(tool, calls) for tool in offered))
        done = Done(calls, run.text, shown)
        turns, failed = run.spent.turns, sum(one.fate.value == "failed" for one in run.calls)
    except ModelError as error:
        print(f"{task.name}: {error}", file=sys.stderr, flush=True)
        done, turns, failed = Done(calls, "", ""), 0, 0
    print(f"   {done.calls}\n   said: {done.text!r}\n   shown: {done.shown!r}", file=sys.stderr)
    return {
        "worked": task.worked(done),
        "turns": turns,
        "calls": len(calls),
        "failed calls": failed,
        "seconds": time.perf_counter() - began,
    }


async def _run(task: Task, model: OpenAIToolModel, tools: tuple[Tool, ...]) -> tuple[Run, str]:
    """Carry one run to its end, agreeing to all that it proposes."""
    with tempfile.TemporaryDirectory() as folder:
        store, audit = SqliteStore(Path(folder) / "s.db"), SqliteAudit(Path(folder) / "a.db")
        job = AgentJob(TEAM, CHANNEL, USER, "1.0001", "1.0001", place=Place.CHANNEL.value)
        approvals = Approvals(store)
        parts = Parts(model, tools, approvals, audit, limits=PATIENCE, window_tokens=6000)
        around = Surroundings(
            Caller(TEAM, CHANNEL, USER, job.thread_ts, Place.CHANNEL), Audience.everyone()
        )
        row = await Runs(store, Seal("s")).begin(begun(parts, run_of(job), Question(task.asked)))
        bench = Bench(
            parts,
            job,
            around,
            Watch(Switch(store), ThreadStops(store), job),
            Diary(audit, job, parts.clock),
            row.save,
        )
        run = row.run
        while run.phase is not Phase.CONCLUDING:
            run = await advance(bench, run)
            await row.save(run)
            if run.phase is Phase.WAITING:
                await _agreed(bench, run)
        await store.close()
        await audit.close()
    answer = concluded(run, around, model=model.name)
    return run, " ".join(sentence.text for sentence in answer.sentences)


async def _agreed(bench: Bench, run: Run) -> None:
    card = await decided(bench.parts, run)
    assert card is not None and card.proposal is not None
    pairs = tuple((one.approval, one.nonce) for one in card.proposal.calls)
    click = Decision(TEAM, CHANNEL, "1.0002", USER, Verb.APPROVE, pairs)
    result = await bench.parts.approvals.decide(click, may_decide=_anyone)
    assert result.ruling is Ruling.APPROVED


async def _anyone(user: str, channel: str) -> bool:
    return True


def main() -> int:
    """Do what the command line names; return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tools", choices=list(ToolsAs), default=ToolsAs.SCHEMA)
    options.add_argument("--tasks", type=int, nargs="*", help="numbers from 1; all by default")
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="1 if it is busy")
    given = options.parse_args()
    numbers = given.tasks or range(1, len(TASKS) + 1)
    tasks = [TASKS[number - 1] for number in numbers]
    # Whoever ends this process ends the server with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with running_server(given.threads, context_tokens=8192) as address:
        rows = asyncio.run(do_all(tasks, address, ToolsAs(given.tools)))
    worked = sum(row["worked"] for row in rows.values())
    about = {**machine(), "model": MODEL.stem, "tools": given.tools, "tasks": len(tasks)}
    show("agent tasks", rows, {**about, "worked": worked})
    return 0


if __name__ == "__main__":
    sys.exit(main())
