"""An MCP server that is a program of this machine, spoken to line by line.

The SDK's own way hands on some of our environment, and reads a line of any length. Here a program
gets PATH and what the operator lists, what it says besides its answers is dropped, for it may hold
anything, and a line that is too long ends it.
"""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio
import mcp_types as mcp
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage

from handlers.adapters.mcp_servers import McpServer

LONGEST_LINE: Final = 4 * 1024 * 1024
"""Bytes of one message of a program."""

END_SECONDS: Final = 2.0
"""How long a program may take to end once it is told, before it is told more plainly."""

Reading = MemoryObjectReceiveStream[SessionMessage | Exception]
Writing = MemoryObjectSendStream[SessionMessage]


@asynccontextmanager
async def program(server: McpServer) -> AsyncIterator[tuple[Reading, Writing]]:
    """Run the program while the block is open; yields what comes from it and what goes to it.

    Raises OSError when it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *server.command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={"PATH": get_default_environment().get("PATH", os.defpath), **server.environment},
        start_new_session=True,
        limit=LONGEST_LINE,
    )
    said, reading = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    writing, told = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with said, reading, writing, told, anyio.create_task_group() as tasks:
            tasks.start_soon(_listen, process, said)
            tasks.start_soon(_tell, process, told, said)
            try:
                yield reading, writing
            finally:
                tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _listen(
    process: Process, said: MemoryObjectSendStream[SessionMessage | Exception]
) -> None:
    assert process.stdout is not None
    # ValueError: the line is too long. The session is told that nothing more comes.
    with suppress(ValueError, OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with said:
            while line := await process.stdout.readline():
                await said.send(_message(line))


async def _tell(
    process: Process,
    told: MemoryObjectReceiveStream[SessionMessage],
    said: MemoryObjectSendStream[SessionMessage | Exception],
) -> None:
    assert process.stdin is not None
    try:
        async with told:
            async for one in told:
                text = one.message.model_dump_json(by_alias=True, exclude_unset=True)
                process.stdin.write(f"{text}\n".encode())
                await process.stdin.drain()
    except OSError:
        # Whoever waits for an answer waits in vain.
        await said.aclose()


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(mcp.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _end(process: Process) -> None:
    """Close its input, then ask it to end, then end it, with all that it started itself."""
    if process.stdin is not None:
        process.stdin.close()
    for told in (signal.SIGTERM, signal.SIGKILL):
        if await _has_ended(process):
            break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, told)
    await _has_ended(process)


async def _has_ended(process: Process) -> bool:
    assert process.stdout is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            # Whoever still has something to say cannot end before it is taken off them.
            while await process.stdout.read(65536):
                pass
            await process.wait()
    return process.returncode is not None
