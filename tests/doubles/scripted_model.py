"""A scripted OpenAI-compatible server: real HTTP, real SSE, one step a request.

It fails the test on a request that no step expects and on a step that no request used.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web


@dataclass(frozen=True)
class Streams:
    """Stream these pieces of text, then end as a good server does, or not quite."""

    pieces: Sequence[str]
    usage: bool = True
    done: bool = True
    finish_reason: str | None = "stop"
    delay: float = 0.0


@dataclass(frozen=True)
class Hangs:
    """Stream these pieces, then say nothing until the client leaves."""

    pieces: Sequence[str] = ()
    headers_first: bool = True


@dataclass(frozen=True)
class Dies:
    """Stream these pieces, then drop the connection."""

    pieces: Sequence[str] = ()


@dataclass(frozen=True)
class Fails:
    """Answer with an HTTP error."""

    status: int
    message: str = "scripted failure"
    retry_after: str | None = None
    param: str | None = None
    body: str | None = None


@dataclass(frozen=True)
class Nonsense:
    """Answer 200 with something that is no completion."""

    kind: Literal[
        "invalid_json", "html", "empty_choices", "no_body", "error_event", "binary", "json"
    ]


Step = Streams | Hangs | Dies | Fails | Nonsense


@dataclass
class Request:
    """What a client sent."""

    path: str
    authorized: bool
    body: dict[str, Any] = field(repr=False)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The messages of the conversation."""
        return list(self.body["messages"])


class ScriptedModel:
    """``async with ScriptedModel(step, ...) as server``: give clients ``server.base_url``."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.requests: list[Request] = []
        self.unexpected: list[str] = []
        self.left_early = 0
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    def then(self, *steps: Step) -> None:
        """Expect more requests."""
        self._steps += steps

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback address."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{bound}/v1"

    async def stop(self) -> None:
        """Close every connection."""
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
        if error is None:
            self.check()

    def check(self) -> None:
        """Raise AssertionError unless each step was used and nothing else was asked."""
        assert not self.unexpected, f"unexpected requests: {self.unexpected}"
        assert not self._steps, f"unused steps: {self._steps}"

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST" or request.path != "/v1/chat/completions" or not self._steps:
            self.unexpected.append(f"{request.method} {request.path}")
            return _error(418, "unexpected request", None)
        step = self._steps.pop(0)
        authorized = request.headers.get("Authorization", "").startswith("Bearer ")
        self.requests.append(Request(request.path, authorized, await request.json()))
        try:
            return await self._play(step, request)
        except (asyncio.CancelledError, ConnectionError):
            self.left_early += 1
            raise

    async def _play(self, step: Step, request: web.Request) -> web.StreamResponse:
        if isinstance(step, Fails):
            response = _error(step.status, step.message, step.param)
            if step.body is not None:
                response = web.Response(status=step.status, text=step.body)
            if step.retry_after is not None:
                response.headers["Retry-After"] = step.retry_after
            return response
        if isinstance(step, Nonsense):
            return await self._nonsense(step, request)
        if isinstance(step, Hangs) and not step.headers_first:
            await self._released.wait()
        stream = await _open(request)
        for piece in step.pieces:
            await _send(stream, _chunk(piece))
            if isinstance(step, Streams) and step.delay:
                await asyncio.sleep(step.delay)
        if isinstance(step, Hangs):
            await self._released.wait()
        elif isinstance(step, Dies):
            transport = request.transport
            assert transport is not None
            transport.abort()
        else:
            await self._end(step, stream)
        return stream

    async def _end(self, step: Streams, response: web.StreamResponse) -> None:
        if step.finish_reason is not None:
            await _send(response, _chunk(None, step.finish_reason))
        if step.usage:
            usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
            await _send(response, _envelope([], usage))
        if step.done:
            await response.write(b"data: [DONE]\n\n")
        await response.write_eof()

    async def _nonsense(self, step: Nonsense, request: web.Request) -> web.StreamResponse:
        if step.kind == "html":
            return web.Response(text="<html>Welcome to the proxy</html>", content_type="text/html")
        if step.kind == "no_body":
            return web.Response(text="", content_type="text/event-stream")
        if step.kind == "json":
            return web.json_response({"hello": ["world"]})
        response = await _open(request)
        if step.kind == "invalid_json":
            await response.write(b"data: {not json\n\n")
        elif step.kind == "binary":
            await response.write(b"data: \xff\xfe\x00\x80\n\n")
        elif step.kind == "error_event":
            await _send(response, {"error": {"message": "overloaded", "type": "server_error"}})
        else:
            await _send(response, _envelope([]))
            await _send(response, {"choices": None})
            await _send(response, {"choices": [{"index": 0, "delta": None}]})
            await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response


def _error(status: int, message: str, param: str | None) -> web.Response:
    error = {"message": message, "type": "scripted", "param": param, "code": None}
    return web.json_response({"error": error}, status=status)


async def _open(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    return response


async def _send(response: web.StreamResponse, data: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(data).encode() + b"\n\n")


def _chunk(text: str | None, finish_reason: str | None = None) -> dict[str, Any]:
    delta = {} if text is None else {"role": "assistant", "content": text}
    return _envelope([{"index": 0, "delta": delta, "finish_reason": finish_reason}])


def _envelope(choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": choices,
        "usage": usage,
    }
