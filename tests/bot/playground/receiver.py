"""A real HTTP server in the place of an app: it keeps what it is sent and answers as told."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

SECRET = "a secret of the tests"


@dataclass
class Received:
    """One request that reached the app."""

    signed: bool
    retry: str | None
    reason: str | None
    body: dict[str, Any]

    @property
    def event(self) -> dict[str, Any]:
        return self.body.get("event", {})


@dataclass
class App:
    """A real HTTP server that keeps what it is sent; ``answers`` are its next answers."""

    received: list[Received] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        signed = SignatureVerifier(SECRET).is_valid_request(raw, dict(request.headers))
        if request.content_type == "application/json":
            body = json.loads(raw)
        else:
            form = dict(await request.post())
            body = json.loads(form["payload"]) if "payload" in form else form
        headers = request.headers
        retry, reason = headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")
        self.received.append(Received(signed, retry, reason, body))
        return self.answers.pop(0) if self.answers else web.Response()

    def events(self, kind: str) -> list[Received]:
        return [r for r in self.received if r.event.get("type") == kind]
