"""An HTTP proxy in front of an S3 double that refuses methods, or forgets headers on their way."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
)
_OF_THE_CONNECTION = {"host", "connection", "transfer-encoding", "content-length", "expect"}


@asynccontextmanager
async def limited(
    endpoint: str, *, refuse: Collection[str] = (), forget: Collection[str] = ()
) -> AsyncIterator[str]:
    """Yield the address of a proxy for ``endpoint``.

    Requests with a method in ``refuse`` get 403, as from a bucket policy. Headers in ``forget`` (in
    lower case) are dropped, as a server does that has never heard of them.
    """
    left_out = {*_OF_THE_CONNECTION, *forget}

    async def handle(request: web.Request) -> web.Response:
        if request.method in refuse:
            return web.Response(status=403, text=_DENIED, content_type="application/xml")
        headers = {n: v for n, v in request.headers.items() if n.lower() not in left_out}
        async with session.request(
            request.method,
            f"{endpoint}{request.path_qs}",
            headers=headers,
            data=await request.read(),
        ) as response:
            body = await response.read()
            answered = {
                n: v for n, v in response.headers.items() if n.lower() not in _OF_THE_CONNECTION
            }
            return web.Response(status=response.status, body=body, headers=answered)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()
