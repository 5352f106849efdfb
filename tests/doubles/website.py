"""A website on this machine: real HTTP, pages that a test may change, and a count of what it sends.

Beside it, what a test of requests needs: certificates, names, and who was really connected to.
"""

import asyncio
import hashlib
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import ENETUNREACH
from typing import Any, Self

import trustme
from aiohttp import web

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Page:
    """What an address answers; with an ETag, unless told otherwise."""

    body: str | bytes = ""
    media_type: str = HTML
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: bool = True

    @property
    def content(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


@dataclass(frozen=True)
class Asked:
    """A request, and what it was answered; ``sent`` counts the bytes of the body."""

    path: str
    status: int
    sent: int
    headers: dict[str, str]
    at: float


Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Server(web.Server):
    accepted = 0

    def __call__(self) -> Any:
        self.accepted += 1
        return super().__call__()


@dataclass
class Website:
    """``async with Website(pages) as site``. A page may also be a function that answers itself."""

    pages: dict[str, Page | Answers] = field(default_factory=dict)
    fallback: Page | Answers | None = None
    authority: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Self:
        self._server = _Server(self._answer, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        await self._runner.setup()
        place = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.authority)
        await place.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def accepted(self) -> int:
        """Count the connections that were made, whatever came of them."""
        return self._server.accepted

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def scheme(self) -> str:
        return "https" if self.authority else "http"

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://{self.host}{path}"

    def paths(self) -> list[str]:
        """Return the paths that were asked for, but for robots.txt."""
        return [one.path for one in self.asked if one.path != "/robots.txt"]

    def sent(self) -> int:
        """Return the bytes of all bodies that were sent."""
        return sum(one.sent for one in self.asked)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path_qs
        found = self.pages.get(path, self.fallback)
        if callable(found):
            self._note(request, 0, 0)
            return await found(request)  # type: ignore[arg-type]
        page = found or Page("gone", status=404)
        content, headers = page.content, {"Content-Type": page.media_type, **page.headers}
        status = page.status
        if page.etag and status == 200:
            headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            if request.headers.get("If-None-Match") == headers["ETag"]:
                status, content = 304, b""
        self._note(request, status, len(content))
        return web.Response(status=status, body=content, headers=headers)

    def _note(self, request: web.BaseRequest, status: int, sent: int) -> None:
        now = asyncio.get_running_loop().time()
        self.asked.append(Asked(request.path_qs, status, sent, dict(request.headers), now))


def links(*targets: str, head: str = "", text: str = "") -> Page:
    """Return a page that leads to others."""
    anchors = " ".join(f'<a href="{target}">{target}</a>' for target in targets)
    return Page(f"<title>Links</title>{head}<main><p>{text}</p>{anchors}</main>")


def certified(*names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS context of a server with these names, and that of a client that trusts it."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def resolving(answers: dict[str, list[Sequence[str]]]) -> Callable[[str], Awaitable[Sequence[str]]]:
    """Return a resolver that gives these answers, one a call; the last one again and again."""

    async def resolve(host: str) -> Sequence[str]:
        if host not in answers:
            raise OSError(f"no such host: {host}")
        given = answers[host]
        return given.pop(0) if len(given) > 1 else given[0]

    return resolve


_watching: list[list[str]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _watching and isinstance(arguments[1], tuple):
        address = str(arguments[1][0])
        _watching[-1].append(address)
        if not address.startswith("127.0.0.1"):
            raise OSError(ENETUNREACH, "tests stay on this machine")


@contextmanager
def dialled() -> Iterator[list[str]]:
    """Collect every address that this process connects to; those elsewhere are not reached."""
    if not _hooked:
        # An audit hook sees what really happens, whoever does it; it cannot be taken out again.
        sys.addaudithook(_watch)
        _hooked.append(True)
    _watching.append([])
    try:
        yield _watching[-1]
    finally:
        _watching.pop()


_hooked: list[bool] = []
