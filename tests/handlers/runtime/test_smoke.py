"""The smoke test of a deployment, on the real Slack app over HTTP and on real queues."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest
from aiohttp import web

from bot.playground import Playground
from handlers.runtime import wiring
from handlers.runtime.doctor.findings import Verdict
from handlers.runtime.http import EVENTS_PATH, serve_http
from handlers.runtime.settings import Settings
from handlers.runtime.smoke import WORKERS, smoke
from tests.doubles.aws import Aws, client_options, running_aws

ROOT = Path(__file__).parents[3]
SECRET = "the-signing-secret"
OK, SKIPPED, WARNING, FAILED = Verdict


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture
def environment(aws: Aws, tmp_path: Path) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "FOOTNOTE_HOME": str(tmp_path),
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return Settings.load(
        environment | {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SECRET}
    )


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[str]:
    """The real app at a real address; what it accepts is on a real queue."""
    async with Playground(signing_secret=SECRET, bot_token="xoxb-1") as slack:
        settings = settings.replaced(slack_api_url=slack.api_url)
        queue, client = wiring.laptop_queue(settings), wiring.slack_client(settings)
        async with wiring.opened_store(settings) as store:
            app = wiring.slack_app(settings, client, queue, store)
            async with serve_http(app, host="127.0.0.1", port=0) as address:
                yield f"{address}{EVENTS_PATH}"
        await queue.close()


def outputs(aws: Aws) -> dict[str, str]:
    plain = aws.sqs.create_queue(QueueName=f"s{uuid.uuid4().hex}")["QueueUrl"]
    fifo = {f"{whose}DeadLettersUrl": aws.new_queue() for whose in ("Answer", "Agent", "Prepare")}
    return {**fifo, "ScheduleDeadLettersUrl": plain}


async def test_a_good_deployment_passes_and_nothing_is_asked(
    aws: Aws, settings: Settings, door: str
) -> None:
    found = await smoke(settings, outputs(aws), events_url=door)
    assert [finding.verdict for finding in found] == [OK, OK, OK, SKIPPED, OK]
    queue = wiring.laptop_queue(settings)
    counts = await queue.counts()
    await queue.close()
    assert counts.waiting == 0


async def test_another_signing_secret_is_found_out(aws: Aws, settings: Settings, door: str) -> None:
    other = settings.replaced(slack_signing_secret="another-secret")
    found = await smoke(other, outputs(aws), events_url=door)
    assert [finding.verdict for finding in found] == [FAILED, SKIPPED, SKIPPED, SKIPPED, OK]
    assert "SLACK_SIGNING_SECRET" in found[0].todo


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        ("AnswerDeadLettersUrl", "1 question"),
        ("AgentDeadLettersUrl", "1 step of an agent"),
        ("PrepareDeadLettersUrl", "1 portion of a sync"),
        ("ScheduleDeadLettersUrl", "1 scheduled run"),
    ],
)
async def test_dead_letters_of_any_queue_fail_it_and_are_counted(
    aws: Aws, settings: Settings, door: str, queue: str, said: str
) -> None:
    known = outputs(aws)
    once = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    aws.sqs.send_message(
        QueueUrl=known[queue], MessageBody="{}", **({} if queue.startswith("Schedule") else once)
    )
    found = (await smoke(settings, known, events_url=door))[-1]
    assert found.verdict is FAILED
    assert f"There are some: {said}." in found.found


async def test_a_worker_that_is_not_there_fails_it(aws: Aws, settings: Settings, door: str) -> None:
    known = outputs(aws) | {"AnswerFunctionName": "nowhere"}
    found = (await smoke(settings, known, events_url=door))[-2]
    assert (found.check, found.verdict) == (WORKERS, FAILED)
    assert "The function nowhere" in found.found


async def test_a_door_that_lets_anybody_in_fails_it(aws: Aws, settings: Settings) -> None:
    async def welcome(request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response({"challenge": body.get("challenge", "")})

    app = web.Application()
    app.router.add_post("/slack/events", welcome)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    found = await smoke(settings, outputs(aws), events_url=address)
    await runner.cleanup()
    assert [finding.verdict for finding in found] == [OK, OK, FAILED, SKIPPED, OK]


async def test_a_door_that_opens_late_is_waited_for_but_not_for_ever(
    aws: Aws, settings: Settings
) -> None:
    began = time.monotonic()
    nowhere = "http://127.0.0.1:9/slack/events"
    found = await smoke(settings, outputs(aws), events_url=nowhere, patience=1.0)
    assert found[0].verdict is FAILED
    assert 1.0 <= time.monotonic() - began < 15


def deployed(aws: Aws, stage: str, **more: str) -> dict[str, str]:
    """Make a stack that tells what the real one tells, and the parameters of its stage."""
    told = {
        **outputs(aws),
        "AnswerQueueUrl": aws.new_queue(),
        "StateTableName": aws.new_table(),
        "IndexAddress": "s3://no-such-bucket-here/index",
        **more,
    }
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in told.items()},
    }
    cloudformation = boto3.client("cloudformation", **client_options(aws.endpoint))
    cloudformation.create_stack(StackName=f"footnote-{stage}", TemplateBody=json.dumps(template))
    cloudformation.close()
    ssm = boto3.client("ssm", **client_options(aws.endpoint))
    for name, value in (("SLACK_BOT_TOKEN", "xoxb-1"), ("SLACK_SIGNING_SECRET", SECRET)):
        ssm.put_parameter(Name=f"/footnote/{stage}/{name}", Value=value, Type="SecureString")
    ssm.close()
    return told


async def footnote(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line beside the servers of this process."""
    import asyncio

    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "handlers", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=100,
    )


