"""Tools of other people's servers, each pinned as an operator approved it.

    never approved ─▶ new       off until approved
    approved, same ─▶ approved  on
    approved, but other words or another schema ─▶ changed    off until approved again

A server may change what a tool says, and so what a model does with it, at any time. So the whole
definition is kept, and compared by its digest each time: name, description, schema, effect. An
approval is a conditional write: it fails if somebody else has decided since it was looked at.

    mcp-pin:<name of the tool>     the definition, by whom and when
    mcp-first:<name of the server> it has been listed once; only for servers trusted the first time
    mcp-seen:<name of the server>  what it calls its tools, as it listed them last
"""

import difflib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from handlers.tools.arguments import tool_digest
from handlers.tools.ports import Tool
from handlers.work.ports import StateStore

KEPT_SECONDS: Final = 20 * 365 * 24 * 3600.0
"""As good as for ever: a pin that lapsed would turn a tool off for no reason."""

FIRST: Final = "trusted at first"
"""Who approved what a server listed the very first time, where the operator said so."""


class PinState(StrEnum):
    """How a tool stands."""

    APPROVED = "approved"
    NEW = "new"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Standing:
    """How ``tool`` stood when it was looked at.

    ``changes`` are lines that begin with ``-`` for what was approved and ``+`` for what is there
    now. ``revision`` is that of the approval, "" where there is none. ``approved_by`` is empty for
    a new tool.
    """

    tool: Tool
    state: PinState
    digest: str
    changes: tuple[str, ...] = field(default=(), repr=False)
    revision: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Approved:
    """What an operator approved of a tool."""

    description: str
    parameters: Mapping[str, object]


class Pins:
    """Keeps approvals in ``store``. All methods raise StoreUnavailable."""

    def __init__(self, store: StateStore, *, clock: Callable[[], float] = time.time) -> None:
        """Keep the store; ``clock`` counts seconds since the epoch."""
        self._store = store
        self._clock = clock

    async def standing(self, tool: Tool) -> Standing:
        """Tell whether a tool is as it was approved."""
        digest = tool_digest(tool)
        item = await self._store.get(_key(tool))
        if item is None:
            return Standing(tool, PinState.NEW, digest)
        by = str(item.value.get("by", ""))
        if item.value.get("digest") == digest:
            return Standing(tool, PinState.APPROVED, digest, (), item.revision, by)
        changes = tuple(_changes(item.value, _definition(tool)))
        return Standing(tool, PinState.CHANGED, digest, changes, item.revision, by)

    async def approve(self, standing: Standing, by: str) -> bool:
        """Approve a tool as it was looked at; False if somebody decided since then."""
        value = self._value(standing.tool, standing.digest, by)
        key = _key(standing.tool)
        if standing.revision:
            written = await self._store.replace(key, value, KEPT_SECONDS, standing.revision)
        else:
            written = await self._store.put_if_absent(key, value, KEPT_SECONDS)
        return written is not None

    async def withdraw(self, tool: str) -> bool:
        """Forget the approval of a tool, by its name; tell whether there was one."""
        return await self._store.delete(f"mcp-pin:{tool}")

    async def trust_first(self, server: str, tools: Sequence[Tool]) -> None:
        """Approve all that a server lists, if it was never listed before; what comes later waits.

        What was approved or has changed by then keeps its standing.
        """
        if await self._store.get(f"mcp-first:{server}") is not None:
            return
        for tool in tools:
            value = self._value(tool, tool_digest(tool), FIRST)
            await self._store.put_if_absent(_key(tool), value, KEPT_SECONDS)
        # Last, so that a process that dies in between leaves no tool out for good.
        await self._store.put_if_absent(f"mcp-first:{server}", {"at": self._now()}, KEPT_SECONDS)

    async def remember(self, server: str, names: Sequence[str]) -> None:
        """Keep what a server calls its tools, for when it does not answer."""
        value = {"names": sorted(names)}
        item = await self._store.get(f"mcp-seen:{server}")
        if item is None or item.value != value:
            await self._store.put(f"mcp-seen:{server}", value, KEPT_SECONDS)

    async def remembered(self, server: str) -> tuple[str, ...]:
        """Return what a server called its tools when it was listed last."""
        item = await self._store.get(f"mcp-seen:{server}")
        names = item.value.get("names") if item else None
        return tuple(map(str, names)) if isinstance(names, list) else ()

    async def approved(self, tool: str) -> Approved | None:
        """Return how a tool was when it was approved, by its name."""
        item = await self._store.get(f"mcp-pin:{tool}")
        if item is None:
            return None
        description, parameters = item.value.get("description"), item.value.get("parameters")
        if not isinstance(description, str) or not isinstance(parameters, dict):
            return None
        return Approved(description, parameters)

    def _value(self, tool: Tool, digest: str, by: str) -> Mapping[str, object]:
        return {**_definition(tool), "digest": digest, "by": by, "at": self._now()}

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")


def _key(tool: Tool) -> str:
    return f"mcp-pin:{tool.name}"


def _definition(tool: Tool) -> Mapping[str, object]:
    return {
        "description": tool.description,
        "parameters": dict(tool.parameters),
        "effect": tool.effect.value,
    }


def _changes(approved: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Return the lines that differ, each part under its name."""
    lines: list[str] = []
    for part in ("description", "effect", "parameters"):
        before, after = (_lines(one.get(part)) for one in (approved, now))
        differing = [line for line in difflib.ndiff(before, after) if line.startswith(("- ", "+ "))]
        if differing:
            lines += [f"{part}:", *differing]
    return lines


def _lines(value: object) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True)
    return text.splitlines() or [""]
