"""How an MCP server is reached: with nothing of our environment, to no other address, in bounds."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final, cast

import httpx2
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client

from handlers.adapters.mcp_program import program
from handlers.adapters.mcp_servers import McpServer

LONGEST_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of one answer or one event of a server over HTTP."""

CONNECT_SECONDS: Final = 15.0


async def transport(server: McpServer, stack: AsyncExitStack) -> Transport:
    """Return what the SDK's client connects by; what it needs is closed with ``stack``."""
    if server.command:
        return program(server)
    client = await stack.enter_async_context(
        httpx2.AsyncClient(
            headers={**server.headers, "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(CONNECT_SECONDS, read=server.seconds + CONNECT_SECONDS),
            transport=Bounded(),
            trust_env=False,
            follow_redirects=False,
        )
    )
    return streamable_http_client(server.url, http_client=client, max_sse_event_size=LONGEST_ANSWER)


class Bounded(httpx2.AsyncHTTPTransport):
    """Reads no more of an answer than is wanted, and none that is packed, of any size then.

    Events are bounded one by one where they are read, for their stream may go on for days.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request. Raises httpx2.HTTPError."""
        response = await super().handle_async_request(request)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.DecodingError("the answer is packed", request=request)
        if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
            response.stream = _Counted(cast(httpx2.AsyncByteStream, response.stream))
        return response


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        room = LONGEST_ANSWER
        async for piece in self._stream:
            room -= len(piece)
            if room < 0:
                raise httpx2.ReadError("the answer is too large")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
