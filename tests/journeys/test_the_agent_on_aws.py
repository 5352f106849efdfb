"""The functions slack, agent and reconcile as AWS calls them: a run over three processes."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from bot.approval_parts import APPROVE
from bot.playground import Playground
from handlers.runtime.demo import BOT_TOKEN, SIGNING_SECRET
from handlers.work.jobs import AgentJob, AnswerJob, decode
from tests.doubles.aws import Aws, aws_environment, client_options, running_aws
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn
from tests.doubles.slack_signing import click_request, gateway_event, mention
from tests.journeys.test_the_doors import invoke

SAID = "Tea is at four."


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as started:
        yield started


@pytest.fixture
def cloud(aws: Aws, environment: dict[str, str]) -> dict[str, str]:
    """What serverless.yml gives a function where the parameter agent is true."""
    return {
        **environment,
        **aws_environment(aws.endpoint),
        "FOOTNOTE_QUEUE_URL": aws.new_queue(),
        "FOOTNOTE_STATE_TABLE": aws.new_table(),
        "FOOTNOTE_AGENT": "ON",
        "FOOTNOTE_AGENT_QUEUE_URL": aws.new_queue(),
        "FOOTNOTE_AUDIT_TABLE": aws.new_audit_table(),
        "OPENAI_MODEL": "scripted",
    }


def said(ts: str, text: str) -> dict[str, Any]:
    """Return what API Gateway makes of a mention by Alice."""
    told = mention(ts, f"<@UFOOTNOTE> {text}")
    told["authorizations"] = [{"team_id": told["team_id"], "user_id": "UFOOTNOTE", "is_bot": True}]
    return gateway_event(told, secret=SIGNING_SECRET)


def jobs(aws: Aws, url: str) -> list[Any]:
    return [decode(record["body"]) for record in aws.lambda_records(url)]


def test_the_slack_door_tells_requests_from_questions(aws: Aws, cloud: dict[str, str]) -> None:
    events = [said("1.0", "agent: open an issue"), said("2.0", "How long?")]
    given = cloud | {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    assert [r["statusCode"] for r in invoke("slack", events, given)] == [200, 200]
    [asked], [question] = (
        jobs(aws, cloud["FOOTNOTE_AGENT_QUEUE_URL"]),
        jobs(aws, cloud["FOOTNOTE_QUEUE_URL"]),
    )
    assert isinstance(asked, AgentJob)
    assert isinstance(question, AnswerJob)
    assert (asked.ts, question.ts) == ("1.0", "2.0")


def poster(asked: Asked) -> Turn:
    if not asked.results:
        return Turn(calls=[("post_message", {"channel": "#help", "text": SAID})])
    return Turn("It is posted.")


def click(message: Mapping[str, Any], user: str) -> dict[str, Any]:
    """Return what API Gateway makes of a click on the button that approves."""
    elements = [e for block in message["blocks"] for e in block.get("elements", ())]
    button = next(e for e in elements if e.get("action_id") == APPROVE)
    body, headers = click_request(
        {
            "type": "block_actions",
            "team": {"id": "TPLAYGROUND"},
            "user": {"id": user},
            "channel": {"id": "CGENERAL"},
            "message": message,
            "container": {"type": "message", "message_ts": message["ts"]},
            "trigger_id": "1.2",
            "actions": [{**button, "action_ts": "1.0", "block_id": "b"}],
        },
        secret=SIGNING_SECRET,
    )
    return {
        "version": "2.0",
        "headers": {name.lower(): value for name, value in headers.items()},
        "body": body.decode(),
        "isBase64Encoded": False,
    }


@pytest.mark.soak
async def test_a_run_waits_for_a_click_and_ends_in_another_container(
    aws: Aws, cloud: dict[str, str]
) -> None:
    queue = cloud["FOOTNOTE_AGENT_QUEUE_URL"]
    async with (
        ScriptedAgent(poster) as model,
        Playground(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as slack,
    ):
        given = cloud | {"SLACK_API_URL": slack.api_url, "OPENAI_BASE_URL": model.base_url}

        async def called(door: str, event: dict[str, Any]) -> Any:
            return (await asyncio.to_thread(invoke, door, [event], given))[0]

        async def worked() -> Any:
            records = aws.lambda_records(queue)
            assert len(records) == 1
            done = await called("agent", {"Records": records})
            for record in records:
                aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=record["receiptHandle"])
            return done

        ts = await slack.say("alice", "general", "@Footnote agent: tell #help about tea")
        event = said(ts, "agent: tell #help about tea")
        assert (await called("slack", event))["statusCode"] == 200
        assert await worked() == {"batchItemFailures": []}
        assert slack.messages("help") == []

        card = next(m for m in slack.messages("general", ts) if APPROVE in json.dumps(m))
        # Carol is not in the room: her click decides nothing.
        assert (await called("slack", click(card, "UNOBODY")))["statusCode"] == 200
        assert aws.lambda_records(queue) == []
        assert (await called("slack", click(card, "UBOB")))["statusCode"] == 200
        assert await worked() == {"batchItemFailures": []}
        assert [message["text"] for message in slack.messages("help")] == [SAID]
        # The same click again runs nothing twice.
        assert (await called("slack", click(card, "UBOB")))["statusCode"] == 200
        for record in aws.lambda_records(queue):
            await called("agent", {"Records": [record]})
        assert len(slack.messages("help")) == 1

    dynamodb = boto3.client("dynamodb", **client_options(aws.endpoint))
    items = dynamodb.scan(TableName=cloud["FOOTNOTE_AUDIT_TABLE"])["Items"]
    dynamodb.close()
    events = {json.loads(item["entry"]["S"])["event"] for item in items}
    assert {"asked", "proposed", "shown", "approved", "ran", "ended"} <= events


@pytest.mark.soak
async def test_a_proposal_that_nobody_decided_about_ends_by_the_schedule(
    aws: Aws, cloud: dict[str, str]
) -> None:
    queue = cloud["FOOTNOTE_AGENT_QUEUE_URL"]
    async with (
        ScriptedAgent(poster) as model,
        Playground(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as slack,
    ):
        given = cloud | {"SLACK_API_URL": slack.api_url, "OPENAI_BASE_URL": model.base_url}
        given |= {"FOOTNOTE_AGENT_APPROVAL_HOURS": "0.001"}
        ts = await slack.say("alice", "general", "@Footnote agent: tell #help about tea")
        event = said(ts, "agent: tell #help about tea")
        await asyncio.to_thread(invoke, "slack", [event], given)
        records = aws.lambda_records(queue)
        await asyncio.to_thread(invoke, "agent", [{"Records": records}], given)
        aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=records[0]["receiptHandle"])
        await asyncio.sleep(9.0)
        await asyncio.to_thread(invoke, "reconcile", [{}], given)
        [record] = aws.lambda_records(queue)
        await asyncio.to_thread(invoke, "agent", [{"Records": [record]}], given)
        assert slack.messages("help") == []
        thread = json.dumps(slack.messages("general", ts))
    assert "in time" in thread