async def test_the_command_finds_stack_and_secret_by_the_name_of_the_stage(
    aws: Aws, environment: dict[str, str], door: str
) -> None:
    deployed(aws, "smoking", SlackEventsUrl=door)
    done = await footnote("deploy", "--smoke", "--stage", "smoking", "--json", **environment)
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (0, "ok"), done.stdout + done.stderr
    assert [check["check"] for check in report["checks"]] == [
        "challenge",
        "silent event",
        "forged event",
        "workers",
        "dead letters",
    ]
    assert SECRET not in done.stdout + done.stderr


async def test_a_stage_that_is_not_deployed_is_said_to_be_missing(
    environment: dict[str, str],
) -> None:
    for command in ("deploy --smoke", "doctor", "redrive"):
        arguments = [*command.split(), "--stage", "nowhere", "--json"]
        done = await footnote(*arguments, **environment)
        assert done.returncode == 1
        assert "footnote-nowhere" in json.dumps(json.loads(done.stdout))
        assert "Traceback" not in done.stderr


async def test_the_doctor_looks_at_the_stage_and_not_at_the_laptop(
    aws: Aws, environment: dict[str, str], door: str
) -> None:
    known = deployed(aws, "examined", SlackEventsUrl=door)
    aws.sqs.send_message(
        QueueUrl=known["AnswerDeadLettersUrl"],
        MessageBody="{}",
        MessageGroupId="g",
        MessageDeduplicationId="d",
    )
    done = await footnote("doctor", "--stage", "examined", "--json", **environment)
    assert done.returncode == 1
    checks = {check["check"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["stack"]["verdict"] == "ok"
    assert checks["Slack events"]["verdict"] == "ok"
    assert "NoSuchBucket" in checks["S3 rights"]["found"]
    assert checks["dead letters"]["verdict"] == "warning"
    assert "the table" in checks["state store"]["found"]

    redriven = await footnote("redrive", "--stage", "examined", "--json", **environment)
    assert json.loads(redriven.stdout)["moved"] == 1, redriven.stderr
    assert [r["body"] for r in aws.lambda_records(known["AnswerQueueUrl"])] == ["{}"]
