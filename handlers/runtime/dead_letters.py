"""What a stage has given up: its dead-letter queues, by the names that its stack gives them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

UNASKED: Final = ("Prepare", "Schedule")
"""Whose dead letters hold no question: portions of a sync, and runs that the scheduler began."""

_SUFFIX = "DeadLettersUrl"
_WHAT = {
    "Answer": ("question", "questions"),
    "Agent": ("step of an agent", "steps of agents"),
    "Prepare": ("portion of a sync", "portions of a sync"),
    "Schedule": ("scheduled run", "scheduled runs"),
}


async def given_up(outputs: Mapping[str, str], options: Mapping[str, str]) -> Mapping[str, int]:
    """Return how many dead letters each queue holds, by whose they are ("Answer", "Agent" ...).

    ``outputs`` are those of the stack, ``options`` are ``Settings.aws_client_options``. Every
    output whose name says so is such a queue, also of a later version. Raises CloudRefused.
    """
    from handlers.adapters.sqs_facts import queue_facts

    urls = {
        name.removesuffix(_SUFFIX): url for name, url in outputs.items() if name.endswith(_SUFFIX)
    }
    facts = await asyncio.gather(*(queue_facts(url, options) for url in urls.values()))
    return {name: one.waiting + one.held for name, one in zip(urls, facts, strict=True)}


def listed(counts: Mapping[str, int]) -> str:
    """Return the counts that are not zero in words; empty when all are."""
    return ", ".join(
        f"{count} {_WHAT.get(name, (name, name))[count != 1]}"
        for name, count in counts.items()
        if count
    )
