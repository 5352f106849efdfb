"""An agent at work in a local Slack: a scripted model over HTTP, tools that count, real parts.

Queue and store are SQLite files, so that a process can be killed and another one go on.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.client import bot_user_id, make_client
from bot.conversation import Mention
from bot.playground import Playground
from bot.proposals import Decision, Proposal, Ruling, Verb
from handlers.adapters.openai_agent import OpenAIToolModel
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.tools.approvals import Approvals
from handlers.tools.audit import AuditEntry
from handlers.tools.errors import ToolError
from handlers.tools.limits import Limits
from handlers.tools.parts import Parts
from handlers.tools.ports import Effect, Tool, ToolContext, ToolResult
from handlers.tools.run_rows import Runs
from handlers.tools.runs import CallState, Run
from handlers.tools.worker import AgentWorker
from handlers.work.claims import Claims
from handlers.work.deliveries import DELIVERIES, LEASE_SECONDS
from handlers.work.jobs import AgentJob
from handlers.work.ports import StateStore
from handlers.work.seal import Seal
from index.audience import Audience

TOKEN = "xoxb-1"
LOOK_UP = {
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
    "additionalProperties": False,
}


@dataclass
class CountingTool:
    """A tool that notes each call and answers with a sentence, or raises what comes next."""

    name: str
    effect: Effect = Effect.READ
    says: Callable[[Mapping[str, object]], str] = lambda arguments: "Backups are kept for 35 days."
    parameters: Mapping[str, object] = field(default_factory=lambda: dict(LOOK_UP))
    description: str = "Looks something up."
    url: str = ""
    undo_with: Mapping[str, object] | None = None
    before: Callable[[], Any] | None = None
    fleeting: bool = False
    troubles: list[Exception] = field(default_factory=list)
    ran: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    undone: list[Mapping[str, object]] = field(default_factory=list)

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Note the call and answer."""
        self.ran.append((context.call, arguments))
        if self.before is not None:
            await self.before()
        if self.troubles:
            raise self.troubles.pop(0)
        return ToolResult(self.says(arguments), url=self.url, undo=self.undo_with)

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Note what is taken back."""
        self.undone.append(undo)
        if self.troubles:
            raise self.troubles.pop(0)
        return ToolResult("Taken back.")


@dataclass
class TracingTool(CountingTool):
    """A counting tool that finds again what a call of it did, and notes when it is asked to."""

    looked: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    hidden: list[BaseException | None] = field(default_factory=list)

    async def done_before(
        self, arguments: Mapping[str, object], context: ToolContext
    ) -> ToolResult | None:
        """Note the call, and return what it did; for each that is ``hidden`` not, or raise it."""
        self.looked.append((context.call, arguments))
        if self.hidden:
            trouble = self.hidden.pop(0)
            if trouble is not None:
                raise trouble
            return None
        if (context.call, arguments) not in self.ran:
            return None
        return ToolResult(self.says(arguments), url=self.url, undo=self.undo_with)


class ListedAudit:
    """An audit log in a list."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def append(self, entry: AuditEntry) -> None:
        """Add an entry."""
        self.entries.append(entry)

    async def read(self, since: object, until: object) -> AsyncIterator[AuditEntry]:
        """Yield all entries."""
        for entry in self.entries:
            yield entry

    @property
    def events(self) -> list[str]:
        """What happened, in order."""
        return [entry.event.value for entry in self.entries]


async def everyone(mention: Mention) -> Audience | None:
    """Let everyone see what is said."""
    return Audience.everyone()


