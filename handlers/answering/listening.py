"""Listens to a model without being bound to its pace: silence can be noticed and waited out.

stream ─ read by a task of its own ─▶ one event at a time ─▶ next(), which may time out
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from handlers.answering.ports import ModelEvent


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was said in time; the stream goes on."""


class Listening:
    """What a stream says. Use ``listening``."""

    def __init__(self) -> None:
        # Of one place, so that a stream is read no further than somebody asks for it.
        self._heard: asyncio.Queue[ModelEvent | Exception | None] = asyncio.Queue(1)

    async def next(self, until: float) -> ModelEvent | Silence | None:
        """Return the next event, Silence at ``until`` (an event-loop time), None at the end.

        Raises what the stream raised.
        """
        try:
            async with asyncio.timeout_at(until):
                heard = await self._heard.get()
        except TimeoutError:
            return Silence()
        if isinstance(heard, Exception):
            raise heard
        return heard

    async def read(self, stream: AsyncIterator[ModelEvent]) -> None:
        """Read the stream to its end, and close it whatever happens."""
        end: Exception | None = None
        try:
            async for event in stream:
                await self._heard.put(event)
        except Exception as error:
            end = error
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
        await self._heard.put(end)


@asynccontextmanager
async def listening(stream: AsyncIterator[ModelEvent]) -> AsyncGenerator[Listening]:
    """Listen to a stream; it is closed when the block is left."""
    heard = Listening()
    reader = asyncio.create_task(heard.read(stream))
    try:
        yield heard
    finally:
        reader.cancel()
        await asyncio.wait({reader})
