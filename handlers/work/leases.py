"""Keeps a lease alive while the work it guards goes on, and stops the work when it is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from handlers.work.errors import ClaimLost, QueueUnavailable, StoreUnavailable


@asynccontextmanager
async def kept(renew: Callable[[], Awaitable[object]], *, every: float) -> AsyncIterator[None]:
    """Call ``renew`` every ``every`` seconds while the body runs; a third of the lease is good.

    A renewal that finds the queue or the store unavailable is tried again the next time. When it
    raises ClaimLost the body is cancelled, because somebody else does the work now, and the
    ClaimLost leaves the ``async with``.
    """
    body = asyncio.current_task()
    lost: list[ClaimLost] = []

    async def keep() -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await renew()
            except ClaimLost as error:
                lost.append(error)
                if body is not None:
                    body.cancel()
                return
            except (QueueUnavailable, StoreUnavailable):
                continue

    keeper = asyncio.create_task(keep())
    try:
        yield
    except asyncio.CancelledError:
        if lost and body is not None and body.uncancel() == 0:
            raise lost[0] from None
        raise
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])
    if not keeper.cancelled():
        keeper.result()
