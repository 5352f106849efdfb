"""The life of a Lambda container: what it opens once, and one event loop for all invocations.

    init phase     import the door ─ prepare(warm) ─▶ open, if this is Lambda
    invocation 1   run(handle(event)) ─ warm.get() ─▶ what was opened; or open now, again
    invocation 2   run(handle(event)) ─ warm.get() ─▶ the same, on the same loop

The init phase has the whole processor of the machine and costs nobody's patience; Lambda gives it
10 seconds and then starts it over.
"""

import asyncio
import atexit
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from functools import cache
from typing import Any, Generic, TypeVar

from handlers.runtime import tracing
from handlers.runtime.logs import configure, request_id
from handlers.runtime.settings import SettingsError, in_lambda
from handlers.work.errors import WorkError
from index.errors import KnowledgeError

log = logging.getLogger(__name__)

T = TypeVar("T")

INIT_SECONDS = 9.0
"""How long the init phase waits for an opening, which then goes on with the first event."""


class Warm(Generic[T]):
    """What a container opens once and keeps for all its events.

    ``opening`` gets a stack for whatever must be closed if the rest of the opening fails. After a
    success nothing is closed: it lives as long as the container.
    """

    def __init__(self, opening: Callable[[AsyncExitStack], Awaitable[T]]) -> None:
        self._opening = opening
        self._open: asyncio.Task[T] | None = None
        self._kept = AsyncExitStack()

    async def get(self) -> T:
        """Return what is open; opens it if nobody has, or if that failed. Raises what it raises."""
        if self._open is None or _failed(self._open):
            self._open = asyncio.create_task(self._opened())
        # Whoever stops waiting leaves it running for the next one.
        return await asyncio.shield(self._open)

    @property
    def is_open(self) -> bool:
        """Tell whether ``get`` returns at once."""
        return self._open is not None and self._open.done() and not _failed(self._open)

    def forget(self) -> None:
        """Open anew at the next event; what is open now stays open for those who hold it."""
        self._open = None

    async def _opened(self) -> T:
        async with AsyncExitStack() as stack:
            opened = await self._opening(stack)
            self._kept = stack.pop_all()
        return opened


def prepare(warm: Warm[Any]) -> None:
    """Open ``warm`` now if this is the init phase of a Lambda function; elsewhere do nothing.

    Called at the bottom of a door. A failure is logged and leaves a usable container behind: the
    first event tries again, and fails by itself if it must.
    """
    if not in_lambda():
        return
    configure()
    try:
        run(asyncio.wait_for(warm.get(), INIT_SECONDS))
    except TimeoutError:
        log.warning("opening was not done in the init phase, the first event goes on with it")
    except (SettingsError, WorkError, KnowledgeError) as error:
        log.error("opening failed at init, the first event tries again: %s", error)
    except Exception as error:
        # Of an error nobody foresaw only the name is sure to hold no secret.
        log.error("opening failed at init, the first event tries again: %s", type(error).__name__)


def run(coroutine: Coroutine[Any, Any, T], invocation: object = None) -> T:
    """Run ``coroutine`` on the loop that every invocation of this container shares.

    ``invocation`` is what Lambda calls the context: its request id is put on every log line.

    ``asyncio.run`` would make a new loop each time and close it afterwards; clients that a warm
    container keeps (OpenAI's, aiohttp's) hold connections of the loop they first ran on, and fail
    on the second invocation.
    """
    context = contextvars.copy_context()
    context.run(request_id.set, str(getattr(invocation, "aws_request_id", "")))
    try:
        return _runner().run(coroutine, context=context)
    finally:
        # Lambda stops the process as soon as it has the result.
        tracing.flush()


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


@cache
def _runner() -> asyncio.Runner:
    runner = asyncio.Runner()
    atexit.register(runner.close)
    return runner
