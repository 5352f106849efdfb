"""`footnote serve` as a process of its own, so that it can be ended with SIGKILL."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager


@asynccontextmanager
async def served(environment: Mapping[str, str]) -> AsyncIterator[tuple[Process, str]]:
    """Run `footnote serve` in a process of its own; yields it and the address of its events."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "handlers",
        "serve",
        env={"PATH": os.environ["PATH"], **environment},
        stderr=PIPE,
    )
    assert process.stderr is not None
    drain: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(180):
            while b"listening at " not in (line := await process.stderr.readline()):
                assert line, "footnote serve ended before it listened"
        drain = asyncio.create_task(process.stderr.read())
        yield process, line.split(b"listening at ")[1].split()[0].decode().rstrip(".")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if drain is not None:
            await drain
