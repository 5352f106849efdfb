"""The first sync: begun by the scheduler, and waited for."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from infra.local_cloud.errors import LocalCloudError
from infra.local_cloud.stack import Stack

_PATIENCE = 300.0
"""Seconds for the scheduler to look at its watch, every ten, and for the sync itself."""

Report = tuple[str, ...]
"""What one run of a function logged, from its START to its REPORT."""


def bring_forward(stack: Stack, function: str) -> str:
    """Have the scheduler call a function now, as it will by itself later; return the new name.

    A schedule of its own with the target, role and input of the deployed one: that one keeps its
    rhythm, and nobody but the scheduler calls the function. Raises LocalCloudError.
    """
    scheduler = stack.client("scheduler")
    for listed in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=listed["Name"])
        if schedule["Target"]["Arn"].partition(":function:")[2] == stack.function(function):
            now = datetime.now(UTC) - timedelta(seconds=1)
            name = f"{function}-now"
            scheduler.create_schedule(
                Name=name,
                ScheduleExpression=now.strftime("at(%Y-%m-%dT%H:%M:%S)"),
                FlexibleTimeWindow={"Mode": "OFF"},
                Target=schedule["Target"],
                ActionAfterCompletion="DELETE",
            )
            return name
    raise LocalCloudError(f"serverless.yml deploys no schedule for the function {function}.")


async def finished_run(stack: Stack, function: str, *, runs: int = 1) -> Report:
    """Wait until a function has run this many times; return its last run. Raises LocalCloudError.

    A run that failed raises LocalCloudError with what it logged.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        lines = await asyncio.to_thread(stack.log, function)
        ends = [n for n, line in enumerate(lines) if line.startswith("REPORT ")]
        if len(ends) >= runs:
            begin = ends[runs - 2] + 1 if runs > 1 else 0
            report = tuple(lines[begin : ends[runs - 1] + 1])
            if any(line.startswith("Traceback ") for line in report):
                raise LocalCloudError("\n".join(report) + f"\n\nThe function {function} failed.")
            return report
        await asyncio.sleep(0.5)
    raise LocalCloudError(
        f"The scheduler had no run of {function} done within {_PATIENCE:.0f} s. "
        f"What the local AWS says of it is in {stack.aws.log}."
    )
