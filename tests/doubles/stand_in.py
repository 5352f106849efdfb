"""What the stand-ins of web services share: a local server, its log, and failures on request."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """A request as it arrived, and the status it was answered with (0: none)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int


@dataclass(frozen=True)
class Trouble:
    """What the next request meets. ``after``: the work is done first; ``cut``: without an answer.

    ``delay`` waits, behind the work if that comes first. ``method`` limits it to requests of that
    method; ``content`` is sent as it is.
    """

    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    after: bool = False
    cut: bool = False
    delay: float = 0.0
    method: str = ""


class Refused(Exception):
    """The service says no, as its documentation has it."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, dict(headers or {})


class StandIn:
    """``async with`` one of its kinds; ``url`` is known then. A kind answers in ``_answer``.

    ``met`` are the troubles that requests have met so far; one with a delay may be held there.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.met: list[Trouble] = []
        self.url = ""
        self._troubles: deque[Trouble] = deque()
        self._runner: web.AppRunner | None = None

    def trouble(self, *troubles: Trouble) -> None:
        """Have the next requests meet these, in this order."""
        self._troubles += troubles

    def mend(self) -> None:
        """Let nothing fail any more."""
        self._troubles.clear()

    def of(self, method: str) -> list[Asked]:
        """Return the requests of a method so far."""
        return [one for one in self.asked if one.method == method]

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback address."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every connection."""
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

    def _answer(self, request: web.Request, content: bytes) -> tuple[int, Any, Mapping[str, str]]:
        """Return status, JSON (None: no body) and headers, or raise Refused."""
        raise Refused(404, {"message": "Not Found"})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        trouble = None
        if self._troubles and self._troubles[0].method in ("", request.method):
            trouble = self._troubles.popleft()
            self.met.append(trouble)
        if trouble is not None and trouble.delay and not trouble.after:
            await asyncio.sleep(trouble.delay)
        response: web.Response | None = None
        if trouble is None or trouble.after or trouble.status == 0:
            response = self._respond(request, content)
        if trouble is not None and trouble.delay and trouble.after:
            await asyncio.sleep(trouble.delay)
        if trouble is not None and trouble.status:
            response = web.Response(
                status=trouble.status, body=trouble.content, headers=dict(trouble.headers)
            )
        assert response is not None
        cut = trouble is not None and trouble.cut
        self._note(request, content, 0 if cut else response.status)
        if cut:
            assert request.transport is not None
            request.transport.abort()
        return response

    def _respond(self, request: web.Request, content: bytes) -> web.Response:
        try:
            status, body, headers = self._answer(request, content)
        except Refused as no:
            status, body, headers = no.status, no.body, no.headers
        text = b"" if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return web.Response(status=status, body=text, headers={**kind, **headers})

    def _note(self, request: web.Request, content: bytes, status: int) -> None:
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = content
        self.asked.append(
            Asked(
                request.method,
                request.raw_path.partition("?")[0],
                dict(request.query),
                dict(request.headers),
                body,
                status,
            )
        )


def json_object(request: web.Request, content: bytes, refusal: Refused) -> dict[str, Any]:
    """Return the body, which must be sent as JSON and be an object; else raise ``refusal``."""
    if request.content_type != "application/json":
        raise refusal
    try:
        body = json.loads(content)
    except ValueError:
        raise refusal from None
    if not isinstance(body, dict):
        raise refusal
    return body
