"""An OpenAI-compatible server that answers at once with sentences of the passages it is given.

What an answer takes with it is all that is not the model: for measuring. It streams the first
sentences that look like prose, each with the number of its passage, as a good model would.
"""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Iterator

from aiohttp import web

MOST_SENTENCES = 6
_PASSAGE = re.compile(r"^\[(\d+)\] [^\n]*\n(.*?)\n[0-9a-f]+ passage", re.M | re.S)
_PROSE = re.compile(r"[A-Z][A-Za-z ,'-]{30,160}\.(?=\s|$)")


@contextlib.contextmanager
def running_instant_model() -> Iterator[str]:
    """Run the server in a thread of this process; yields its base URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="instant-model", daemon=True)
    thread.start()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _complete)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}/v1"

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def sentences(prompt: str) -> list[str]:
    """Return sentences of the passages in a prompt, each with its number."""
    found = [
        f"{sentence.group()} [{passage.group(1)}]"
        for passage in _PASSAGE.finditer(prompt)
        for sentence in list(_PROSE.finditer(passage.group(2)))[:2]
    ]
    return found[:MOST_SENTENCES] or ["NOT_FOUND"]


async def _complete(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for sentence in sentences(asked["messages"][-1]["content"]):
        await _send(response, {"delta": {"content": f"{sentence} "}, "finish_reason": None})
    await _send(response, {"delta": {}, "finish_reason": "stop"})
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _send(response: web.StreamResponse, choice: dict[str, object]) -> None:
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "instant",
        "choices": [{"index": 0, **choice}],
    }
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
