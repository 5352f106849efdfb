"""Runs the coroutine of one Lambda invocation: one event loop per container, not per invocation."""

import asyncio
import atexit
import contextvars
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run ``coroutine`` on the loop that every invocation of this container shares.

    ``asyncio.run`` would make a new loop each time and close it afterwards; clients that a warm
    container keeps (OpenAI's, aiohttp's) hold connections of the loop they first ran on, and fail
    on the second invocation.
    """
    return _runner().run(coroutine, context=contextvars.copy_context())


@cache
def _runner() -> asyncio.Runner:
    runner = asyncio.Runner()
    atexit.register(runner.close)
    return runner