@dataclass
class AgentOffice:
    """A playground, an agent, and the ways of the test to it."""

    slack: Playground
    store: StateStore
    queue: SqliteQueue
    parts: Parts
    worker: AgentWorker
    audit: ListedAudit
    clock: Callable[[], float]

    async def ask(self, text: str, *, user: str = "alice") -> AgentJob:
        """Say something to the agent and put its job on the queue."""
        ts = await self.slack.say(user, "general", f"@Footnote agent: {text}")
        job = self.job(ts)
        await self.queue.put(job)
        return job

    def job(self, ts: str, *, step: str = "") -> AgentJob:
        """Return a job of the run that began at ``ts``."""
        channel = self.slack.channel_id("general")
        return AgentJob(
            self.slack.team,
            channel,
            "UALICE",
            ts,
            ts,
            place="channel",
            step=step,
            accepted_at=self.clock(),
        )

    async def run(self, job: AgentJob) -> Run:
        """Return the run as it is saved."""
        row = await Runs(self.store, Seal("s")).load(job.run)
        assert row is not None
        return row.run

    async def decide(self, job: AgentJob, verb: Verb = Verb.APPROVE, **more: Any) -> AgentJob:
        """Decide about all that waits, and return the job that goes on."""
        proposal = await self.waiting(job)
        decision = Decision(
            job.team,
            job.channel,
            "1.1",
            "UBOB",
            verb,
            tuple((call.approval, call.nonce) for call in proposal.calls),
            **more,
        )

        async def anybody(user: str, channel: str) -> bool:
            return True

        decided = await self.parts.approvals.decide(decision, may_decide=anybody)
        assert decided.ruling in (Ruling.APPROVED, Ruling.REJECTED), decided
        return self.job(job.ts, step=f"decided:{proposal.calls[0].approval}")

    async def waiting(self, job: AgentJob) -> Proposal:
        """Return what the run waits for."""
        run = await self.run(job)
        asked = [call.approval for call in run.open_calls if call.state is CallState.ASKED]
        proposal = await self.parts.approvals.proposal(asked)
        assert proposal is not None
        return proposal

    def said(self, job: AgentJob) -> list[str]:
        """Return what stands below the request."""
        return [str(m.get("text", "")) for m in self.slack.messages("general", job.ts)[1:]]


def parts_of(
    base_url: str,
    store: StateStore,
    tools: Sequence[Tool],
    *,
    clock: Callable[[], float] = time.time,
    audit: ListedAudit | None = None,
    **more: Any,
) -> Parts:
    """Return the parts of an agent whose model is at ``base_url``."""
    return Parts(
        model=OpenAIToolModel(
            model="scripted", api_key="", base_url=base_url, turn_timeout=10.0, retry_wait=0.01
        ),
        tools=tuple(tools),
        approvals=Approvals(store, clock=clock),
        audit=audit or ListedAudit(),
        clock=clock,
        **{"limits": Limits(), **more},
    )


def worker_of(
    client: AsyncWebClient,
    store: StateStore,
    parts: Parts,
    *,
    clock: Callable[[], float] = time.time,
    **more: Any,
) -> AgentWorker:
    """Return a worker that works with these parts."""
    return AgentWorker(
        **{
            "client": client,
            "bot_user_id": lambda: bot_user_id(client),
            "audience_of": everyone,
            "parts": parts,
            "store": store,
            "claims": Claims(store, lease_seconds=LEASE_SECONDS, clock=clock),
            "seal": Seal("s"),
            "watch_every": 0.1,
            "clock": clock,
            **more,
        }
    )


@asynccontextmanager
async def opened_office(
    folder: Path,
    base_url: str,
    tools: Sequence[Tool],
    *,
    clock: Callable[[], float] = time.time,
    rate_limits: bool | None = None,
    turns: int = 0,
    **more: Any,
) -> AsyncIterator[AgentOffice]:
    """Open an office with files in ``folder``; ``more`` goes to Parts.

    On a clock that stands still Slack's limits would never let go, so there are none then.
    """
    if rate_limits is None:
        rate_limits = clock is time.time
    if turns:
        more["limits"] = Limits(turns=turns)
    store = SqliteStore(folder / "store.sqlite", clock=clock)
    queue = SqliteQueue(
        folder / "queue.sqlite",
        lease_seconds=LEASE_SECONDS,
        max_attempts=DELIVERIES,
        clock=clock,
    )
    audit = ListedAudit()
    parts = parts_of(base_url, store, tools, clock=clock, audit=audit, **more)
    async with Playground(
        signing_secret="s", bot_token=TOKEN, rate_limits=rate_limits, clock=clock
    ) as slack:
        client = make_client(TOKEN, slack.api_url)
        worker = worker_of(client, store, parts, clock=clock)
        yield AgentOffice(slack, store, queue, parts, worker, audit, clock)
    await parts.model.aclose()  # type: ignore[attr-defined]
    await queue.close()
    await store.close()


__all__ = ["AgentOffice", "CountingTool", "ToolError", "opened_office", "parts_of", "worker_of"]
