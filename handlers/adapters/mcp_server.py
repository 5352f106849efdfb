"""The MCP server: search, open and ask over stdio and streamable HTTP, by the official SDK.

::

    stdio   whoever starts it is who the operator says it is
    HTTP    Authorization: Bearer TOKEN ─▶ a caller of the operator's file ─▶ what it may read
            no token, or one that nobody was given ─▶ 401, before anything is looked at

Each caller has limits of its own, by the hour and by the day; at one of them a call is an error
that says when to come back.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from datetime import UTC, date, datetime
from typing import Any, Final

import mcp_types as mcp
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings

from handlers.adapters.mcp_callers import McpCaller, McpCallers
from handlers.adapters.mcp_documents import Documents
from handlers.adapters.mcp_limits import TooManyCalls
from handlers.tools.errors import ToolError
from index.errors import KnowledgeError

PATH: Final = "/mcp"
LARGEST_REQUEST: Final = 256 * 1024
MOST_CONNECTIONS: Final = 200

INSTRUCTIONS: Final = (
    "Answers from a company's documents, with quotes that can be checked. Use ask for a question,"
    " search to look around, and open to read on."
)

_CALLER = "footnote.caller"

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def server_of(documents: Documents, caller: Callable[[Any], McpCaller]) -> Server[Any]:
    """Return the server; ``caller`` tells from a request's context who reads the result."""

    async def listed(
        _context: Any, _params: mcp.PaginatedRequestParams | None
    ) -> mcp.ListToolsResult:
        looks = mcp.ToolAnnotations(read_only_hint=True, open_world_hint=False)
        return mcp.ListToolsResult(
            tools=[
                mcp.Tool(
                    name=way.name,
                    description=way.description,
                    input_schema=dict(way.parameters),
                    annotations=looks,
                )
                for way in documents.ways()
            ]
        )

    async def called(context: Any, params: mcp.CallToolRequestParams) -> mcp.CallToolResult:
        try:
            told = await documents.call(params.name, params.arguments, caller(context))
        except TooManyCalls as error:
            return _error("TooManyCalls", str(error), retryable=True, seconds=error.seconds)
        except ToolError as error:
            return _error(type(error).__name__, str(error), retryable=error.retryable)
        except KnowledgeError as error:
            # Its sentence is for the operator, and may name files and addresses.
            log.warning("a call over MCP failed", extra={"reason": type(error).__name__})
            sentence = "The documents cannot be searched at the moment."
            return _error(type(error).__name__, sentence, retryable=error.retryable)
        except Exception as error:
            log.warning("a call over MCP failed", extra={"reason": type(error).__name__})
            return _error("Failed", "Something went wrong here. Try again later.", retryable=True)
        content: list[mcp.ContentBlock] = [mcp.TextContent(text=told.text)]
        return mcp.CallToolResult(content=content, structured_content=dict(told.data))

    return Server("footnote", instructions=INSTRUCTIONS, on_list_tools=listed, on_call_tool=called)


async def serve_stdio(documents: Documents, caller: McpCaller) -> None:
    """Answer whoever started this process, as ``caller``, until they close its input."""
    server = server_of(documents, lambda _context: caller)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


@contextlib.asynccontextmanager
async def serving_http(
    documents: Documents,
    callers: McpCallers,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    today: Callable[[], date] = lambda: datetime.now(UTC).date(),
) -> AsyncIterator[str]:
    """Serve the callers over HTTP while the block is open; yields the address. Raises OSError."""
    server = server_of(documents, lambda context: context.request.scope[_CALLER])
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        # No session: each request brings its token, and a token sees no more than its own.
        stateless_http=True,
        max_request_body_size=LARGEST_REQUEST,
        # A page in somebody's browser cannot know a token, whatever name it reaches us by.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    listening = socket.create_server((host, port))
    config = uvicorn.Config(
        gate(app, callers, today),
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=5,
    )
    http = _Unsignalled(config)
    task = asyncio.create_task(http.serve(sockets=[listening]))
    try:
        await _first_of(task, asyncio.create_task(http.ready.wait()))
        yield f"http://{host}:{listening.getsockname()[1]}{PATH}"
    finally:
        http.should_exit = True
        await task


def gate(app: App, callers: McpCallers, today: Callable[[], date]) -> App:
    """Return the app for those alone who hold a token."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            caller = callers.of(_bearer(scope), today())
            if caller is None:
                await _refuse(send)
                return
            log.info("a caller came over MCP", extra={"caller": caller.name})
            scope = {**scope, _CALLER: caller}
        await app(scope, receive, send)

    return guarded


class _Unsignalled(uvicorn.Server):
    """Leaves signals to the program that it runs in, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _first_of(serving: asyncio.Task[None], ready: asyncio.Task[Any]) -> None:
    await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()


def _bearer(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return ""
    kind, _, token = given[0].decode("latin-1").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _refuse(send: Send) -> None:
    sentence = b'{"error":"unauthorized","message":"Send a token that the operator gave you."}'
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(sentence)).encode()),
        (b"www-authenticate", b'Bearer realm="footnote"'),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": sentence})


def _error(
    kind: str, sentence: str, *, retryable: bool, seconds: int | None = None
) -> mcp.CallToolResult:
    content: list[mcp.ContentBlock] = [mcp.TextContent(text=sentence)]
    error: dict[str, object] = {"kind": kind, "message": sentence, "retryable": retryable}
    if seconds is not None:
        error["retry_after_seconds"] = seconds
    return mcp.CallToolResult(content=content, structured_content={"error": error}, is_error=True)
