"""DOOR: the schedule. Brings the index in step with its sources.

A sync that does not fit into one invocation ends in time with what it has committed, and the next
one of the schedule goes on from there.
"""

from contextlib import AsyncExitStack
from typing import Any

from handlers.runtime import tracing
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.invoke import Warm, prepare, run
from handlers.runtime.logs import configure
from handlers.runtime.metrics import Metrics
from handlers.runtime.settings import Settings
from handlers.runtime.upkeep import seconds_left, sync_in_time


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one sync; returns its report, or in ``reason`` why it is not complete."""
    return run(_handle(seconds_left(context)), context)


async def _handle(seconds: float | None) -> dict[str, Any]:
    settings, metrics = await _open.get()
    return await sync_in_time(settings, seconds=seconds, observe=metrics.observe_sync)


async def _opening(stack: AsyncExitStack) -> tuple[Settings, Metrics]:
    settings = await deployed_settings()
    configure(settings.log_level)
    tracing.start(settings)
    return settings, Metrics(settings.stage)


_open = Warm(_opening)
prepare(_open)
