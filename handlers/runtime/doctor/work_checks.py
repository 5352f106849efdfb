"""What `footnote doctor` looks at in the queue and the state store."""

import asyncio
import secrets

from handlers.runtime import wiring
from handlers.runtime.doctor import verdicts
from handlers.runtime.doctor.findings import Finding, failed, ok, skipped, warning
from handlers.runtime.doctor.verdicts import QueueState
from handlers.runtime.settings import Settings
from handlers.work.deliveries import DELIVERIES
from handlers.work.errors import StoreUnavailable, WorkError
from handlers.work.ports import StateStore

QUEUE, DEAD_LETTERS, STORE = "queue", "dead letters", "state store"

_PROBE_SECONDS = 60.0


async def queue_findings(settings: Settings) -> list[Finding]:
    """Count what waits and what was given up, and see that the queue is set up as it must be."""
    return await (_on_sqs(settings) if settings.queue_url else _on_the_laptop(settings))


async def _on_the_laptop(settings: Settings) -> list[Finding]:
    if not await asyncio.to_thread(wiring.state_path(settings).exists):
        return [skipped(name, "Nothing was asked here yet.") for name in (QUEUE, DEAD_LETTERS)]
    queue = wiring.laptop_queue(settings)
    try:
        counts = await queue.counts()
    except WorkError as error:
        todo = "See that FOOTNOTE_HOME can be written to and that its disk is not full."
        return [
            failed(QUEUE, str(error), todo),
            skipped(DEAD_LETTERS, "The queue is not readable."),
        ]
    finally:
        await queue.close()
    state = QueueState(counts.waiting, counts.held)
    return [
        verdicts.queue_verdict(QUEUE, state),
        verdicts.dead_letters_verdict(DEAD_LETTERS, counts.dead),
    ]


async def _on_sqs(settings: Settings) -> list[Finding]:
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.sqs_facts import queue_facts

    options = settings.aws_client_options()
    try:
        facts = await queue_facts(settings.queue_url, options)
    except CloudRefused as error:
        told = skipped(DEAD_LETTERS, "The queue is not readable.")
        return [failed(QUEUE, error.found, error.todo), told]
    found = verdicts.queue_verdict(QUEUE, QueueState(facts.waiting, facts.held, facts.oldest))
    if not facts.fifo:
        found = failed(
            QUEUE,
            "The queue is no FIFO queue, so answers of one thread would come in any order.",
            "Name the queue that serverless.yml makes, or make one whose name ends in .fifo.",
        )
    elif facts.receives != DELIVERIES:
        found = warning(
            QUEUE,
            f"The queue gives a question up after {facts.receives or 'no number of'} deliveries, "
            f"and this version counts on {DELIVERIES}.",
            "Deploy this version's serverless.yml.",
        )
    return [found, await _dead_on_sqs(settings)]


async def _dead_on_sqs(settings: Settings) -> Finding:
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.sqs_facts import queue_facts

    if not settings.dead_letters_url:
        return skipped(DEAD_LETTERS, "FOOTNOTE_DEAD_LETTERS_URL is not set.")
    try:
        dead = await queue_facts(settings.dead_letters_url, settings.aws_client_options())
    except CloudRefused as error:
        return failed(DEAD_LETTERS, error.found, error.todo)
    return verdicts.dead_letters_verdict(DEAD_LETTERS, dead.waiting + dead.held)


async def store_findings(settings: Settings) -> list[Finding]:
    """Write, fence off, change and delete a row of our own in the state store."""
    try:
        async with wiring.opened_store(settings) as store:
            broken = await _broken_promise(store, f"doctor:{secrets.token_hex(8)}")
    except StoreUnavailable as error:
        todo = "See that the table is there, or that FOOTNOTE_HOME can be written to."
        return [failed(STORE, str(error), todo)]
    if broken:
        return [
            failed(STORE, broken, "Use DynamoDB, or a server that keeps its conditional writes.")
        ]
    where = "the table" if settings.state_table else "a file in FOOTNOTE_HOME"
    return [ok(STORE, f"Conditional writes to {where} work.")]


async def _broken_promise(store: StateStore, key: str) -> str:
    """Return what the store does not do as it must, or nothing."""
    first = await store.put_if_absent(key, {"step": 1}, _PROBE_SECONDS)
    try:
        if first is None:
            return "The store says that a row of ours is there which nobody wrote."
        if await store.put_if_absent(key, {"step": 2}, _PROBE_SECONDS) is not None:
            return "The store writes over a row that must be absent, so questions are lost."
        second = await store.replace(key, {"step": 3}, _PROBE_SECONDS, first)
        if second is None:
            return "The store does not let the owner of a row change it."
        if await store.replace(key, {"step": 4}, _PROBE_SECONDS, first) is not None:
            return "The store lets a row be changed by somebody who has lost it."
        item = await store.get(key)
        if item is None or item.value != {"step": 3}:
            return "The store does not give back what was written last."
    finally:
        await store.delete(key)
    return "" if await store.get(key) is None else "The store does not delete."
