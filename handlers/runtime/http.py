"""Slack's HTTP requests, from API Gateway or from the laptop's own server, to the same app."""

import base64
import binascii
import errno
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from aiohttp import web
from slack_bolt.response import BoltResponse

from handlers.runtime.settings import SettingsError

log = logging.getLogger(__name__)
_requests = logging.getLogger(f"{__name__}.requests")

EVENTS_PATH = "/slack/events"
"""Where Slack posts everything: events, commands and clicks."""

BODY_LIMIT = 2 * 1024 * 1024
"""Largest body that is read at all, in bytes; the app has a stricter limit of its own."""

SHUTDOWN_SECONDS = 5.0
"""How long requests in hand may take to end when the server stops: Slack gives up after 3."""


class Receiver(Protocol):
    """What answers a request: the Slack app."""

    async def receive(self, headers: Mapping[str, str], body: bytes) -> BoltResponse:
        """Answer one request; ``body`` is what the signature was made of, byte for byte."""
        ...


async def answer_gateway(app: Receiver, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one event of API Gateway (HTTP API, payload 2.0); one that is malformed gets 400."""
    try:
        headers, body = from_gateway(event)
    except ValueError:
        return to_gateway_response(BoltResponse(status=400, body={"error": "malformed"}))
    return to_gateway_response(await app.receive(headers, body))


def from_gateway(event: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
    """Return headers (names in lower case) and body of an event. Raises ValueError if malformed.

    The gateway has joined repeated headers with commas, and moved cookies into a list.
    """
    given = event.get("headers") or {}
    body, cookies = event.get("body") or "", event.get("cookies") or []
    if not isinstance(given, Mapping) or not isinstance(body, str):
        raise ValueError("This is no event of an HTTP API.")
    headers = {str(name).lower(): str(value) for name, value in given.items()}
    if cookies:
        headers["cookie"] = "; ".join(str(cookie) for cookie in cookies)
    if not event.get("isBase64Encoded"):
        return headers, body.encode("utf-8", "surrogatepass")
    try:
        return headers, base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("The body is not base64.") from error


def to_gateway_response(response: BoltResponse) -> dict[str, Any]:
    """Return the response as API Gateway expects it (payload 2.0)."""
    headers, cookies = _headers(response)
    return {
        "statusCode": response.status,
        "headers": headers,
        "cookies": cookies,
        "body": response.body,
        "isBase64Encoded": False,
    }


@asynccontextmanager
async def serve_http(app: Receiver, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve ``POST /slack/events`` and ``GET /health``; yields the address, without a final slash.

    ``port`` 0 takes a free one. Leaving the block stops accepting and lets requests in hand end.
    Raises SettingsError when the address cannot be listened on.
    """

    async def slack_events(request: web.Request) -> web.Response:
        given: dict[str, str] = {}
        for name, value in request.headers.items():
            known = given.get(name.lower())
            given[name.lower()] = value if known is None else f"{known},{value}"
        try:
            body = await request.read()
        except (web.RequestPayloadError, ConnectionError):
            return web.Response(status=400)  # broken off, or not packed as it says
        response = await app.receive(given, body)
        headers, cookies = _headers(response)
        answer = web.Response(status=response.status, body=response.body.encode(), headers=headers)
        for cookie in cookies:
            answer.headers.add("set-cookie", cookie)
        return answer

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    routes = web.Application(client_max_size=BODY_LIMIT)
    routes.add_routes([web.post(EVENTS_PATH, slack_events), web.get("/health", health)])
    if _only_the_kind not in _requests.filters:
        _requests.addFilter(_only_the_kind)
    # No access log: it would hold one line a request and nothing that the outcomes do not say.
    runner = web.AppRunner(
        routes, access_log=None, logger=_requests, shutdown_timeout=SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise SettingsError([_explain(error, host, port)]) from error
        bound = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    finally:
        await runner.cleanup()


def _only_the_kind(record: logging.LogRecord) -> bool:
    """Have a log say what went wrong with a request, but nothing of what a stranger sent."""
    kind = record.exc_info[0] if record.exc_info else None
    record.msg = f"a request was not answered ({kind.__name__ if kind else 'malformed'})"
    record.args, record.exc_info = (), None
    return True


def _headers(response: BoltResponse) -> tuple[dict[str, str], list[str]]:
    values: Mapping[str, Sequence[str]] = response.headers
    joined = {name: ", ".join(given) for name, given in values.items() if name != "set-cookie"}
    return joined, list(values.get("set-cookie", ()))


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"FOOTNOTE_PORT is {port}, and another program listens there. Choose another port."
    if error.errno == errno.EACCES:
        return f"FOOTNOTE_PORT is {port}, which this user may not listen on. Choose one from 1024."
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"FOOTNOTE_HOST is {host}, which is not an address of this machine."
    return f"FOOTNOTE_HOST and FOOTNOTE_PORT ({host}:{port}) cannot be used: {error.strerror}."
