"""How every event ended, recorded once: a word and a time, never what somebody wrote."""

import re

from bot.conversation import Ending, Outcome, Verdict
from handlers.work.ports import StateStore

KEEP_SECONDS = 7 * 24 * 3600
"""A week is enough to look back from a Monday on a Friday."""

_WORD = re.compile(r"[a-z0-9_.-]{0,64}")


async def record(store: StateStore, key: str, outcome: Outcome) -> bool:
    """Record how the job ``key`` ended; tell whether this was the ending that counts.

    The first ending stands, except that DEFERRED, which only says "later", gives way to any other.
    Raises StoreUnavailable, and ValueError for a reason that is not a short machine word: that is
    what keeps message text out.
    """
    if not _WORD.fullmatch(outcome.reason):
        raise ValueError("The reason of an outcome is a short machine word.")
    name = _name(key)
    value = {
        "ending": outcome.ending.value,
        "reason": outcome.reason,
        "verdict": outcome.verdict.value if outcome.verdict else None,
        "seconds": outcome.seconds,
    }
    while await store.put_if_absent(name, value, KEEP_SECONDS) is None:
        item = await store.get(name)
        if item is None:
            continue
        if item.value.get("ending") != Ending.DEFERRED or outcome.ending is Ending.DEFERRED:
            return False
        if await store.replace(name, value, KEEP_SECONDS, item.revision):
            return True
    return True


async def read(store: StateStore, key: str) -> Outcome | None:
    """Return the recorded outcome of the job ``key``, or None. Raises StoreUnavailable."""
    item = await store.get(_name(key))
    if item is None:
        return None
    verdict, seconds = item.value.get("verdict"), item.value.get("seconds")
    return Outcome(
        ending=Ending(str(item.value["ending"])),
        reason=str(item.value.get("reason", "")),
        verdict=Verdict(str(verdict)) if verdict else None,
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
    )


def _name(key: str) -> str:
    return f"outcome:{key}"
