"""A connection to one MCP server, over stdio or streamable HTTP.

::

    closed ── first call ─▶ open ── it died, was silent, or forgot us ─▶ closed

A task of its own enters and leaves the SDK's contexts, which must happen in one task; any other
may call in between. What is asked is never asked twice by itself, for a call may have changed
something; a listing changes nothing, so that is tried once more on a fresh connection.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeVar

import anyio
import httpx2
from mcp import Client
from mcp.client import ClientSession
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    REQUEST_TIMEOUT,
    CallToolResult,
    Implementation,
    PaginatedRequestParams,
    Tool,
)
from pydantic import ValidationError

from handlers.adapters.mcp_servers import McpServer
from handlers.adapters.mcp_transports import transport
from handlers.answering.cleaning import one_line
from handlers.tools.errors import ToolRefused, ToolUnavailable

OPEN_SECONDS: Final = 20.0
"""How long a server may take to start, to shake hands, and to list its tools."""

CLOSE_SECONDS: Final = 10.0
MOST_PAGES: Final = 20
MOST_TOOLS: Final = 200

_LONGEST_REASON = 300
_UNKNOWN = " Nobody knows whether it was done."
_GONE = (OSError, httpx2.HTTPError, anyio.ClosedResourceError, anyio.BrokenResourceError)

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Open:
    """A session, and the task that holds it open until ``stop`` is set."""

    session: ClientSession
    task: asyncio.Task[None]
    stop: asyncio.Event


class McpConnection:
    """One server. Nothing is started or asked before it is needed; ``close`` when done."""

    def __init__(self, server: McpServer, *, open_seconds: float = OPEN_SECONDS) -> None:
        """Keep what is known of the server. ``open_seconds`` bounds a start, and a listing."""
        self.server = server
        self._seconds = open_seconds
        self._open: _Open | None = None
        self._opening = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    async def listed(self) -> tuple[Tool, ...]:
        """Return all tools as they are defined at this moment. Raises ToolUnavailable."""
        was_open = self._open
        try:
            return await self._ask(_all_tools, self._seconds)
        except (ToolUnavailable, ToolRefused) as error:
            # A server that was started anew does not know its old sessions.
            await self._drop(self._open)
            if was_open is None:
                raise ToolUnavailable(str(error)) from error
        try:
            return await self._ask(_all_tools, self._seconds)
        except ToolRefused as error:
            raise ToolUnavailable(str(error)) from error

    async def call(
        self, tool: str, arguments: dict[str, object], *, seconds: float
    ) -> CallToolResult:
        """Call a tool by the server's name for it, once. Raises ToolUnavailable, ToolRefused."""

        async def work(session: ClientSession) -> CallToolResult:
            return await session.call_tool(tool, arguments)

        return await self._ask(work, seconds, unknown=_UNKNOWN)

    async def close(self) -> None:
        """End the session, and the program if there is one. It may be used again."""
        async with self._opening:
            await self._drop(self._open)
        if self._ending:
            await asyncio.wait(self._ending, timeout=CLOSE_SECONDS)

    async def _ask(
        self,
        work: Callable[[ClientSession], Awaitable[T]],
        seconds: float,
        *,
        unknown: str = "",
    ) -> T:
        """Do some work on an open session; ``unknown`` is said where it may have been done."""
        name = self.server.name
        held = await self._opened()
        try:
            async with asyncio.timeout(seconds):
                return await work(held.session)
        except TimeoutError as error:
            raise ToolUnavailable(f"The server {name} did not answer in time.{unknown}") from error
        except MCPError as error:
            if error.code in (CONNECTION_CLOSED, REQUEST_TIMEOUT) or held.task.done():
                await self._drop(held)
                raise ToolUnavailable(f"The server {name} did not answer.{unknown}") from error
            said = one_line(error.message)[:_LONGEST_REASON].rstrip(".")
            raise ToolRefused(f"The server {name} refused: {said}.") from error
        except (ValidationError, RuntimeError) as error:
            # Also what does not fit the schema that the server itself gives for its results.
            raise ToolRefused(
                f"The server {name} answered what cannot be read.{unknown}"
            ) from error
        except _GONE as error:
            await self._drop(held)
            raise ToolUnavailable(f"The server {name} did not answer.{unknown}") from error

    async def _opened(self) -> _Open:
        async with self._opening:
            if self._open is not None and self._open.task.done():
                self._open = None
            if self._open is None:
                self._open = await self._start()
            return self._open

    async def _start(self) -> _Open:
        ready: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        task = asyncio.create_task(self._hold(ready, stop))
        try:
            await asyncio.wait(
                (task, ready), timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED
            )
        except BaseException:
            self._track(task)
            task.cancel()
            raise
        if ready.done():
            return _Open(ready.result(), task, stop)
        self._track(task)
        task.cancel()
        raise ToolUnavailable(f"The server {self.server.name} cannot be reached.")

    async def _hold(self, ready: asyncio.Future[ClientSession], stop: asyncio.Event) -> None:
        """Open a session, hold it until ``stop``, and close it, all in this one task."""
        try:
            async with AsyncExitStack() as stack:
                client = Client(
                    await transport(self.server, stack),
                    client_info=Implementation(name="footnote", version="1"),
                    cache=None,
                )
                ready.set_result((await stack.enter_async_context(client)).session)
                await stop.wait()
        except Exception as error:
            # A group of errors as often as not; what it holds may repeat what a server sent.
            log.warning(
                "a connection to an MCP server ended",
                extra={"server": self.server.name, "reason": type(error).__name__},
            )

    async def _drop(self, held: _Open | None) -> None:
        if held is None:
            return
        if self._open is held:
            self._open = None
        held.stop.set()
        self._track(held.task)

    def _track(self, task: asyncio.Task[None]) -> None:
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _all_tools(session: ClientSession) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        params = PaginatedRequestParams(cursor=cursor) if cursor else None
        page = await session.list_tools(params=params)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor or len(tools) > MOST_TOOLS:
            break
    return tuple(tools[:MOST_TOOLS])
