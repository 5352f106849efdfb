"""The HTTP side that the app talks to, and the guard that stands before every route."""

import asyncio
import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.playground.errors import SlackRefusal
from bot.playground.gestures import Gestures
from bot.playground.web_api import Severed, WebApi

_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def guard(hosts: Collection[str]) -> Any:
    """Return the middleware that lets in only our own page and programs on this machine.

    A foreign ``Host`` is DNS rebinding, a foreign ``Origin`` another site in the same browser.
    """

    @web.middleware
    async def check(request: web.Request, handler: Any) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        origin = request.headers.get("Origin")
        if urlsplit(f"//{host}").hostname not in hosts:
            raise web.HTTPForbidden(text="this address is not served here")
        if origin is not None and origin != f"http://{host}":
            raise web.HTTPForbidden(text="another site may not talk to the playground")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise web.HTTPForbidden(text="another site may not talk to the playground")
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers.update(_SAFE)
        return response

    return check


async def read_arguments(request: web.Request) -> dict[str, Any]:
    """Return the arguments of a call: query, form and JSON together."""
    given: dict[str, Any] = dict(request.query)
    if request.method == "POST":
        if request.content_type == "application/json":
            body = await request.text()
            try:
                found = json.loads(body) if body else {}
            except ValueError:
                raise SlackRefusal("invalid_json") from None
            if not isinstance(found, dict):
                raise SlackRefusal("json_not_object")
            given |= found
        else:
            given |= dict(await request.post())
    return given


def _token(request: web.Request, given: dict[str, Any]) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    field = given.pop("token", None)
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return str(field) if field else None


class AppRoutes:
    """``/api/METHOD`` and ``/response/NAME``."""

    def __init__(self, web_api: WebApi, gestures: Gestures) -> None:
        self._web_api = web_api
        self._gestures = gestures

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/api/{method}", self.call),
            web.post("/api/{method}", self.call),
            web.post("/response/{name}", self.respond),
        ]

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Answer one Web API call."""
        name = request.match_info["method"]
        headers: dict[str, str] = {}
        try:
            given = await read_arguments(request)
            token = _token(request, given)
            headers = self._web_api.headers(token)
            before, after = self._web_api.delays(name)
            if before:
                await asyncio.sleep(before)
            try:
                answer = self._web_api.call(name, given, token)
            finally:
                if after:
                    await asyncio.sleep(after)
            return web.json_response(answer, headers=headers)
        except SlackRefusal as refusal:
            return web.json_response(
                refusal.response(), status=refusal.status, headers=headers | refusal.headers
            )
        except Severed:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Take a post to a ``response_url``."""
        try:
            given = await read_arguments(request)
            if isinstance(given.get("payload"), str):
                given = json.loads(given["payload"])
            self._gestures.respond_to_address(request.match_info["name"], given)
        except SlackRefusal as refusal:
            status = refusal.status if refusal.status != 200 else 400
            return web.json_response(refusal.response(), status=status)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        return web.Response(text="ok")
