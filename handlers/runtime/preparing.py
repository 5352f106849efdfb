"""The worker behind the queue of portions: each message is a portion to fetch, read and embed.

::

    try 1 … TRIES    the portion is prepared, and what was made of it is staged beside the index
    one more         only said to be given up: each try before ended with the death of its worker or
                     in an error that nobody foresaw, and the queue sets the message aside

What is foreseen (the source does not answer, for instance) is told to whoever waits, in its own
words, when the last try ends so; then there is nothing left to look at among dead letters.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from handlers.adapters.sqs import SqsQueue
from handlers.work.deliveries import LEASE_SECONDS, TRIES, Delivery, pause_before
from handlers.work.errors import BadJob, QueueUnavailable
from handlers.work.jobs import PrepareJob
from handlers.work.leases import kept
from index.errors import KnowledgeError
from index.ports import Embedder, Parser, Source
from index.preparing import Followed, give_up, prepare_asked
from index.staging import Staging

GIVEN_UP: Final = (
    "Some killed their workers, or ran into an error that nobody foresaw;"
    " infra/RUNBOOK.md, prepare-dead-letters."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preparer:
    """What a container prepares documents with. ``sources`` makes the declared ones afresh."""

    sources: Callable[[], Sequence[Source]]
    parser: Parser
    embedder: Embedder
    index: Followed
    staging: Staging

    async def prepare(self, job: PrepareJob, *, seconds: float) -> bool:
        """Prepare a portion within ``seconds``; False if nobody waits for it any more.

        Raises KnowledgeError.
        """
        declared = await asyncio.to_thread(self.sources)
        source = next((one for one in declared if one.name == job.source), None)
        if source is None:
            return False
        parts = (source, self.parser, self.embedder, self.index)
        return await prepare_asked(self.staging, job.portion, *parts, seconds=seconds)


async def prepare_batch(
    preparer: Preparer, queue: SqsQueue, records: Sequence[Mapping[str, Any]], *, seconds: float
) -> list[str]:
    """Prepare all; return the ids of the messages that must come again, after ``seconds`` at most.

    Raises IndexUnavailable if not even a failure can be told.
    """
    ends = time.monotonic() + seconds
    failed = []
    for record in records:
        try:
            delivery = queue.delivered(record)
        except BadJob as error:
            log.error("a job to prepare documents cannot be read: %s", error)
            with suppress(QueueUnavailable):
                await queue.hide(record, LEASE_SECONDS)
            failed.append(record["messageId"])
            continue
        if not await deliver(preparer, delivery, seconds=ends - time.monotonic()):
            failed.append(record["messageId"])
    return failed


async def deliver(preparer: Preparer, delivery: Delivery, *, seconds: float) -> bool:
    """Handle one delivery; tell whether its job is off the queue now.

    The lease is extended while the work goes on. Raises IndexUnavailable as above.
    """
    job, attempts = delivery.job, delivery.attempts
    if not isinstance(job, PrepareJob):
        return await delivery.done()
    if attempts > TRIES:
        await give_up(preparer.staging, job.source, job.portion, GIVEN_UP)
        with suppress(QueueUnavailable):
            await delivery.release()
        return False
    with suppress(QueueUnavailable):
        await delivery.extend()
    try:
        async with kept(delivery.extend, every=LEASE_SECONDS / 3):
            await preparer.prepare(job, seconds=seconds)
    except Exception as error:
        foreseen = error if isinstance(error, KnowledgeError) else None
        told = str(foreseen) if foreseen else type(error).__name__
        log.error("a portion was not prepared: %s", told, extra={"delivery": attempts})
        if foreseen and attempts >= TRIES:
            await give_up(preparer.staging, job.source, job.portion, told)
            return await delivery.done()
        with suppress(QueueUnavailable):
            outage = foreseen is not None and foreseen.retryable
            await delivery.release(pause_before(attempts, outage=outage))
        return False
    return await delivery.done()
