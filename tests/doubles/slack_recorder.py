"""A small Slack over real HTTP: it keeps messages, records every call, and fails on request.

The playground is the strict one. This one is for failures: a call can be refused, answered after it
took effect with an error, or cut off without an answer.
"""

import asyncio
import json
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

BOT_USER, BOT_ID, TEAM = "UFOOTNOTE", "BFOOTNOTE", "T0FOOT"


@dataclass(frozen=True)
class Failure:
    """What goes wrong with one call: ``applied`` tells whether it takes effect all the same."""

    error: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    applied: bool = False
    dropped: bool = False


@dataclass(frozen=True)
class Call:
    """One call as it arrived."""

    method: str
    arguments: dict[str, Any]


class SlackRecorder:
    """``async with SlackRecorder() as slack`` serves ``slack.api_url`` until the block ends."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.responses: list[dict[str, Any]] = []
        self.response_status: deque[int] = deque()
        self.page_size = 1_000
        self._failures: dict[str, deque[Failure | None]] = defaultdict(deque)
        self._clock = 1_700_000_100
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "SlackRecorder":
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/api/{method}", self._answer)
        app.router.add_post("/response", self._respond)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *failure: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def response_url(self) -> str:
        return f"{self.url}/response"

    def fail(self, method: str, *failures: Failure | None) -> None:
        """Let the next calls of ``method`` fail in this order; None lets one pass."""
        self._failures[method].extend(failures)

    def mend(self) -> None:
        """Let nothing fail any more."""
        self._failures.clear()

    def of(self, method: str) -> list[dict[str, Any]]:
        """Return the arguments of every call of a method."""
        return [call.arguments for call in self.calls if call.method == method]

    def say(self, channel: str, user: str, text: str, ts: str, **more: Any) -> None:
        """Put a message there without a call."""
        self.messages[ts] = {"type": "message", "channel": channel, "user": user, "text": text}
        self.messages[ts] |= {"ts": ts, **more}

    def visible(self) -> list[str]:
        """Return what each message of the bot shows, oldest first: its text, then its rows."""
        shown = [m for m in self.messages.values() if m.get("bot_id")]
        return [m["shown"] for m in sorted(shown, key=lambda m: m["ts"])]

    def rows(self) -> list[list[dict[str, Any]]]:
        """Return the blocks of each message of the bot, oldest first."""
        shown = [m for m in self.messages.values() if m.get("bot_id")]
        return [m.get("blocks", []) for m in sorted(shown, key=lambda m: m["ts"])]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        self.calls.append(Call(method, arguments))
        queue = self._failures[method]
        failure = queue.popleft() if queue else None
        if failure is None or failure.applied:
            answer = self._apply(method, arguments)
        if failure is None:
            return web.json_response(answer)
        if failure.dropped:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0)
            return web.Response(status=500)
        if not failure.error:
            return web.Response(status=failure.status, text="upstream failed")
        body = {"ok": False, "error": failure.error}
        return web.json_response(body, status=failure.status, headers=failure.headers)

    async def _respond(self, request: web.Request) -> web.Response:
        status = self.response_status.popleft() if self.response_status else 200
        body = await request.json()
        if status == 200:
            self.responses.append(body)
        return web.Response(status=status, text="ok" if status == 200 else "used_url")

    def _apply(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        handler = getattr(self, "_" + method.replace(".", "_"), None)
        if handler is None:
            return {"ok": True}
        answer: dict[str, Any] = handler(given)
        return answer if "ok" in answer else {"ok": True, **answer}

    def _auth_test(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"user_id": BOT_USER, "bot_id": BOT_ID, "team_id": TEAM, "user": "footnote"}

    def _new(self, given: dict[str, Any]) -> dict[str, Any]:
        self._clock += 1
        ts = f"{self._clock}.000100"
        thread = {"thread_ts": given["thread_ts"]} if given.get("thread_ts") else {}
        message = {"type": "message", "channel": given["channel"], "user": BOT_USER, "ts": ts}
        message |= {"bot_id": BOT_ID, "text": given.get("text", ""), "shown": "", **thread}
        self.messages[ts] = message
        return message

    def _chat_startStream(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self._new(given)
        message["streaming"] = True
        message["shown"] = message["text"] = given.get("markdown_text", "")
        return {"ts": message["ts"], "channel": message["channel"]}

    def _chat_appendStream(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.messages.get(given["ts"])
        if message is None or not message.get("streaming"):
            return {"ok": False, "error": "message_not_in_streaming_state"}
        message["shown"] += given["markdown_text"]
        if len(message["shown"].encode()) > 11_000:
            return {"ok": False, "error": "msg_too_long"}
        message["text"] = message["shown"]
        return {"ts": given["ts"]}

    def _chat_stopStream(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("markdown_text"):
            answer = self._chat_appendStream(given)
            if not answer.get("ok", True):
                return answer
        message = self.messages.get(given["ts"])
        if message is None or not message.get("streaming"):
            return {"ok": False, "error": "message_not_in_streaming_state"}
        message["streaming"] = False
        message["blocks"] = given.get("blocks", [])
        return {"ts": given["ts"]}

    def _chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self._new(given)
        self._fill(message, given)
        return {"ts": message["ts"], "channel": message["channel"]}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.messages.get(given["ts"])
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        if message.get("streaming"):
            return {"ok": False, "error": "streaming_state_conflict"}
        self._fill(message, given)
        return {"ts": given["ts"]}

    def _fill(self, message: dict[str, Any], given: dict[str, Any]) -> None:
        blocks = given.get("blocks") or []
        message["text"] = given.get("text", "")
        shown = [block["text"] for block in blocks if block["type"] == "markdown"]
        message["shown"] = "".join(shown) or message["text"]
        message["blocks"] = [block for block in blocks if block["type"] != "markdown"]

    def _chat_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        message = self.messages.get(given["ts"])
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        if message.get("streaming"):
            return {"ok": False, "error": "streaming_state_conflict"}
        del self.messages[given["ts"]]
        return {"ts": given["ts"]}

    def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        root = given["ts"]
        thread = [
            m
            for ts, m in sorted(self.messages.items())
            if m["channel"] == given["channel"] and root in (ts, m.get("thread_ts"))
        ]
        if not thread:
            return {"ok": False, "error": "thread_not_found"}
        oldest, latest = given.get("oldest", "0"), given.get("latest", "9" * 17)
        inside = [m for m in thread if m["ts"] != root and oldest <= m["ts"] <= latest]
        start = int(given.get("cursor") or 0)
        page = inside[start : start + self.page_size]
        more = start + self.page_size < len(inside)
        cursor = str(start + self.page_size) if more else ""
        heads = [m for m in thread if m["ts"] == root]
        answer = {"messages": heads + page, "has_more": more}
        return answer | {"response_metadata": {"next_cursor": cursor}}

    def _conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        oldest, latest = given.get("oldest", "0"), given.get("latest", "9" * 17)
        inside = [
            m
            for ts, m in sorted(self.messages.items(), reverse=True)
            if m["channel"] == given["channel"] and oldest <= ts <= latest
        ]
        return {"messages": inside}


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Read arguments from the query, a form or JSON, as Slack does."""
    found: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        found |= await request.json()
    elif request.can_read_body:
        found |= dict(await request.post())
    for name in ("blocks", "view"):
        if isinstance(found.get(name), str):
            found[name] = json.loads(found[name])
    return found
