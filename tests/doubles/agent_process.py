"""Agent workers as processes of their own, to be ended with SIGKILL.

``python -m tests.doubles.agent_process FOLDER SLACK_URL MODEL_URL`` loads everything once and then
forks a worker for each line that it reads; it answers with the worker's process id. A worker works
the queue in FOLDER off until somebody ends it. Its tool appends to FOLDER/written what it did.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from bot.client import make_client
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.answering.worker import Later
from handlers.tools.limits import Limits
from handlers.tools.ports import Effect, Tool, ToolContext, ToolResult
from handlers.work.claims import Claims
from handlers.work.deliveries import DELIVERIES
from handlers.work.jobs import AgentJob
from handlers.work.leases import kept
from tests.doubles.agent_office import TOKEN, CountingTool, parts_of, worker_of

LEASE = 0.8
"""Seconds; short, so that the next worker need not wait for the lease of a dead one."""


class WritingTool(CountingTool):
    """Opens an issue, by appending a line to a file that outlives the process."""

    file: Path

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Append the call, and take a moment, in which the process may be ended."""
        line = f"{context.call} {arguments['query']}\n".encode()
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        await asyncio.sleep(0.02)
        return ToolResult("Issue 7 was opened.", url="https://github.example/issues/7")


def tools_in(folder: Path) -> list[Tool]:
    """Return the tools of a worker."""
    issue = WritingTool("open_issue", Effect.WRITE)
    issue.file = folder / "written"
    return [CountingTool("search"), issue]


@asynccontextmanager
async def files_in(folder: Path) -> AsyncIterator[tuple[SqliteStore, SqliteQueue]]:
    """Open store and queue of the workers in this folder."""
    store = SqliteStore(folder / "store.sqlite")
    queue = SqliteQueue(folder / "queue.sqlite", lease_seconds=LEASE, max_attempts=DELIVERIES * 10)
    try:
        yield store, queue
    finally:
        await queue.close()
        await store.close()


async def work(folder: Path, slack_url: str, model_url: str) -> None:
    """Work jobs off for ever."""
    async with files_in(folder) as (store, queue):
        parts = replace(parts_of(model_url, store, tools_in(folder)), limits=Limits(turns=5))
        claims = Claims(store, lease_seconds=LEASE)
        client = make_client(TOKEN, slack_url)
        worker = worker_of(client, store, parts, claims=claims, renew_every=LEASE / 3)
        while True:
            delivery = await queue.receive(wait=5.0)
            if delivery is None:
                continue
            assert isinstance(delivery.job, AgentJob)
            async with kept(delivery.extend, every=LEASE / 3):
                handled = await worker.handle(delivery.job)
            if isinstance(handled, Later):
                await delivery.release(handled.seconds, tried=False)
            else:
                await delivery.done()


def main() -> None:
    """Fork a worker for each line of the standard input."""
    folder, slack_url, model_url = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    import_module("openai")
    import_module("cryptography.fernet")
    import_module("jsonschema")
    print("ready", flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                signal.alarm(300)  # nobody may be left to end it
                asyncio.run(work(folder, slack_url, model_url))
            finally:
                os._exit(1)
        print(child, flush=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if os.waitpid(child, os.WNOHANG)[0]:
                break
            time.sleep(0.005)


if __name__ == "__main__":
    main()
