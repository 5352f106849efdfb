"""All MCP servers of an operator together: what they list, and what of it may be used."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from handlers.adapters.mcp_client import McpConnection
from handlers.adapters.mcp_servers import McpServer
from handlers.adapters.mcp_tools import McpTool, as_tools, name_of
from handlers.tools.errors import ToolUnavailable
from handlers.tools.pins import Pins, PinState, Standing
from handlers.tools.ports import Tool

FRESH_SECONDS: Final = 60.0
"""How long a listing is good enough to offer tools by; each call looks again."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the servers list. ``left_out`` has a sentence for each tool and server that is not."""

    standings: tuple[Standing, ...]
    left_out: tuple[str, ...] = ()

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools that are as somebody approved them."""
        return tuple(one.tool for one in self.standings if one.state is PinState.APPROVED)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything that is off, and why, for the operator."""
        return (*(_off(one) for one in self.standings if _off(one)), *self.left_out)

    def named(self, tool: str) -> Standing | None:
        """Return how one tool stands, by its name."""
        return next((one for one in self.standings if one.tool.name == tool), None)


class ConnectedTools:
    """Lists the tools of all servers, on connections that stay open; ``close`` when done."""

    def __init__(
        self,
        servers: Sequence[McpServer],
        pins: Pins,
        *,
        taken: Collection[str] = (),
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        """Ask nobody yet. ``taken`` are names of other tools, which no server may use."""
        self._connections = [McpConnection(server) for server in servers]
        self._pins = pins
        self._taken = {name.lower() for name in taken}
        self._fresh = fresh_seconds
        self._last: tuple[float, Listing] | None = None

    async def tools(self) -> tuple[Tool, ...]:
        """Return the approved tools, listed a moment ago at the latest. Raises StoreUnavailable."""
        now = asyncio.get_running_loop().time()
        if self._last is None or now - self._last[0] > self._fresh:
            self._last = (now, await self.listing())
        return self._last[1].tools

    async def listing(self) -> Listing:
        """Ask all servers what they offer, and see how it stands. Raises StoreUnavailable."""
        found = await asyncio.gather(*(self._of(one) for one in self._connections))
        tools = [tool for own, _ in found for tool in own]
        left_out = [sentence for _, own in found for sentence in own]
        left_out += [
            f"{tool.name} is left out: a built-in tool has that name."
            for tool in tools
            if tool.name.lower() in self._taken
        ]
        free = [tool for tool in tools if tool.name.lower() not in self._taken]
        standings = await asyncio.gather(*(self._pins.standing(tool) for tool in free))
        return Listing(tuple(standings), tuple(left_out))

    async def close(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(one.close() for one in self._connections))

    async def _of(self, connection: McpConnection) -> tuple[tuple[McpTool, ...], tuple[str, ...]]:
        server = connection.server
        try:
            listed = await connection.listed()
        except ToolUnavailable as error:
            # What was approved is still offered: a call says that it is not there, and a run that
            # waits for one is not told that its tool has changed.
            return await self._approved(connection), (f"{error} It is asked again later.",)
        tools, left_out = as_tools(connection, listed)
        if server.trust_first:
            await self._pins.trust_first(server.name, tools)
        await self._pins.remember(server.name, [tool.remote for tool in tools])
        return tools, left_out

    async def _approved(self, connection: McpConnection) -> tuple[McpTool, ...]:
        server = connection.server
        names = [one for one in await self._pins.remembered(server.name) if server.admits(one)]
        tools = []
        for remote in names:
            name = name_of(server, remote)
            was = await self._pins.approved(name)
            if was is not None:
                effect = server.effect_of(remote)
                tool = McpTool(name, was.description, was.parameters, effect, remote, connection)
                tools.append(tool)
        return tuple(tools)


@asynccontextmanager
async def connected_tools(
    servers: Sequence[McpServer], pins: Pins, *, taken: Collection[str] = ()
) -> AsyncIterator[ConnectedTools]:
    """Yield the tools of all servers, and end their sessions when the block is left."""
    connected = ConnectedTools(servers, pins, taken=taken)
    try:
        yield connected
    finally:
        await connected.close()


def _off(one: Standing) -> str:
    name = one.tool.name
    if one.state is PinState.NEW:
        return f"{name} is off until you approve it."
    if one.state is PinState.CHANGED:
        return f"{name} has changed since it was approved, and is off until you approve it again."
    return ""
