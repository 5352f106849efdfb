"""Every function of serverless.yml under Lambda's own runtime client, from what is deployed.

The zip and the folder of the image are made as a deployment makes them, and nothing of this
environment can be imported from them. S3 is 20 ms away, SQS and DynamoDB answer at once; Slack is
the playground, and the model answers at once too, so that what is left is ours. The first request
of a function is the first real one: a signed mention, a question on 20,000 chunks, a sync of the
handbook, maintenance that has nothing to do, a search for losses.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.playground import Playground
from handlers.runtime.demo import BOT_TOKEN, HANDBOOK, SIGNING_SECRET
from handlers.work.jobs import AnswerJob, encode
from tests.benchmarks import large_index
from tests.benchmarks.cold_start import QUESTIONS
from tests.benchmarks.figures import machine, show
from tests.doubles.aws import Aws, running_aws
from tests.doubles.instant_model import running_instant_model
from tests.doubles.lambda_runtime import Function, running_function
from tests.doubles.object_storage import (
    ACCESS_KEY,
    SECRET_KEY,
    ObjectStorage,
    running_object_storage,
)
from tests.doubles.slack_signing import signature
from tests.doubles.slow_storage import SlowStorage, slowed

ROOT = Path(__file__).parents[2]
ROUNDS = 3
WARM_REQUESTS = 20
RUNTIME_CLIENT = ("awslambdaric", "runtime_client*", "simplejson", "snapshot_restore_py")
"""What Lambda's own images for Python bring along, outside of a zip."""

DOOR_IMPORT_SECONDS = 0.45
DOOR_BYTES = 70_000_000
WARM_SECONDS = 0.150

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


@dataclass(frozen=True)
class Cloud:
    """S3 behind the proxy, SQS and DynamoDB behind the same address, and the large index."""

    aws: Aws
    far: SlowStorage
    storage: ObjectStorage
    index: str
    model_url: str

    def environment(self, home: Path) -> dict[str, str]:
        return {
            "FOOTNOTE_HOME": str(home),
            "FOOTNOTE_STAGE": "bench",
            "FOOTNOTE_QUEUE_URL": self.aws.new_queue(),
            "FOOTNOTE_STATE_TABLE": self.aws.new_table(),
            "FOOTNOTE_INDEX": self.index,
            "FOOTNOTE_DOCS": str(HANDBOOK),
            "OPENAI_MODEL": "instant",
            "OPENAI_BASE_URL": self.model_url,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "AWS_ENDPOINT_URL": self.far.storage.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }


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
    with (
        running_object_storage() as storage,
        running_aws() as aws,
        slowed(storage, others=aws.endpoint) as far,
        running_instant_model() as model_url,
    ):
        uri, _ = large_index.build(storage)
        yield Cloud(aws, far, storage, uri, model_url)


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
    async with Playground(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as slack:
        for number in range(ROUNDS):
            for name in ("slack", "reconcile", "answer", "ingest", "maintain"):
                environment = cloud.environment(tmp_path / f"{name}{number}")
                environment["SLACK_API_URL"] = slack.api_url
                if name == "ingest":
                    environment["FOOTNOTE_INDEX"] = cloud.storage.new_uri()
                events = await events_for(name, slack, cloud, environment)
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


def measured(
    name: str, deployed: Deployed, environment: Mapping[str, str], events: list[Any]
) -> dict[str, float]:
    zipped = name in ("slack", "reconcile")
    folder = deployed.zip if zipped else deployed.image
    search = [folder, deployed.runtime] if zipped else [folder]
    models = {"FOOTNOTE_MODELS": str(deployed.image / "models")}
    with running_function(
        f"handlers.{name}.handler", {**models, **environment}, folder=folder, search=search
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
        check(name, [first.value, *(one.value for one in others)], function)
        return figures | warm_metrics(function)


def check(name: str, values: list[Any], function: Function) -> None:
    """The work was really done; a quick refusal would be a good figure too."""
    good = {
        "slack": lambda value: value["statusCode"] == 200,
        "reconcile": lambda value: "found" in value,
        "answer": lambda value: value == {"batchItemFailures": []},
        "ingest": lambda value: value["complete"] and not value["skipped"],
        "maintain": lambda value: value["complete"] and value["chunks"] == large_index.CHUNKS,
    }[name]
    assert all(map(good, values)), f"{values}\n{function.log()}"


def warm_metrics(function: Function) -> dict[str, float]:
    """Return medians of what the answer function itself put down, without its first question.

    The first word is counted from the start of the try, since all questions were queued at once.
    """
    lines = [line for line in function.log().splitlines() if "TimeToFirstWord" in line]
    told = [json.loads(line) for line in lines][1:]
    if not told:
        return {}
    return {
        "retrieval, ms": statistics.median(one["RetrievalTime"] for one in told),
        "first word, ms": statistics.median(
            one["TimeToFirstWord"] - one["QueueAge"] for one in told
        ),
    }


async def events_for(
    name: str, slack: Playground, cloud: Cloud, environment: Mapping[str, str]
) -> list[Any]:
    if name == "slack":
        return [signed(f"{time.time() + number:.6f}") for number in range(WARM_REQUESTS + 1)]
    if name != "answer":
        return [{}, {}]
    url = environment["FOOTNOTE_QUEUE_URL"]
    # As deployed; with the short one of the double, earlier questions would come along.
    cloud.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "720"})
    events = []
    for number in range(WARM_REQUESTS + 1):
        question = f"{QUESTIONS[number % len(QUESTIONS)]} (case {number})"
        ts = await slack.say("alice", "general", f"@Footnote {question}")
        cloud.aws.sqs.send_message(
            QueueUrl=url, MessageBody=job(slack, ts), MessageGroupId=ts, MessageDeduplicationId=ts
        )
        events.append({"Records": cloud.aws.lambda_records(url)})
    return events


def job(slack: Playground, ts: str) -> str:
    return encode(
        AnswerJob(
            team=slack.team,
            channel=slack.channel_id("general"),
            user="UALICE",
            ts=ts,
            thread_ts=ts,
            place="channel",
            accepted_at=time.time(),
        )
    )


def signed(ts: str) -> dict[str, Any]:
    event = {
        "type": "app_mention",
        "user": "UALICE",
        "channel": "CGENERAL",
        "ts": ts,
        "event_ts": ts,
        "text": "<@UFOOTNOTE> How long are backups kept?",
    }
    body = json.dumps(
        {"type": "event_callback", "team_id": "TPLAYGROUND", "event_id": ts, "event": event}
    )
    timestamp = str(int(time.time()))
    return {
        "version": "2.0",
        "routeKey": "POST /slack/events",
        "rawPath": "/slack/events",
        "headers": {
            "content-type": "application/json",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": signature(body.encode(), timestamp, SIGNING_SECRET),
        },
        "requestContext": {"http": {"method": "POST", "path": "/slack/events"}},
        "body": body,
        "isBase64Encoded": False,
    }
