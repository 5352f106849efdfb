"""What a question asks of AWS, of Slack and of the model: counted, for infra/costs.py.

The functions run under Lambda's own runtime client, on an index of 20,000 chunks. The model thinks
for as long as the page of costs assumes, so that all renewals of leases happen and are counted.
Figures are medians of questions in a warm container.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.playground import Playground
from handlers.adapters.dynamodb import DynamoStore
from handlers.runtime.demo import BOT_TOKEN, SIGNING_SECRET
from infra.costs import FACTS
from tests.benchmarks.cloud import Cloud, asked, put_question, running_cloud
from tests.benchmarks.counted import Passed, counted
from tests.benchmarks.figures import machine, show
from tests.doubles.lambda_runtime import Function, running_function
from tests.doubles.slack_signing import gateway_event, mention
from tests.doubles.slow_storage import slowed

MODELS = Path(__file__).parents[2] / "build" / "models"
WARM_QUESTIONS = 3
HOUR = 3600.0

Figures = dict[str, float]
pytestmark = pytest.mark.timeout(1800)


class Counted:
    """The cloud, with a counter in front of each of its parts."""

    def __init__(self, stack: ExitStack, cloud: Cloud, slack: Playground) -> None:
        self.aws = stack.enter_context(counted(cloud.aws.endpoint))
        self.slack = stack.enter_context(counted(slack.url))
        model_url, thinks = cloud.model_url, FACTS["model_seconds"].value
        self.model = stack.enter_context(counted(model_url.removesuffix("/v1"), wait=thinks))
        self.far = stack.enter_context(slowed(cloud.storage, others=self.aws.url))
        self.cloud = replace(cloud, far=self.far, model_url=f"{self.model.url}/v1")

    def environment(self, home: Path) -> dict[str, str]:
        """Return the settings of a function that reaches everything through the counters."""
        return self.cloud.environment(home) | {
            "SLACK_API_URL": f"{self.slack.url}/api/",
            "FOOTNOTE_MODELS": str(MODELS),
        }

    def taken(self) -> Figures:
        """Return what was asked for since the last call."""
        stored, aws = self.far.taken(), self.aws.taken()
        slack, model = self.slack.taken(), self.model.taken()
        lists = sum("list-type=" in one.path or one.path.endswith("/") for one in stored)
        reads = sum(one.method in ("GET", "HEAD") for one in stored)
        units = [one.units() for one in aws]
        return {
            "S3 GET": reads - lists,
            "S3 LIST": lists,
            "S3 PUT": len(stored) - reads,
            "DynamoDB writes": sum(written for written, _ in units),
            "DynamoDB reads": sum(read for _, read in units),
            "SQS": sum(one.action in SQS_ACTIONS for one in aws),
            "Slack calls": len(slack),
            "sent, KB": sum(one.sent for one in slack + model) / 1e3,
            "prompt, chars": sum(map(prompt_characters, model)),
        }


SQS_ACTIONS = {"SendMessage", "ChangeMessageVisibility"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as running:
        yield running


async def test_a_question(cloud: Cloud, tmp_path: Path) -> None:
    async with Playground(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as slack:
        with ExitStack() as stack:
            parts = Counted(stack, cloud, slack)
            stamps = [await asked(slack, number) for number in range(2 * (1 + WARM_QUESTIONS))]
            # In a thread, because Slack answers on this loop.
            rows = await asyncio.to_thread(all_rows, parts, slack, tmp_path, stamps)
    show("requests", rows, machine() | {"model, s": FACTS["model_seconds"].value})
    assert rows["slack"]["SQS"] == 1
    assert rows["answer"]["Slack calls"] > 0
    assert rows["answer"]["DynamoDB writes"] > 0


def all_rows(
    parts: Counted, slack: Playground, home: Path, stamps: list[str]
) -> dict[str, Figures]:
    with_model, quotes = stamps[::2], stamps[1::2]
    rows = {"slack": accepted(parts, home)}
    rows["answer, first"], rows["answer"] = answered(parts, slack, home, with_model)
    rows["quotes, first"], rows["quotes"] = answered(
        parts, slack, home, quotes, without="OPENAI_MODEL"
    )
    rows["ingest, nothing new"] = synced(parts, home)
    # The first one also takes out of the bytes what was dropped while the index was built.
    rows["maintain, first"] = one_run(parts, "maintain", home)
    rows["maintain"] = one_run(parts, "maintain", home)
    rows["reconcile"], rows["reconcile, sweep"] = reconciled(parts, home)
    rows["index"] = {"MB": stored_bytes(parts.cloud) / 1e6}
    return rows


def accepted(parts: Counted, home: Path) -> Figures:
    """The slack function takes a mention in."""
    with started("slack", parts.environment(home)) as function:
        told = []
        for number in range(WARM_QUESTIONS):
            event = gateway_event(mention(f"{time.time() + number:.6f}"), secret=SIGNING_SECRET)
            told.append(watched(parts, function, event))
    return medians(told[1:])


def answered(
    parts: Counted, slack: Playground, home: Path, stamps: list[str], *, without: str = ""
) -> tuple[Figures, Figures]:
    """The answer function answers: in a fresh container, and in a warm one."""
    environment = parts.environment(home)
    environment.pop(without, None)
    told: list[Figures] = []
    parts.taken()
    with started("answer", environment) as function:
        for ts in stamps:
            event = put_question(parts.cloud, slack, environment["FOOTNOTE_QUEUE_URL"], ts)
            told.append(watched(parts, function, event, all_of_it=not told))
    return told[0], medians(told[1:])


def synced(parts: Counted, home: Path) -> Figures:
    """A fresh container looks at documents that are all in the index."""
    environment = parts.environment(home) | {"FOOTNOTE_INDEX": parts.cloud.storage.new_uri()}
    with started("ingest", environment) as function:
        assert watched(parts, function, {})["added"]
    with started("ingest", environment) as function:
        again = watched(parts, function, {}, all_of_it=True)
    assert not again.pop("added")
    return again


def one_run(parts: Counted, door: str, home: Path) -> Figures:
    """A fresh container does its first work."""
    parts.taken()
    with started(door, parts.environment(home)) as function:
        return watched(parts, function, {}, all_of_it=True)


def reconciled(parts: Counted, home: Path) -> tuple[Figures, Figures]:
    """A run that has nothing to do yet, and one that reads what was said in the last hour."""
    environment = parts.environment(home)
    store = DynamoStore(environment["FOOTNOTE_STATE_TABLE"], parts.cloud.aws.dynamodb)
    with started("reconcile", environment) as function:
        watched(parts, function, {})
        idle = watched(parts, function, {})
        asyncio.run(store.put("reconciliation", {"since": time.time() - HOUR}, HOUR))
        sweep = watched(parts, function, {})
    return idle, sweep


def started(door: str, environment: dict[str, str]) -> Any:
    return running_function(
        f"handlers.{door}.handler", environment, folder=Path(environment["FOOTNOTE_HOME"])
    )


def watched(parts: Counted, function: Function, event: Any, *, all_of_it: bool = False) -> Figures:
    """Invoke once; return what that took, from the start of the container if ``all_of_it``."""
    if not all_of_it:
        parts.taken()
    before = 0 if all_of_it else len(function.log())
    result = function.invoke(event)
    assert result.value != {}, function.log()
    figures = {"seconds": result.seconds, "log, KB": (len(function.log()) - before) / 1e3}
    if isinstance(result.value, dict) and "sources" in result.value:
        figures["added"] = result.value["sources"][0]["added"]
    return figures | parts.taken()


def medians(told: list[Figures]) -> Figures:
    return {name: statistics.median(one[name] for one in told) for name in told[0]}


def prompt_characters(request: Passed) -> int:
    return sum(len(message["content"]) for message in json.loads(request.body)["messages"])


def stored_bytes(cloud: Cloud) -> int:
    prefix = cloud.index.removeprefix(f"s3://{cloud.storage.bucket}/")
    pages = cloud.storage.client().get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=cloud.storage.bucket, Prefix=prefix)
    return sum(one["Size"] for page in found for one in page.get("Contents", []))
