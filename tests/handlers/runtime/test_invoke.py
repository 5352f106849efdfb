"""One event loop per Lambda container, and what it opens once."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from handlers.runtime.invoke import Warm
from handlers.work.errors import StoreUnavailable

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


async def test_what_is_open_is_opened_once_for_all_who_ask_at_the_same_time() -> None:
    opened: list[str] = []

    async def opening(stack: AsyncExitStack) -> str:
        opened.append("now")
        await asyncio.sleep(0.01)
        return "open"

    warm = Warm(opening)
    assert await asyncio.gather(warm.get(), warm.get()) == ["open", "open"]
    assert await warm.get() == "open"
    assert opened == ["now"]


async def test_a_failed_opening_is_undone_and_tried_again() -> None:
    steps: list[str] = []

    async def opening(stack: AsyncExitStack) -> str:
        stack.callback(steps.append, "closed")
        steps.append("opened")
        if steps.count("opened") == 1:
            raise StoreUnavailable("The table did not answer.")
        return "open"

    warm = Warm(opening)
    with pytest.raises(StoreUnavailable):
        await warm.get()
    assert steps == ["opened", "closed"]
    assert await warm.get() == await warm.get() == "open"
    assert steps == ["opened", "closed", "opened"], "what is open stays open"


async def test_an_opening_goes_on_when_whoever_asked_for_it_leaves() -> None:
    opened: list[str] = []

    async def opening(stack: AsyncExitStack) -> str:
        opened.append("now")
        await asyncio.sleep(0.05)
        return "open"

    warm = Warm(opening)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(warm.get(), 0.01)
    async with asyncio.timeout(5):
        assert await warm.get() == "open"
    assert opened == ["now"]


# A door in a process of its own: what it does while it is imported, and with two events after it.
DOOR = """
import asyncio, json, logging
from handlers.runtime import invoke
from handlers.runtime.settings import SettingsError
from handlers.work.errors import StoreUnavailable

class Context:
    aws_request_id = "req-1"

opened = []
async def opening(stack):
    opened.append(1)
    {failing}
    return "open"

async def handle():
    logging.getLogger("handlers.x").info("event", extra={{"trace": "t1"}})
    return await warm.get()

{before}
warm = invoke.Warm(opening)
invoke.prepare(warm)
print("imported", len(opened))
print(invoke.run(handle(), Context()), invoke.run(handle(), Context()), len(opened))
"""


def door(failing: str = "pass", before: str = "pass", **environ: str) -> tuple[list[str], str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DOOR.format(failing=failing, before=before)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def test_a_lambda_function_opens_while_it_is_imported() -> None:
    shown, logged = door(AWS_LAMBDA_FUNCTION_NAME="footnote-slack")
    assert shown == ["imported 1", "open open 1"]
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [(line["message"], line["aws_request_id"], line["trace"]) for line in lines] == [
        ("event", "req-1", "t1"),
        ("event", "req-1", "t1"),
    ]


def test_elsewhere_importing_a_door_opens_nothing() -> None:
    assert door()[0] == ["imported 0", "open open 1"]


def test_a_door_that_could_not_open_at_init_says_why_once_and_opens_at_its_first_event() -> None:
    failing = "if len(opened) == 1: raise SettingsError(['FOOTNOTE_X is not set.', 'Nor is Y.'])"
    shown, logged = door(failing, AWS_LAMBDA_FUNCTION_NAME="f")
    assert shown == ["imported 1", "open open 2"]
    first = json.loads(logged.splitlines()[0])
    assert (first["level"], "aws_request_id" in first) == ("ERROR", False)
    assert "the first event tries again" in first["message"]
    assert "FOOTNOTE_X is not set." in first["message"]
    assert "opening" not in logged.splitlines()[1]


def test_of_an_error_that_nobody_foresaw_only_the_name_is_logged() -> None:
    failing = "if len(opened) == 1: raise KeyError('zq7Secret9')"
    shown, logged = door(failing, AWS_LAMBDA_FUNCTION_NAME="f")
    assert shown[-1] == "open open 2"
    assert "KeyError" in logged
    assert "zq7Secret9" not in logged


def test_an_opening_that_outlasts_the_init_phase_is_finished_by_the_first_event() -> None:
    shown, logged = door(
        "await asyncio.sleep(0.3)", "invoke.INIT_SECONDS = 0.1", AWS_LAMBDA_FUNCTION_NAME="f"
    )
    assert shown == ["imported 1", "open open 1"]
    assert json.loads(logged.splitlines()[0])["level"] == "WARNING"
