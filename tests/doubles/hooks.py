"""A stand-in for whoever receives webhooks: it checks the signature, and takes each call once."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.doubles.stand_in import Refused, StandIn, json_object


class Hooks(StandIn):
    """Receives at ``/NAME`` for each of ``secrets``; an empty one wants no signature."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        super().__init__()
        self.secrets = dict(secrets)
        self.received: dict[str, list[str]] = {name: [] for name in secrets}
        self._seen: set[str] = set()

    def _answer(self, request: web.Request, content: bytes) -> tuple[int, Any, Mapping[str, str]]:
        name = request.path.removeprefix("/")
        if name not in self.secrets or request.method != "POST":
            raise Refused(404, {"error": "no such hook"})
        secret = self.secrets[name].encode()
        expected = f"sha256={hmac.new(secret, content, hashlib.sha256).hexdigest()}"
        given = request.headers.get("X-Footnote-Signature", "")
        if secret and not hmac.compare_digest(given, expected):
            raise Refused(403, {"error": "bad signature"})
        body = json_object(request, content, Refused(400, {"error": "no JSON"}))
        if body.keys() != {"text", "call"}:
            raise Refused(422, {"error": "unexpected fields"})
        if request.headers.get("Idempotency-Key") != body["call"]:
            raise Refused(422, {"error": "the key is another"})
        if body["call"] not in self._seen:
            self._seen.add(body["call"])
            self.received[name].append(body["text"])
        return 202, {"accepted": True}, {}
