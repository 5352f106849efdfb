"""What there is to see in the local cloud: queues, rows, objects, and the functions' processes."""

import asyncio
import io
import json
import operator
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from handlers.adapters.dynamodb_audit import AT_ATTRIBUTE
from infra.local_cloud.ministack import REGION, ROOT_KEY, ROOT_SECRET
from infra.local_cloud.stack import STACK, Stack

Found = TypeVar("Found")

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}

_COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True)
class Sight:
    """Reads a deployed stack, as its root user."""

    stack: Stack

    def waiting(self, queue: str) -> int:
        """Return how many messages a queue holds, those in flight included."""
        given = self.stack.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.resources[queue], AttributeNames=list(_COUNTED)
        )
        return sum(int(given["Attributes"][name]) for name in _COUNTED)

    def rows(self) -> dict[str, Mapping[str, Any]]:
        """Return the values in the state table, by key."""
        pages = self.stack.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self.stack.resources["StateTable"])
        return {
            item["key"]["S"]: json.loads(item["value"]["S"])
            for page in found
            for item in page["Items"]
        }

    def audited(self) -> list[str]:
        """Return the events in the audit log, oldest first."""
        pages = self.stack.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self.stack.resources["AuditTable"])
        items = [item for page in found for item in page["Items"]]
        items.sort(key=lambda item: item[AT_ATTRIBUTE]["S"])
        return [json.loads(item["entry"]["S"])["event"] for item in items]

    def row(self, kind: str, ts: str) -> Mapping[str, Any]:
        """Return the row of one kind about the message ``ts``; empty when there is none."""
        named = (v for k, v in self.rows().items() if k.startswith(f"{kind}:") and k.endswith(ts))
        return next(named, {})

    def rings(self, alarm: str, since: datetime) -> bool | None:
        """Tell whether the number that a deployed alarm watches crossed its threshold.

        ``alarm`` is its name without the stack's. CloudWatch is asked with the alarm's own words
        for what was measured from ``since``, a whole second, until now. None: nothing was.
        """
        cloudwatch = self.stack.client("cloudwatch")
        (found,) = cloudwatch.describe_alarms(AlarmNames=[f"{STACK}-{alarm}"])["MetricAlarms"]
        measured = cloudwatch.get_metric_statistics(
            Namespace=found["Namespace"],
            MetricName=found["MetricName"],
            Dimensions=found["Dimensions"],
            Statistics=[found["Statistic"]],
            Period=found["Period"],
            StartTime=since,
            EndTime=datetime.now(UTC) + timedelta(seconds=1),
        )["Datapoints"]
        crosses = _COMPARED[found["ComparisonOperator"]]
        numbers = [datapoint[found["Statistic"]] for datapoint in measured]
        return any(crosses(number, found["Threshold"]) for number in numbers) if numbers else None

    def objects(self) -> list[str]:
        """Return the names of all objects in the bucket."""
        pages = self.stack.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.stack.resources["IndexBucket"])
        return [entry["Key"] for page in found for entry in page.get("Contents", ())]

    def runs(self, function: str) -> int:
        """Return how often a function has been run to its end."""
        return sum(line.startswith("REPORT ") for line in self.stack.log(function))

    def deploy(self, function: str, file: str, old: str, new: str) -> None:
        """Deploy to one function a version of the code with ``old`` in ``file`` made ``new``."""
        packaged = self.stack.template.parents[1] / "build" / "code.zip"
        written = io.BytesIO()
        compiled = f"{Path(file).parent}/__pycache__/{Path(file).stem}."
        with zipfile.ZipFile(packaged) as before, zipfile.ZipFile(written, "w") as after:
            for entry in before.infolist():
                content = before.read(entry)
                if entry.filename == file:
                    assert content.count(old.encode()) == 1, old
                    content = content.replace(old.encode(), new.encode())
                if not entry.filename.startswith(compiled):
                    after.writestr(entry, content)
        self.stack.client("lambda").update_function_code(
            FunctionName=self.stack.function(function), ZipFile=written.getvalue()
        )

    def processes(self, function: str) -> list[int]:
        """Return the ids of the processes that a function runs in."""
        listed = subprocess.run(
            ["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True
        )
        place = self.stack.aws.folder / "ministack" / "tmp"
        mark = f"{place}/ministack-lambda-{self.stack.function(function)}-"
        return [int(line.split()[0]) for line in listed.stdout.splitlines() if mark in line]

    def kill(self, function: str, signum: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to every process of a function; return how many there were.

        Killed ones are gone when this returns: ministack would still hand an event to one that is
        dying, and call the invocation failed.
        """
        found = self.processes(function)
        for process in found:
            os.kill(process, signum)
        while signum is signal.SIGKILL and any(map(_running, found)):
            time.sleep(0.02)
        return len(found)


def _running(process: int) -> bool:
    asked = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True
    )
    state = asked.stdout.strip()
    # "Zl" is one whose other threads are still at their end.
    return bool(state) and not (state.startswith("Z") and "l" not in state)


async def operated(stack: Stack, *arguments: str) -> Mapping[str, Any]:
    """Run a command of `footnote` as the operator of the deployed stack; return its report."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handlers", *arguments, "--json"),
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": stack.aws.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        },
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    found: Mapping[str, Any] = json.loads(printed)
    return found


def next_second() -> datetime:
    """Return the next whole second: a measurement from then on saw all that is true now."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)


async def until(look: Callable[[], Found], seconds: float = 30.0) -> Found:
    """Return the first truthy result of ``look``. Raise TimeoutError after ``seconds``."""
    end = time.monotonic() + seconds
    while not (found := await asyncio.to_thread(look)):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        await asyncio.sleep(0.2)
    return found
