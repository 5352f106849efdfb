"""The Slack door in a Lambda container: ready before its first event, and never out of order."""

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.conversation import Answer, Verdict
from handlers.adapters.aws import make_client
from handlers.adapters.dynamodb import DynamoStore
from handlers.runtime.demo import BOT_TOKEN, SIGNING_SECRET
from handlers.work.answers import keep_answer
from tests.doubles.aws import Aws, client_options, running_aws
from tests.doubles.slack_signing import signature

ROOT = Path(__file__).parents[2]

CONTAINER = """
import json, sys
import handlers.slack as door
class Context:
    aws_request_id = "req-1"
print("imported", "boto3" in sys.modules, flush=True)
for line in sys.stdin:
    try:
        shown = door.handler(json.loads(line), Context())["statusCode"]
    except Exception as error:
        shown = type(error).__name__
    print("result", shown, flush=True)
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as started:
        yield started


def mention(ts: str, *, forged: bool = False) -> dict[str, Any]:
    """Return what API Gateway makes of a mention."""
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": ts, "text": "<@U2> hi"}
    body = json.dumps({"type": "event_callback", "team_id": "T1", "event": event})
    return request(body, "application/json", "another secret" if forged else SIGNING_SECRET)


def vote(word: str, key: str, clicked_at: str) -> dict[str, Any]:
    """Return what API Gateway makes of a click on a feedback button."""
    action = {
        "type": "feedback_buttons",
        "action_id": "answer.feedback",
        "block_id": "b",
        "value": f"{word} {key}",
        "action_ts": clicked_at,
    }
    team, channel, _ = key.split(":")
    who = {"user": {"id": "U1"}, "team": {"id": team}, "channel": {"id": channel}}
    payload = json.dumps({"type": "block_actions", **who, "actions": [action]})
    return request(urlencode({"payload": payload}), "application/x-www-form-urlencoded")


def request(body: str, content_type: str, secret: str = SIGNING_SECRET) -> dict[str, Any]:
    timestamp = str(int(time.time()))
    signed = signature(body.encode(), timestamp, secret)
    return {
        "version": "2.0",
        "headers": {
            "content-type": content_type,
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": signed,
        },
        "body": body,
        "isBase64Encoded": False,
    }


class Parameters:
    """The tokens, below a path of their own."""

    def __init__(self, aws: Aws) -> None:
        self.path = f"/footnote/{uuid.uuid4().hex}/"
        self._ssm = make_client("ssm", client_options(aws.endpoint))
        self._tokens = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET}

    def keep(self) -> None:
        for name, value in self._tokens.items():
            self._ssm.put_parameter(
                Name=self.path + name, Value=value, Type="SecureString", Overwrite=True
            )

    def forget(self) -> None:
        self._ssm.delete_parameters(Names=[self.path + name for name in self._tokens])


class Container:
    """A process that imported the door; ``send`` gives it an event and returns the status."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.imported = self._line()

    def send(self, event: dict[str, Any]) -> str:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        return self._line(after="result ")

    def close(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return what was counted, and what was logged."""
        _, logged = self._process.communicate(timeout=30)
        return self._counted, [json.loads(line) for line in logged.splitlines()]

    def _line(self, after: str = "imported ") -> str:
        assert self._process.stdout
        self._counted: list[dict[str, Any]] = getattr(self, "_counted", [])
        while line := self._process.stdout.readline().strip():
            if line.startswith(after):
                return line.removeprefix(after)
            self._counted.append(json.loads(line))
        raise AssertionError(f"no {after}line came")


@contextmanager
def container(
    aws: Aws, parameters: Parameters, *, in_lambda: bool = True, table: str = ""
) -> Iterator[Container]:
    environment = {
        "PATH": os.environ["PATH"],
        "FOOTNOTE_STAGE": "dev",
        "FOOTNOTE_PARAMETERS": parameters.path,
        "FOOTNOTE_QUEUE_URL": aws.new_queue(),
        "FOOTNOTE_STATE_TABLE": table or aws.new_table(),
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **({"AWS_LAMBDA_FUNCTION_NAME": "footnote-dev-slack"} if in_lambda else {}),
    }
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", CONTAINER]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        try:
            yield Container(process)
        finally:
            process.kill()


def test_it_reads_its_parameters_at_init_and_never_in_a_request(aws: Aws) -> None:
    parameters = Parameters(aws)
    parameters.keep()
    with container(aws, parameters) as started:
        assert started.imported == "True", "everything is loaded and open"
        parameters.forget()
        assert started.send(mention("1.0")) == "200"
        assert started.send(mention("2.0", forged=True)) == "401"
        counted, logged = started.close()
    assert [(c["Stage"], c["Accepted"], c["Refused"]) for c in counted] == [
        ("dev", 1, 0),
        ("dev", 0, 1),
    ]
    assert all(line["aws_request_id"] == "req-1" for line in logged)


def test_a_door_that_could_not_open_at_init_serves_as_soon_as_it_can(aws: Aws) -> None:
    parameters = Parameters(aws)
    with container(aws, parameters) as started:
        assert started.send(mention("3.0")) == "SettingsError"
        parameters.keep()
        assert started.send(mention("4.0")) == "200"
        _, logged = started.close()
    assert "SLACK_BOT_TOKEN is not set" in logged[0]["message"]
    assert "the first event tries again" in logged[0]["message"]


def test_outside_lambda_it_opens_at_its_first_event(aws: Aws) -> None:
    parameters = Parameters(aws)
    with container(aws, parameters, in_lambda=False) as started:
        assert started.imported == "False"
        parameters.keep()
        assert started.send(mention("5.0")) == "200"


def test_a_vote_is_counted_and_a_changed_mind_once_more(aws: Aws) -> None:
    parameters, table, key = Parameters(aws), aws.new_table(), "T1:C1:1700000000.000100"
    parameters.keep()
    store = DynamoStore(table, aws.dynamodb)
    asyncio.run(keep_answer(store, key, Answer(Verdict.NOT_FOUND)))
    with container(aws, parameters, table=table) as started:
        for word, clicked_at in (("yes", "1.0"), ("yes", "2.0"), ("no", "3.0"), ("yes", "1.5")):
            assert started.send(vote(word, key, clicked_at)) == "200"
        assert started.send(vote("yes", "T1:C1:1600000000.000100", "4.0")) == "200"
        counted, logged = started.close()
    assert [(c["Stage"], c["Helpful"], c["NotHelpful"]) for c in counted if "Helpful" in c] == [
        ("dev", 1, 0),
        ("dev", 0, 1),
    ]
    assert [line["message"] for line in logged] == ["a vote was ignored: no such answer is kept"]
