"""An HTTP proxy that tells what passed through it: how many requests, and how large they were."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

_PER_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "expect", "te", "upgrade"}
_WRITE_UNIT, _READ_UNIT = 1024, 4096
_ITEM_OF = {"PutItem": "Item", "DeleteItem": "Key"}


@dataclass(frozen=True)
class Passed:
    """A request and its answer. ``sent`` counts the bytes of its head and its body."""

    action: str
    body: bytes
    answer: bytes
    sent: int

    def units(self) -> tuple[int, int]:
        """Return the write and the read units that DynamoDB bills for this request of ours.

        A write that its condition stopped is billed like one that was done; reads are consistent.
        """
        if self.action in _ITEM_OF:
            return -(-_size(json.loads(self.body)[_ITEM_OF[self.action]]) // _WRITE_UNIT), 0
        found = json.loads(self.answer).get("Item", {}) if self.action == "GetItem" else {}
        return 0, max(1, -(-_size(found) // _READ_UNIT)) if self.action == "GetItem" else 0


@dataclass
class Counter:
    """A running proxy at ``url``."""

    url: str = ""
    _passed: list[Passed] = field(default_factory=list)

    def taken(self) -> list[Passed]:
        """Return what passed since the last call, in the order in which it ended."""
        passed, self._passed = self._passed, []
        return passed


@contextmanager
def counted(behind: str, *, wait: float = 0.0) -> Iterator[Counter]:
    """Run a proxy of the server at ``behind`` in a thread; each request waits ``wait`` seconds."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="counted", daemon=True)
    thread.start()
    counter = Counter()
    runner = asyncio.run_coroutine_threadsafe(_started(counter, behind, wait), loop).result(10)
    try:
        yield counter
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _started(counter: Counter, behind: str, wait: float) -> web.AppRunner:
    session = aiohttp.ClientSession(auto_decompress=False)

    async def pass_on(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        head = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
        sent = len(request.method) + len(request.raw_path) + 12 + head + 2 + len(body)
        await asyncio.sleep(wait)
        headers = {n: v for n, v in request.headers.items() if n.lower() not in _PER_CONNECTION}
        answer = bytearray()
        async with session.request(
            request.method,
            URL(behind.rstrip("/") + request.raw_path, encoded=True),
            headers=headers,
            data=body or None,
            allow_redirects=False,
        ) as told:
            response = web.StreamResponse(status=told.status)
            for name, value in told.headers.items():
                if name.lower() not in _PER_CONNECTION:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for piece in told.content.iter_any():
                answer += piece
                await response.write(piece)
            await response.write_eof()
        action = request.headers.get("X-Amz-Target", request.path).rpartition(".")[2]
        counter._passed.append(Passed(action, body, bytes(answer), sent))
        return response

    async def closed(app: web.Application) -> None:
        await session.close()

    app = web.Application(client_max_size=1 << 26)
    app.on_cleanup.append(closed)
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    counter.url = f"http://{host}:{port}"
    return runner


def _size(item: dict[str, Any]) -> int:
    """Return the bytes of an item of strings and numbers, names of attributes included."""
    return sum(
        len(name.encode()) + len(str(next(iter(value.values()))).encode())
        for name, value in item.items()
    )
