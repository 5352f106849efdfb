"""A worker that dies at one exact moment, as a killed process does: nothing of it goes on.

Each call of store, Slack, model, tool and audit log has two such moments: before it takes effect,
and after it did but before anybody heard of it. Everything the dead worker tries afterwards, in an
exception handler or in a task of its own, fails without an effect.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.client import SlackClient, make_client
from handlers.tools.audit import AuditEntry
from handlers.tools.ports import (
    AgentMessage,
    ModelTurn,
    Tool,
    ToolContext,
    ToolModel,
    ToolResult,
    Traceable,
)
from handlers.work.ports import Item, StateStore


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Fate:
    """Counts the moments of one worker, and ends it at number ``at``, or at the first so ``named``.

    With neither it lives.
    """

    at: int = 0
    named: str = ""
    passed: int = 0
    dead: bool = False
    where: str = ""

    def moment(self, where: str) -> None:
        """Pass one moment, or die at it."""
        if self.dead:
            raise Killed
        self.passed += 1
        if self.passed == self.at or (self.named and where == self.named):
            self.dead, self.where = True, where
            raise Killed


class MortalStore:
    """A state store in the hands of a worker that may die."""

    def __init__(self, store: StateStore, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    async def get(self, key: str) -> Item | None:
        self._fate.moment(f"get {key}")
        return await self._store.get(key)

    async def put_if_absent(self, key: str, value: Mapping[str, object], ttl: float) -> str | None:
        self._fate.moment(f"before put_if_absent {key}")
        written = await self._store.put_if_absent(key, value, ttl)
        self._fate.moment(f"after put_if_absent {key}")
        return written

    async def replace(
        self, key: str, value: Mapping[str, object], ttl: float, revision: str
    ) -> str | None:
        self._fate.moment(f"before replace {key}")
        written = await self._store.replace(key, value, ttl, revision)
        self._fate.moment(f"after replace {key}")
        return written

    async def put(self, key: str, value: Mapping[str, object], ttl: float) -> None:
        self._fate.moment(f"before put {key}")
        await self._store.put(key, value, ttl)
        self._fate.moment(f"after put {key}")

    async def delete(self, key: str, revision: str | None = None) -> bool:
        self._fate.moment(f"before delete {key}")
        deleted = await self._store.delete(key, revision)
        self._fate.moment(f"after delete {key}")
        return deleted


class MortalClient(SlackClient):
    """A Slack client in the hands of a worker that may die."""

    fate: Fate

    @classmethod
    def at(cls, url: str, fate: Fate) -> "MortalClient":
        """Return a client of the Slack at ``url``."""
        plain = make_client("xoxb-1", url)
        client = cls(
            token=plain.token, base_url=plain.base_url, timeout=plain.timeout, logger=plain._logger
        )
        client.fate = fate
        return client

    async def api_call(self, api_method: str, **more: Any) -> AsyncSlackResponse:  # type: ignore[override]
        self.fate.moment(f"before {api_method}")
        # What was sent arrives, whatever becomes of the sender.
        response = await asyncio.shield(super().api_call(api_method, **more))
        self.fate.moment(f"after {api_method}")
        return response


@dataclass
class MortalModel:
    """A model that is asked by a worker that may die."""

    model: ToolModel
    fate: Fate

    @property
    def name(self) -> str:
        return self.model.name

    async def turn(
        self,
        messages: Sequence[AgentMessage],
        tools: Sequence[Tool],
        *,
        deadline: float,
        most_tokens: int,
        conclude: bool = False,
    ) -> ModelTurn:
        self.fate.moment("before the model")
        turn = await self.model.turn(
            messages, tools, deadline=deadline, most_tokens=most_tokens, conclude=conclude
        )
        self.fate.moment("after the model")
        return turn


@dataclass
class MortalTool:
    """A tool that is run by a worker that may die."""

    tool: Any
    fate: Fate

    @property
    def name(self) -> str:
        return str(self.tool.name)

    @property
    def description(self) -> str:
        return str(self.tool.description)

    @property
    def parameters(self) -> Mapping[str, object]:
        return dict(self.tool.parameters)

    @property
    def effect(self) -> Any:
        return self.tool.effect

    @property
    def fleeting(self) -> bool:
        return bool(self.tool.fleeting)

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        self.fate.moment(f"before {self.name}")
        result: ToolResult = await self.tool.run(arguments, context)
        self.fate.moment(f"after {self.name}")
        return result

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        self.fate.moment(f"before undoing {self.name}")
        result: ToolResult = await self.tool.undo(undo, context)
        self.fate.moment(f"after undoing {self.name}")
        return result


class MortalTraceable(MortalTool):
    """A tool that is run, and asked what it did, by a worker that may die."""

    async def done_before(
        self, arguments: Mapping[str, object], context: ToolContext
    ) -> ToolResult | None:
        self.fate.moment(f"before looking for {self.name}")
        result: ToolResult | None = await self.tool.done_before(arguments, context)
        self.fate.moment(f"after looking for {self.name}")
        return result


def mortal(tool: Tool, fate: Fate) -> MortalTool:
    """Return a tool as a worker has it that may die."""
    return (MortalTraceable if isinstance(tool, Traceable) else MortalTool)(tool, fate)


@dataclass
class MortalAudit:
    """An audit log that is written by a worker that may die."""

    audit: Any
    fate: Fate

    async def append(self, entry: AuditEntry) -> None:
        self.fate.moment(f"before noting {entry.event}")
        await self.audit.append(entry)
        self.fate.moment(f"after noting {entry.event}")

    async def read(self, since: object, until: object) -> AsyncIterator[AuditEntry]:
        async for entry in self.audit.read(since, until):
            yield entry
