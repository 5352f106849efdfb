"""An HTTP proxy in front of the S3 double that makes it as far away as a bucket, and counts.

SeaweedFS on loopback answers within a millisecond, which hides every needless round trip. The
proxy waits before it passes a request on: 20 ms before a GET or HEAD, 40 ms before anything that
writes. It passes the Host header and the path on as they came, for the signature covers them.
"""

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from tests.doubles.object_storage import ObjectStorage
from tests.doubles.request_rounds import Passed

READ_SECONDS = 0.020
WRITE_SECONDS = 0.040

_READS = {"GET", "HEAD"}
_PIECE = 1 << 18
# What belongs to one connection and not to the message (RFC 9110, 7.6.1); aiohttp writes its own.
_PER_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "expect", "te", "upgrade"}
_LEFT_ALONE = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Request(NamedTuple):
    """A request that passed: the path as it was sent, query and all."""

    method: str
    path: str


@dataclass
class SlowStorage:
    """A running proxy, reached as ``storage``.

    ``refuse`` is asked for every request, and makes it fail with status 503. ``arriving`` is
    awaited before a request is passed on, and ``done`` before its answer is; both in the loop of
    the proxy.
    """

    storage: ObjectStorage
    refuse: Callable[[Request], bool] = lambda request: False
    arriving: Callable[[Request], Awaitable[object]] | None = None
    done: Callable[[Request], Awaitable[object]] | None = None
    _requests: list[Request] = field(default_factory=list)
    _passed: list[Passed] = field(default_factory=list)

    def taken(self) -> list[Request]:
        """Return the requests since the last call, in the order they came."""
        requests, self._requests = self._requests, []
        return requests

    def passed(self) -> list[Passed]:
        """Return what was answered since the last call, with its times, in the order it came."""
        passed, self._passed = self._passed, []
        return sorted(passed, key=lambda one: one.began)


@contextlib.contextmanager
def slowed(
    storage: ObjectStorage,
    *,
    read: float = READ_SECONDS,
    write: float = WRITE_SECONDS,
    others: str = "",
) -> Iterator[SlowStorage]:
    """Run the proxy in a thread; ``read`` and ``write`` are seconds.

    ``others`` is the address of a server for the other services of AWS, whose requests name their
    action in a header; they are passed on at once and not counted.

    The thread shares the interpreter with its caller: whoever measures does so in another process.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="slow-storage", daemon=True)
    thread.start()
    proxy = SlowStorage(storage)
    running = asyncio.run_coroutine_threadsafe(_started(proxy, read, write, others), loop).result(
        10
    )
    proxy.storage = replace(storage, endpoint=running.endpoint)
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(running.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class _Running:
    runner: web.AppRunner
    session: aiohttp.ClientSession
    endpoint: str

    async def stop(self) -> None:
        await self.runner.cleanup()
        await self.session.close()


async def _started(proxy: SlowStorage, read: float, write: float, others: str) -> _Running:
    behind = proxy.storage.endpoint
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        auto_decompress=False,
        skip_auto_headers=_LEFT_ALONE,
        read_bufsize=_PIECE,
    )

    async def pass_on(request: web.Request) -> web.StreamResponse:
        if others and "X-Amz-Target" in request.headers:
            return await answer(request, others)
        came, began = Request(request.method, request.raw_path), time.monotonic()
        proxy._requests.append(came)
        await asyncio.sleep(read if request.method in _READS else write)
        if proxy.refuse(came):
            return web.Response(status=503)
        if proxy.arriving is not None:
            await proxy.arriving(came)
        response = await answer(request, behind, came)
        size = int(response.headers.get("Content-Length", 0)) if request.method == "GET" else 0
        proxy._passed.append(Passed(*came, began, time.monotonic(), size))
        return response

    async def answer(
        request: web.Request, endpoint: str, came: Request | None = None
    ) -> web.StreamResponse:
        body = await request.read()
        async with session.request(
            request.method,
            URL(endpoint + request.raw_path, encoded=True),
            headers=CIMultiDict(_passed(request.headers.items())),
            data=io.BytesIO(body) if body else None,
            allow_redirects=False,
        ) as told:
            if came is not None and proxy.done is not None:
                await proxy.done(came)
            response = web.StreamResponse(
                status=told.status,
                headers=CIMultiDict(_passed(told.headers.items())),
            )
            await response.prepare(request)
            async for piece in told.content.iter_chunked(_PIECE):
                await response.write(piece)
            await response.write_eof()
            return response

    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return _Running(runner, session, f"http://{host}:{port}")


def _passed(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _PER_CONNECTION]
