"""Runs checks side by side, each with a time limit of its own; none can hide another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from handlers.runtime.doctor.findings import Finding, failed

CHECK_SECONDS = 10.0
"""How long one check may take, not counting the loading of its libraries."""


def _nothing() -> None:
    """Load no library."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at. ``names`` are those of the findings that ``examine`` returns.

    ``load`` imports what the check needs, in a thread and before its time begins: on a slow disk a
    large library may take longer than the whole check.
    """

    names: tuple[str, ...]
    examine: Callable[[], Awaitable[Sequence[Finding]]]
    load: Callable[[], object] = _nothing


async def examine(
    checks: Sequence[Check],
    *,
    seconds: float = CHECK_SECONDS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Finding]:
    """Run all checks at once and return their findings in the order of the checks.

    ``seconds`` bounds each of them. ``progress`` is told how many of them are done.
    """
    done = 0
    progress(done, len(checks))

    async def one(check: Check) -> Sequence[Finding]:
        nonlocal done
        findings = await _examined(check, seconds)
        done += 1
        progress(done, len(checks))
        return findings

    found = await asyncio.gather(*(one(check) for check in checks))
    return [finding for findings in found for finding in findings]


async def _examined(check: Check, seconds: float) -> Sequence[Finding]:
    deadline = asyncio.timeout(None)
    try:
        await asyncio.to_thread(check.load)
        async with deadline:
            deadline.reschedule(asyncio.get_running_loop().time() + seconds)
            return await check.examine()
    except TimeoutError:
        found = "The other side gave up waiting."
        if deadline.expired():
            found = f"There was no answer within {seconds:g} s."
        return _all_failed(check, found, "See whether it can be reached from here; try again.")
    except Exception as error:
        # A defect of one check is no reason to keep the others back. Of an error that nobody
        # foresaw only the name is sure to hold no secret.
        return _all_failed(
            check,
            f"The check itself failed ({type(error).__name__}).",
            "This is a defect of Footnote: please report it, with this line.",
        )


def _all_failed(check: Check, found: str, todo: str) -> list[Finding]:
    return [failed(name, found, todo) for name in check.names]
