"""Who may talk to the app over HTTP: Slack, now, once.

Verifies https://docs.slack.dev/authentication/verifying-requests-from-slack, and answers 401 to
whatever is wrong with a request, because Bolt's own check raises on odd timestamps and writes the
body of a refused request into the log.
"""

import hashlib
import hmac
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

WINDOW_SECONDS = 300
REMEMBERED = 10_000

_DIGITS = re.compile(r"[0-9]{1,12}")
_LAZY = "x-slack-bolt-"
_REPEATABLE = ("event_callback", "url_verification")


def screen_request(
    headers: Mapping[str, str], body: bytes, signing_secret: str, now: float
) -> str | None:
    """Return why the request is not from Slack, or None when it is.

    Header names are matched in any case. ``now`` is in seconds since the epoch.
    """
    named = {name.lower(): value for name, value in headers.items()}
    timestamp = named.get("x-slack-request-timestamp", "")
    signature = named.get("x-slack-signature", "")
    if not timestamp or not signature:
        return "unsigned"
    if not _DIGITS.fullmatch(timestamp):
        return "bad timestamp"
    if abs(now - int(timestamp)) > WINDOW_SECONDS:
        return "stale"
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        return "bad signature"
    return None


def strip_internal(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers in lower case, without those by which Bolt talks to itself.

    They choose which function runs, and Slack's signature does not cover headers.
    """
    named = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in named.items() if not name.startswith(_LAZY)}


def is_wellformed(body: object) -> bool:
    """Tell whether a payload has the shape that Bolt takes for granted when it looks for listeners.

    Only somebody with the signing secret can send another one, yet it deserves no 500, upon which
    Slack would deliver it again.
    """
    if not isinstance(body, dict) or not isinstance(body.get("type", ""), str):
        return False
    event, actions, view = body.get("event", {}), body.get("actions", []), body.get("view", {})
    if not isinstance(event, dict) or not isinstance(event.get("type", ""), str):
        return False
    if not isinstance(view, dict) or not isinstance(view.get("callback_id", ""), str):
        return False
    if not isinstance(actions, list) or not all(_is_action(action) for action in actions):
        return False
    if body.get("type") == "event_callback" and "type" not in event:
        return False
    if body.get("type") == "block_actions" and not actions:
        return False
    if body.get("type") == "view_submission" and not isinstance(view.get("type"), str):
        return False
    names = ("command", "callback_id", "action_id", "block_id", "name")
    return all(isinstance(body.get(name, ""), str) for name in names)


def _is_action(action: object) -> bool:
    names = ("type", "action_id", "block_id")
    return isinstance(action, dict) and all(isinstance(action.get(name, ""), str) for name in names)


class ReplayCache:
    """The signatures of clicks and commands that were seen while they are still valid.

    Events need none: a mention is answered once however often it comes, and Slack signs each retry
    anew. One process remembers only its own.
    """

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._until: OrderedDict[str, float] = OrderedDict()

    def is_new(self, signature: str, now: float) -> bool:
        """Remember ``signature``; tell whether it was not known."""
        while self._until and next(iter(self._until.values())) < now:
            self._until.popitem(last=False)
        if signature in self._until:
            return False
        # A timestamp may lie one window ahead, and is then good for two.
        self._until[signature] = now + 2 * WINDOW_SECONDS
        while len(self._until) > self._limit:
            self._until.popitem(last=False)
        return True


class Screening(AsyncMiddleware):
    """Stands before every listener; what came over Socket Mode was authenticated by the socket."""

    def __init__(self, signing_secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._signing_secret = signing_secret
        self._clock = clock
        self._replays = ReplayCache()

    def refusal(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Return why the request is not from Slack, or None when it is."""
        if not self._signing_secret:
            return "no signing secret"
        return screen_request(headers, body, self._signing_secret, self._clock())

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],
    ) -> BoltResponse | None:
        """Answer 401 or 400, or let the request pass."""
        req.lazy_only, req.lazy_function_name = False, None
        if req.mode != "socket_mode":
            headers = {name: _first(values) for name, values in req.headers.items()}
            body = req.raw_body.encode(errors="surrogatepass")
            if reason := self.refusal(headers, body):
                return BoltResponse(status=401, body={"error": reason})
            signature = headers["x-slack-signature"]
            once = not isinstance(req.body, dict) or req.body.get("type") not in _REPEATABLE
            if once and not self._replays.is_new(signature, self._clock()):
                return BoltResponse(status=401, body={"error": "replayed"})
        if not is_wellformed(req.body):
            return BoltResponse(status=400, body={"error": "malformed"})
        return await next()


def _first(values: Sequence[str]) -> str:
    return values if isinstance(values, str) else next(iter(values), "")
