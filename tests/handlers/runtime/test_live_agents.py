"""A worker takes up the tools that there are when a job begins."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from bot.client import make_client
from bot.conversation import Mention
from handlers.adapters.openai_agent import OpenAIToolModel
from handlers.adapters.sqlite_audit import SqliteAudit
from handlers.adapters.sqlite_store import SqliteStore
from handlers.answering.worker import Handled
from handlers.runtime.live_agents import LiveAgentWorker
from handlers.tools.approvals import Approvals
from handlers.tools.parts import Parts
from handlers.tools.ports import Effect, Tool, ToolContext, ToolResult
from handlers.tools.worker import AgentWorker
from handlers.work.claims import Claims
from handlers.work.jobs import AgentJob
from handlers.work.seal import Seal
from index.audience import Audience


@dataclass(frozen=True)
class Named:
    name: str
    description: str = "Does nothing."
    effect: Effect = Effect.READ

    @property
    def parameters(self) -> Mapping[str, object]:
        return {"type": "object"}

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        return ToolResult("done")


async def test_a_tool_that_was_approved_meanwhile_is_there_for_the_next_job(tmp_path: Path) -> None:
    store, log = SqliteStore(tmp_path / "state.sqlite"), SqliteAudit(tmp_path / "audit.sqlite")
    model = OpenAIToolModel(model="m", api_key="", base_url="http://127.0.0.1:9/v1")
    made: list[list[str]] = []
    bare = Parts(model=model, tools=(), approvals=Approvals(store), audit=log)
    tools: tuple[Tool, ...] = (Named("a"),)

    async def parts() -> Parts:
        return replace(bare, tools=tools)

    async def alone(mention: Mention) -> Audience | None:
        return None

    async def nobody() -> str:
        return "U1"

    def make(given: Parts) -> AgentWorker:
        made.append([tool.name for tool in given.tools])
        return AgentWorker(
            client=make_client("xoxb-1", "http://127.0.0.1:9/"),
            bot_user_id=nobody,
            audience_of=alone,
            parts=given,
            store=store,
            claims=Claims(store, lease_seconds=15.0),
            seal=Seal("s"),
        )

    worker = LiveAgentWorker(parts, make, await parts())
    # A job of a command ends at once, whatever the tools are.
    job = AgentJob("T", "C", "U", "1.1", "1.1", place="command")
    for number, now in enumerate([(Named("a"),), (Named("a"), Named("b")), (Named("a"),) * 1]):
        tools = cast(tuple[Tool, ...], now)
        assert await worker.handle(replace(job, ts=f"{number}.0")) == Handled()
    assert made == [["a"], ["a", "b"], ["a"]]
    assert not worker.token_refused
    await store.close()
    await log.close()
    await model.aclose()
