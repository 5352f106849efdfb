"""While a container opens what it works with, the messages it was given already wait for that."""

from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from handlers.adapters.sqs import SqsQueue
from handlers.work.deliveries import LEASE_SECONDS, pause_before
from handlers.work.errors import QueueUnavailable
from handlers.work.leases import kept

T = TypeVar("T")


async def opened(opening: Awaitable[T], queue: SqsQueue, records: Sequence[Mapping[str, Any]]) -> T:
    """Return what ``opening`` does; hide the messages for a lease at a time while it opens.

    When it cannot open, they come again later and later: this process cannot work, another one
    perhaps can. Raises what ``opening`` raises.
    """

    async def hide() -> None:
        for record in records:
            await queue.hide(record, LEASE_SECONDS)

    with suppress(QueueUnavailable):
        await hide()
    try:
        async with kept(hide, every=LEASE_SECONDS / 3):
            return await opening
    except Exception:
        for record in records:
            attempts = int(record["attributes"]["ApproximateReceiveCount"])
            with suppress(QueueUnavailable):
                await queue.hide(record, pause_before(attempts, outage=True))
        raise
