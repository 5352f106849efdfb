"""A batch of SQS messages: groups at the same time, one message after the other inside a group.

    group A   ─ 1 ─ 2 ─▶           every message is hidden for a lease at a time from the start, so
    group B   ─ 3 ─▶               that all come back soon if this process is killed
    group C   ─ (unreadable) ─▶    one that cannot be read comes again soon, until it is set aside

Inside a group a message that failed does not hold up those behind it: each is a question of its
own, and being given back untried would cost it a delivery.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from handlers.adapters.sqs import SqsDelivery, SqsQueue
from handlers.answering.delivering import Worker, deliver
from handlers.work.deliveries import LEASE_SECONDS
from handlers.work.errors import BadJob, QueueUnavailable
from handlers.work.jobs import AgentJob, AnswerJob
from handlers.work.leases import kept

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2 * LEASE_SECONDS
"""How long a message that another worker holds is waited for: SQS counts every delivery."""

Record = Mapping[str, Any]
Kind = type[AnswerJob] | type[AgentJob]


async def answer_batch(
    worker: Worker,
    queue: SqsQueue,
    records: Sequence[Record],
    *,
    seconds: float,
    kind: Kind = AnswerJob,
) -> list[str]:
    """Work on all jobs of a ``kind``; return the ids of the messages that must come again.

    It takes ``seconds`` at most. What is not done by then is given back in order, before Lambda
    kills the process.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record["attributes"].get("MessageGroupId", "")].append(record)
    done: set[str] = set()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(
                *(_answer_group(worker, queue, group, done, kind) for group in groups.values())
            )
    return [record["messageId"] for record in records if record["messageId"] not in done]


async def _answer_group(
    worker: Worker, queue: SqsQueue, records: Sequence[Record], done: set[str], kind: Kind
) -> None:
    waiting: dict[str, SqsDelivery] = {}
    for record in records:
        try:
            waiting[record["messageId"]] = queue.delivered(record)
        except BadJob as error:
            log.error("%s job cannot be read: %s", kind.kind, error)
            # Its thread waits meanwhile, for SQS keeps the order of a group.
            with suppress(QueueUnavailable):
                await queue.hide(record, LEASE_SECONDS)

    async def hide_waiting() -> None:
        for delivery in list(waiting.values()):
            await delivery.extend()

    with suppress(QueueUnavailable):
        await hide_waiting()
    async with kept(hide_waiting, every=LEASE_SECONDS / 3):
        try:
            for message_id in list(waiting):
                delivery = waiting.pop(message_id)
                with suppress(QueueUnavailable):
                    if await deliver(worker, delivery, kind=kind, patience=PATIENCE_SECONDS):
                        done.add(message_id)
        except asyncio.CancelledError:
            for delivery in waiting.values():
                with suppress(QueueUnavailable):
                    await asyncio.shield(delivery.release())
            raise
