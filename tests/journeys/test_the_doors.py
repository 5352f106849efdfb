"""The functions of serverless.yml as AWS calls them: fresh processes, SQS and DynamoDB."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.playground import Playground
from handlers.runtime.demo import BOT_TOKEN, HANDBOOK, SIGNING_SECRET
from handlers.work.deliveries import DELIVERIES, LEASE_SECONDS
from handlers.work.jobs import AnswerJob, encode
from tests.doubles.aws import Aws, aws_environment, running_aws
from tests.doubles.slack_signing import gateway_event, mention

ROOT = Path(__file__).parents[2]

INVOKE = """
import json, sys, importlib, types
door = importlib.import_module(sys.argv[1])
context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 90_000)
for line in sys.stdin:
    print("result", json.dumps(door.handler(json.loads(line), context), default=str))
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as started:
        yield started


@pytest.fixture
def cloud(aws: Aws, environment: dict[str, str]) -> dict[str, str]:
    """The environment that serverless.yml gives a function, at a local AWS."""
    return {
        **environment,
        **aws_environment(aws.endpoint),
        "FOOTNOTE_QUEUE_URL": aws.new_queue(),
        "FOOTNOTE_STATE_TABLE": aws.new_table(),
    }


def invoke(door: str, events: list[Any], environment: Mapping[str, str]) -> list[Any]:
    """Run the door in one fresh container, once an event; return its results."""
    done = subprocess.run(
        [sys.executable, "-c", INVOKE, f"handlers.{door}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        input="\n".join(map(json.dumps, events)),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return [json.loads(line.removeprefix("result ")) for line in lines if "result " in line]


def test_the_slack_door_queues_a_mention_without_its_words(aws: Aws, cloud: dict[str, str]) -> None:
    good = gateway_event(mention("1.0", "<@UFOOTNOTE> a secret question"), secret=SIGNING_SECRET)
    forged = gateway_event(mention("2.0"), secret="another secret")
    results = invoke("slack", [good, forged], cloud)
    assert [result["statusCode"] for result in results] == [200, 401]
    queued = aws.sqs.receive_message(QueueUrl=cloud["FOOTNOTE_QUEUE_URL"], MaxNumberOfMessages=10)
    bodies = [message["Body"] for message in queued["Messages"]]
    assert [json.loads(body)["ts"] for body in bodies] == ["1.0"]
    assert "secret question" not in bodies[0]


async def test_the_answer_door_answers_its_records_and_hands_back_a_bad_one(
    aws: Aws, cloud: dict[str, str]
) -> None:
    url = cloud["FOOTNOTE_QUEUE_URL"]
    async with Playground(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as slack:
        ts = await slack.say("alice", "general", "@Footnote How long are backups kept?")
        other = await slack.say("bob", "general", "@Footnote On which days may I bring my dog?")
        for body, group in ((job_for(slack, ts), "a"), ("{}", "a"), (job_for(slack, other), "b")):
            aws.sqs.send_message(
                QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=body
            )
        records = aws.lambda_records(url)
        assert len(records) == 3
        environment = cloud | {"SLACK_API_URL": slack.api_url}
        # Twice in one container: what a warm one keeps must still work.
        events = [{"Records": records}, {"Records": records[:1]}]
        results = await asyncio.to_thread(invoke, "answer", events, environment)
        threads = [slack.messages("general", one) for one in (ts, other)]
    bad = next(record["messageId"] for record in records if record["body"] == "{}")
    assert results == [{"batchItemFailures": [{"itemIdentifier": bad}]}, {"batchItemFailures": []}]
    assert [len(thread) for thread in threads] == [2, 2]
    assert "35 days" in str(threads[0][1])


def job_for(slack: Playground, ts: str) -> str:
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


def test_an_answer_door_that_cannot_open_gives_its_records_back_soon(
    aws: Aws, cloud: dict[str, str]
) -> None:
    url = cloud["FOOTNOTE_QUEUE_URL"]
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "720"})
    aws.sqs.send_message(
        QueueUrl=url, MessageBody="{}", MessageGroupId="g", MessageDeduplicationId="d"
    )
    records = aws.lambda_records(url)
    with pytest.raises(AssertionError, match="SLACK_BOT_TOKEN is not set"):
        invoke("answer", [{"Records": records}], cloud | {"SLACK_BOT_TOKEN": ""})
    time.sleep(LEASE_SECONDS + 1)
    assert [record["body"] for record in aws.lambda_records(url)] == ["{}"]


def test_the_code_and_the_queue_count_to_the_same_last_delivery() -> None:
    resources = (ROOT / "infra" / "resources.yml").read_text("utf-8")
    queue = yaml.safe_load(resources)["Resources"]["AnswerQueue"]["Properties"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == DELIVERIES


def test_the_ingest_door_brings_the_index_in_step_and_reports(
    cloud: dict[str, str], tmp_path: Path
) -> None:
    environment = cloud | {
        "FOOTNOTE_DOCS": str(HANDBOOK / "people"),
        "FOOTNOTE_INDEX": str(tmp_path / "index"),
    }
    reports = invoke("ingest", [{}, {}], environment)
    first, second = (report["sources"][0] for report in reports)
    assert first["added"] > 0
    assert first["skipped"] == []
    assert (second["added"], second["unchanged"]) == (0, first["added"])
