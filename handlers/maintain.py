"""DOOR: the schedule. Compacts and indexes what many small commits have left behind.

The event may hold ``{"force": true}`` to do so although it is not due yet.
"""

from contextlib import AsyncExitStack
from typing import Any

from handlers.runtime import tracing
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.invoke import Warm, prepare, run
from handlers.runtime.logs import configure
from handlers.runtime.settings import Settings
from handlers.runtime.upkeep import maintain_in_time, seconds_left


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Maintain the index; returns a report, or in ``reason`` why it is not complete."""
    return run(_handle(event.get("force") is True, seconds_left(context)), context)


async def _handle(force: bool, seconds: float | None) -> dict[str, Any]:
    return await maintain_in_time(await _open.get(), force=force, seconds=seconds)


async def _opening(stack: AsyncExitStack) -> Settings:
    settings = await deployed_settings()
    configure(settings.log_level)
    tracing.start(settings)
    return settings


_open = Warm(_opening)
prepare(_open)
