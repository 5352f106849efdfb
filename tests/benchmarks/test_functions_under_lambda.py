"""Every function of serverless.yml under Lambda's own runtime client, from what is deployed.

The zip and the folder of the image are made as a deployment makes them, and nothing of this
environment can be imported from them. S3 is 20 ms away, SQS and DynamoDB answer at once; Slack is
the playground, and the model answers at once too, so that what is left is ours. The first request
of a function is the first real one: a signed mention, a question on 20,000 chunks, a sync of the
handbook, a portion of it prepared for one, maintenance that has nothing to do, a search for losses,
a run of the agent that searches once. infra/costs.py rests on this.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.playground import Playground
from handlers.runtime.demo import BOT_TOKEN, SIGNING_SECRET
from tests.benchmarks import large_index
from tests.benchmarks.cloud import Cloud, running_cloud
from tests.benchmarks.figures import machine, show
from tests.benchmarks.function_work import WORK, given, good
from tests.doubles.lambda_runtime import Function, running_function

ROOT = Path(__file__).parents[2]
ROUNDS = 5

RUNTIME_CLIENT = ("awslambdaric", "runtime_client*", "simplejson", "snapshot_restore_py")
"""What Lambda's own images for Python bring along, outside of a zip."""

DOOR_IMPORT_SECONDS = 0.45
DOOR_BYTES = 70_000_000
WARM_SECONDS = 0.150
COLD_SECONDS = 2.5

IMPORT = """
import time
began = time.perf_counter()
import handlers.slack
seconds = time.perf_counter() - began
# Not ru_maxrss: that counts the parent too, which the process was for a moment after the fork.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(seconds, int(peak.split()[1]) * 1024)
"""


@dataclass(frozen=True)
class Deployed:
    """Where the functions lie, and where Lambda would look for packages."""

    zip: Path
    image: Path
    runtime: Path


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    place = tmp_path_factory.mktemp("deployed")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    made("infra.package", "--python", version, "--folder", str(place))
    with zipfile.ZipFile(place / "slack.zip") as zipped:
        zipped.extractall(place / "zip")
    made("infra.image", "--assemble", str(place / "image"))
    (place / "runtime").mkdir()
    for pattern in RUNTIME_CLIENT:
        for found in (place / "image").glob(pattern):
            (place / "runtime" / found.name).symlink_to(found)
    return Deployed(place / "zip", place / "image", place / "runtime")


def made(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as running:
        yield running


@pytest.mark.timeout(1800)
def test_the_slack_door_is_light(deployed: Deployed) -> None:
    seconds, peaks = [], []
    for _ in range(9):
        done = subprocess.run(
            [sys.executable, "-S", "-c", IMPORT],
            cwd=deployed.zip,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(deployed.zip)},
            capture_output=True,
            text=True,
            check=True,
        )
        taken, peak = map(float, done.stdout.split())
        seconds.append(taken)
        peaks.append(peak)
    # The least of them: what others do on the machine can only add.
    rows = {
        "import, s": {"median": statistics.median(seconds), "least": min(seconds)},
        "peak memory, MB": {"median": statistics.median(peaks) / 1e6, "least": min(peaks) / 1e6},
    }
    show("slack door, from its zip", rows, machine())
    assert statistics.median(seconds) <= DOOR_IMPORT_SECONDS
    assert max(peaks) <= DOOR_BYTES


@pytest.mark.timeout(1800)
async def test_every_function_starts_and_does_its_first_work(
    deployed: Deployed, cloud: Cloud, tmp_path: Path
) -> None:
    runs: dict[str, list[dict[str, float]]] = {}
    for number in range(ROUNDS):
        fresh = cloud.storage.new_uri()
        for name in WORK:
            environment = cloud.environment(tmp_path / f"{name}{number}")
            if name.startswith("ingest"):
                environment["FOOTNOTE_INDEX"] = fresh
            if name == "answer, quotes":
                del environment["OPENAI_MODEL"]
            # Each has a Slack whose rate limits nobody has used yet.
            async with Playground(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as slack:
                environment["SLACK_API_URL"] = slack.api_url
                async with given(name, slack, cloud, environment) as events:
                    told = await asyncio.to_thread(measured, name, deployed, environment, events)
            runs.setdefault(name, []).append(told)
    rows = {
        name: {
            what: statistics.median(one[what] for one in told if what in one)
            for what in dict.fromkeys(what for one in told for what in one)
        }
        for name, told in runs.items()
    }
    show("under Lambda's runtime client", rows, machine() | {"rounds": ROUNDS})
    assert rows["answer"]["first word, ms"] / 1000 <= WARM_SECONDS
    assert rows["answer"]["passages, s"] <= COLD_SECONDS


def measured(
    name: str, deployed: Deployed, environment: Mapping[str, str], events: list[Any]
) -> dict[str, float]:
    door = WORK[name]
    zipped = door in ("slack", "reconcile")
    folder = deployed.zip if zipped else deployed.image
    search = [folder, deployed.runtime] if zipped else [folder]
    brought = {"FOOTNOTE_MODELS": str(deployed.image / "models")}
    if door == "agent":
        files = {"AGENT_POLICY": "policy", "MCP": "mcp", "WEBHOOKS": "webhooks"}
        for setting, file in files.items():
            brought[f"FOOTNOTE_{setting}"] = str(deployed.image / "agent" / f"{file}.toml")
    with running_function(
        f"handlers.{door}.handler", {**brought, **environment}, folder=folder, search=search
    ) as function:
        first, *others = [function.invoke(event) for event in events]
        figures = {
            "init, s": function.init_seconds,
            "first, s": first.seconds,
            "peak, MB": function.peak_bytes() / 1e6,
            "cpu, s": function.cpu_seconds(),
        }
        if others:
            figures["next, ms"] = 1000 * statistics.median(one.seconds for one in others)
        values = [first.value, *(one.value for one in others)]
        done = all(good(door, value, large_index.CHUNKS) for value in values)
        assert done, f"{values}\n{function.log()}"
        if name == "ingest, nothing new":
            assert not first.value["sources"][0]["added"], first.value
        return figures | own_metrics(function)


def own_metrics(function: Function) -> dict[str, float]:
    """Return what the answer function itself put down: from process start to its first passages,
    and medians of the questions after the first one.

    The first word is counted from the start of the try, since all questions were queued at once.
    """
    lines = [line for line in function.log().splitlines() if "TimeToFirstWord" in line]
    if not lines:
        return {}
    first, *told = map(json.loads, lines)
    return {
        "passages, s": function.init_seconds + first["RetrievalTime"] / 1000,
        "retrieval, ms": statistics.median(one["RetrievalTime"] for one in told),
        "first word, ms": statistics.median(
            one["TimeToFirstWord"] - one["QueueAge"] for one in told
        ),
    }
