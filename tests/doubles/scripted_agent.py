"""A model that calls tools, as a local OpenAI-compatible server: what it does is a function.

It is given the request and returns the turn, so that it needs no order of requests: a run that is
taken up again meets the same model. Answers in one piece or as a stream, whichever is asked for.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

Decide = Callable[["Asked"], "Turn"]


@dataclass(frozen=True)
class Turn:
    """What the model says: text, calls as (tool, arguments), or an HTTP error.

    Arguments that are text are sent as they stand. ``delay`` is in seconds.
    """

    text: str = ""
    calls: Sequence[tuple[str, Mapping[str, object] | str]] = ()
    usage: tuple[int, int] | None = (11, 7)
    delay: float = 0.0
    status: int = 200
    message: str = "scripted failure"
    finish_reason: str = ""


@dataclass(frozen=True)
class Asked:
    """One request: the conversation so far, and whether tools may be called."""

    body: dict[str, Any] = field(repr=False)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of the conversation."""
        return list(self.body["messages"])

    @property
    def tools(self) -> list[str]:
        """The names of the tools that are offered."""
        return [tool["function"]["name"] for tool in self.body.get("tools", ())]

    @property
    def concluding(self) -> bool:
        """Tell whether tools may not be called any more."""
        return self.body.get("tool_choice") == "none"

    @property
    def request(self) -> str:
        """What the person asked, with the frame around it."""
        return str(next(m["content"] for m in self.messages if m["role"] == "user"))

    @property
    def results(self) -> list[str]:
        """What the tools returned so far, in order."""
        return [str(m["content"]) for m in self.messages if m["role"] == "tool"]

    @property
    def turns(self) -> int:
        """How many turns the model had before this one."""
        return sum(m["role"] == "assistant" for m in self.messages)


class ScriptedAgent:
    """``async with ScriptedAgent(decide) as server``: give clients ``server.base_url``."""

    def __init__(self, decide: Decide) -> None:
        self.decide = decide
        self.asked: list[Asked] = []
        self.left_early = 0
        self.base_url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/chat/completions", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(await request.json())
        self.asked.append(asked)
        turn = self.decide(asked)
        try:
            if turn.delay:
                await asyncio.sleep(turn.delay)
        except asyncio.CancelledError:
            self.left_early += 1
            raise
        if turn.status != 200:
            error = {"message": turn.message, "type": "scripted", "param": None, "code": None}
            return web.json_response({"error": error}, status=turn.status)
        if asked.body.get("stream"):
            return await _streamed(request, turn)
        message = {"role": "assistant", "content": turn.text or None}
        if turn.calls:
            message["tool_calls"] = _calls(turn)  # type: ignore[assignment]
        choice = {"index": 0, "message": message, "finish_reason": _reason(turn)}
        return web.json_response(_envelope("chat.completion", [choice], turn))


def _calls(turn: Turn) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": given if isinstance(given, str) else json.dumps(given),
            },
        }
        for number, (name, given) in enumerate(turn.calls)
    ]


def _reason(turn: Turn) -> str:
    return turn.finish_reason or ("tool_calls" if turn.calls else "stop")


def _envelope(kind: str, choices: list[dict[str, Any]], turn: Turn | None) -> dict[str, Any]:
    data: dict[str, Any] = {"id": "c", "object": kind, "created": 1, "model": "scripted"}
    data["choices"] = choices
    if turn is not None and turn.usage is not None:
        prompt, said = turn.usage
        data["usage"] = {
            "prompt_tokens": prompt,
            "completion_tokens": said,
            "total_tokens": prompt + said,
        }
    return data


async def _streamed(request: web.Request, turn: Turn) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": turn.text}]
    for number, call in enumerate(_calls(turn)):
        given = call["function"]["arguments"]
        head = {**call, "index": number, "function": {**call["function"], "arguments": ""}}
        deltas.append({"tool_calls": [head]})
        for piece in (given[: len(given) // 2], given[len(given) // 2 :]):
            deltas.append({"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
    chunks = [
        _envelope("chat.completion.chunk", [{"index": 0, "delta": d, "finish_reason": None}], None)
        for d in deltas
    ]
    end = [{"index": 0, "delta": {}, "finish_reason": _reason(turn)}]
    chunks.append(_envelope("chat.completion.chunk", end, turn))
    for chunk in chunks:
        await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    await response.write(b"data: [DONE]\n\n")
    return response
