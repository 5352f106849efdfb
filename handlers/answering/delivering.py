"""One delivery, from the queue to its end there: answered, given back, or left to come again."""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Protocol

from handlers.answering.tries import is_outage
from handlers.answering.worker import Handled, Later
from handlers.work.deliveries import DELIVERIES, LEASE_SECONDS, Delivery, pause_before
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import AgentJob, AnswerJob
from handlers.work.leases import kept

log = logging.getLogger(__name__)


class Worker(Protocol):
    """Works on jobs of one kind: answers, or runs of the agent."""

    async def handle(self, job: Any, *, deliveries: int = 1, last: bool = False) -> Handled | Later:
        """Work on one job, which was delivered so often, and comes no more after its ``last``."""
        ...

    def waits_for(self, job: Any, error: Exception) -> bool:
        """Tell whether ``error`` is an outage that this job may outlast for free."""
        ...


async def deliver(
    worker: Worker,
    delivery: Delivery,
    *,
    kind: type[AnswerJob] | type[AgentJob] = AnswerJob,
    patience: float = 0.0,
) -> bool:
    """Handle one delivery; tell whether its job is off the queue now.

    The lease is extended while the work goes on. What is no job of this ``kind`` is dropped. A job
    that another worker holds is waited for up to ``patience`` seconds, for queues where giving it
    back would count as a delivery. Raises QueueUnavailable when the queue does not take the ending.
    """
    job = delivery.job
    if not isinstance(job, kind):
        return await delivery.done()
    try:
        async with kept(delivery.extend, every=LEASE_SECONDS / 3):
            handled = await _handled(worker, job, delivery.attempts, patience)
    except asyncio.CancelledError:
        with suppress(QueueUnavailable):
            await asyncio.shield(delivery.release(tried=False))
        raise
    except Exception as error:
        log.error(
            "%s job returned to the queue: %s",
            job.kind,
            type(error).__name__,
            extra={"trace": job.trace, "delivery": delivery.attempts},
        )
        pause = pause_before(delivery.attempts, outage=is_outage(error))
        await delivery.release(pause, tried=not worker.waits_for(job, error))
        return False
    if isinstance(handled, Later):
        await delivery.release(handled.seconds, tried=False)
        return False
    return await delivery.done()


async def _handled(
    worker: Worker, job: AnswerJob | AgentJob, attempts: int, patience: float
) -> Handled | Later:
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    while True:
        handled = await worker.handle(job, deliveries=attempts, last=attempts >= DELIVERIES)
        if isinstance(handled, Handled) or loop.time() + handled.seconds > until:
            return handled
        await asyncio.sleep(handled.seconds)
