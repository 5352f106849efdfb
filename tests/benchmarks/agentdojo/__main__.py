"""AgentDojo through our gate, beside two others: none, and one that lets fetches pass.

    build/agentdojo/bin/python -m tests.benchmarks.agentdojo [--suites banking travel slack]

Prints tables for people, and one JSON object last.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.agentdojo import scores
from tests.benchmarks.agentdojo.arena import Arena
from tests.benchmarks.agentdojo.cases import VERSION, cases
from tests.benchmarks.agentdojo.effects import EFFECTS, Guard
from tests.benchmarks.agentdojo.obedient import Arrangement
from tests.benchmarks.agentdojo.scores import Came
from tests.benchmarks.agentdojo.tables import attacks_table, tasks_table, warnings_table
from tests.benchmarks.figures import machine

SUITES = ("banking", "travel", "slack")
"""Of the last two tools of slack one asks any address, which is what a gate on writes lets pass."""


async def measured(suites: Sequence[str]) -> dict[str, Any]:
    """Run all cases of some suites under each guard; return the figures."""
    began = time.perf_counter()
    async with Arena.opened() as arena:
        alone = {how: await _all(arena, suites, Guard.OURS, how, False) for how in Arrangement}
        attacked = {
            guard: {how: await _all(arena, suites, guard, how, True) for how in _ways(guard)}
            for guard in Guard
        }
    ours = [one for runs in attacked[Guard.OURS].values() for one in runs]
    own = [one for runs in alone.values() for one in runs]
    return {
        **machine(),
        "agentdojo": VERSION,
        "suites": list(suites),
        "alone": {how: _by_suite(came, scores.alone) for how, came in alone.items()},
        "approvals": _by_suite(alone[Arrangement.ALONE], scores.approvals),
        "attacked": {
            guard: {how: _by_suite(came, scores.attacked) for how, came in arrangements.items()}
            for guard, arrangements in attacked.items()
        },
        "warned": _by_suite(ours, scores.warned),
        "warnings of own calls": sorted({said for one in own for said in one.seen.own_warnings}),
        "not done": [_name(one) for one in own if not one.done],
        "breached": [_name(one) for one in ours if one.breached and not one.by_words],
        "seconds": round(time.perf_counter() - began, 1),
    }


def _ways(guard: Guard) -> Sequence[Arrangement]:
    """Return the arrangements to measure: of cards only where there are some."""
    return list(Arrangement) if guard is Guard.OURS else [Arrangement.ALONE]


def _name(came: Came) -> str:
    return "/".join(filter(None, [came.suite, came.task, came.attack]))


async def _all(
    arena: Arena, suites: Sequence[str], guard: Guard, how: Arrangement, attacked: bool
) -> list[Came]:
    came = [await arena.run(case, guard, how) for case in cases(suites, attacked=attacked)]
    print(f"{guard}, {how}, attacked {attacked}: {len(came)}", file=sys.stderr, flush=True)
    return came


def _by_suite(came: Sequence[Came], summed: Any) -> dict[str, Mapping[Any, float]]:
    suites = dict.fromkeys(one.suite for one in came)
    rows = {suite: summed([one for one in came if one.suite == suite]) for suite in suites}
    return {**rows, "all": summed(came)}


def main() -> int:
    """Measure what the command line names; return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--suites", nargs="*", choices=list(EFFECTS), default=SUITES)
    report = asyncio.run(measured(options.parse_args().suites))
    for table in (attacks_table, tasks_table, warnings_table):
        print("\n" + "\n".join(table(report)))
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
