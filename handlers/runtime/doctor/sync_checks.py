"""What `footnote doctor` looks at in a stage besides: queues in which there are no questions."""

from collections.abc import Mapping

from handlers.runtime.dead_letters import UNASKED, given_up, listed
from handlers.runtime.doctor.findings import Finding, failed, ok, skipped, warning
from handlers.runtime.doctor.verdicts import duration
from handlers.runtime.settings import Settings

SYNC_QUEUE, OTHER_DEAD_LETTERS = "sync queue", "other dead letters"

PREPARING_SECONDS = 3600.0
"""A portion that has waited longer has outlived the run of ingest that asked for it."""


async def sync_findings(settings: Settings, outputs: Mapping[str, str]) -> list[Finding]:
    """Count what waits to be prepared, and what syncs and scheduled runs have given up."""
    return [await _waiting(settings, outputs), await _dead(settings, outputs)]


async def _waiting(settings: Settings, outputs: Mapping[str, str]) -> Finding:
    from handlers.adapters.aws_operator import CloudRefused
    from handlers.adapters.sqs_facts import queue_facts

    url = outputs.get("PrepareQueueUrl")
    if not url:
        return skipped(SYNC_QUEUE, "The stack names none.")
    try:
        facts = await queue_facts(url, settings.aws_client_options())
    except CloudRefused as error:
        return failed(SYNC_QUEUE, error.found, error.todo)
    found = f"Portions of documents: {facts.waiting} waiting, {facts.held} being prepared"
    if facts.oldest is None:
        return ok(SYNC_QUEUE, f"{found}.")
    found = f"{found}; the oldest has been there for {duration(facts.oldest)}."
    if facts.oldest > PREPARING_SECONDS:
        todo = (
            "With fanOut=true the log of the function prepare says why, see prepare-errors in "
            "infra/RUNBOOK.md. Without it nobody takes them: empty the queue."
        )
        return warning(SYNC_QUEUE, found, todo)
    return ok(SYNC_QUEUE, found)


async def _dead(settings: Settings, outputs: Mapping[str, str]) -> Finding:
    from handlers.adapters.aws_operator import CloudRefused

    unasked = {name: url for name, url in outputs.items() if name.startswith(UNASKED)}
    try:
        counts = await given_up(unasked, settings.aws_client_options())
    except CloudRefused as error:
        return failed(OTHER_DEAD_LETTERS, error.found, error.todo)
    if not counts:
        return skipped(OTHER_DEAD_LETTERS, "The stack names no queue for them.")
    if not any(counts.values()):
        return ok(OTHER_DEAD_LETTERS, "No portion and no scheduled run was given up.")
    entries = " and ".join(f"{n.lower()}-dead-letters" for n, count in counts.items() if count)
    todo = f"See {entries} in infra/RUNBOOK.md."
    return warning(OTHER_DEAD_LETTERS, f"Given up: {listed(counts)}.", todo)
