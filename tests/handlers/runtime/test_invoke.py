"""One event loop per Lambda container."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

# The client that a warm container keeps, and a server for it, in one script: a process of its own,
# because the test session has an event loop already.
KEPT_CLIENT = """
import asyncio, json, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from openai import AsyncOpenAI
from handlers.runtime.invoke import run

class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "yes"}}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = AsyncOpenAI(
    api_key="k", base_url=f"http://127.0.0.1:{server.server_port}/v1", max_retries=0
)

async def invocation():
    answer = await client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "?"}]
    )
    return answer.choices[0].message.content

print([run(invocation()) for _ in range(3)], flush=True)
print([asyncio.run(invocation()) for _ in range(2)])
"""


def test_a_client_that_is_kept_works_in_every_invocation_as_it_would_not_with_asyncio_run() -> None:
    done = subprocess.run(
        [sys.executable, "-c", KEPT_CLIENT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["['yes', 'yes', 'yes']"]
    # The reason why `run` exists. When this fails, a later openai no longer needs it.
    assert done.returncode != 0, done.stderr


def test_every_invocation_has_the_same_loop_and_its_own_context() -> None:
    code = """
import asyncio, contextvars
from handlers.runtime.invoke import run
mark = contextvars.ContextVar("mark", default="clean")
async def invocation():
    before = mark.get()
    mark.set("dirty")
    return id(asyncio.get_running_loop()), before
seen = [run(invocation()) for _ in range(3)]
assert len({loop for loop, _ in seen}) == 1
assert {before for _, before in seen} == {"clean"}
async def failing():
    raise KeyError("x")
try:
    run(failing())
except KeyError:
    pass
assert run(invocation())[0] == seen[0][0]
print("good")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("good", "")
