"""What befalls the deployed stack: workers that die or hang, and messages nobody can read."""

import asyncio
import json
import signal
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from bot.playground.server import Playground
from handlers.work.jobs import AnswerJob, encode
from infra.local_cloud.cloud import LocalCloud, Steps, running
from tests.doubles.local_cloud import Sight, next_second, operated, until

pytestmark = [
    pytest.mark.soak,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

QUESTION = "@Footnote How long are backups kept?"
RECEIVES = 3
"""Deliveries before a message is set aside; the real number would take an hour."""

ALARM = "answer-dead-letters"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    async with running(tmp_path_factory.mktemp("cloud"), Steps(print)) as opened:
        await answered(opened.slack, await opened.slack.say("alice", "general", QUESTION))
        yield opened


@pytest.fixture
def sight(cloud: LocalCloud) -> Sight:
    return Sight(cloud.stack)


async def answered(slack: Playground, ts: str, seconds: float = 60.0) -> dict[str, Any]:
    """Return the one message that answers the question ``ts``."""
    (answer,) = await slack.wait_for_answer("general", ts, seconds)
    assert "35 days" in str(answer)
    return answer


async def held_back(slack: Playground, method: str, seconds: float = 60.0) -> str:
    """Ask a question whose answer stops at a call to Slack for so long; return its ts."""
    held = slack.fail_next(method, delay=seconds)
    ts = await slack.say("alice", "general", QUESTION)
    await slack.wait_until(lambda: held.begun, 40)
    held.lifted = True
    return ts


@pytest.mark.parametrize("method", ["conversations.replies", "chat.stopStream"])
async def test_a_question_whose_worker_was_killed_is_answered_within_thirty_seconds(
    cloud: LocalCloud, sight: Sight, method: str
) -> None:
    ts = await held_back(cloud.slack, method)
    assert await asyncio.to_thread(sight.kill, "answer") == 1
    killed = time.monotonic()
    await cloud.slack.wait_until(lambda: sight.row("outcome", ts), 60)
    took = time.monotonic() - killed
    await answered(cloud.slack, ts)
    assert len(cloud.slack.messages("general", ts)) == 2
    assert took <= 30
    print(f"answered {took:.1f} s after the kill")
    await until(lambda: sight.waiting("AnswerQueue") == 0)
    assert await asyncio.to_thread(sight.waiting, "AnswerDeadLetters") == 0


@contextmanager
def time_of_the_function(cloud: LocalCloud, seconds: int) -> Iterator[None]:
    """Give the answer function this time, and in the end what it had."""
    name, functions = cloud.stack.function("answer"), cloud.stack.client("lambda")
    before = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=seconds)
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Timeout=before)


async def test_a_question_whose_worker_hangs_is_answered_soon_after_lambda_ended_it(
    cloud: LocalCloud, sight: Sight
) -> None:
    limit = 20
    with time_of_the_function(cloud, limit):
        await answered(cloud.slack, await cloud.slack.say("alice", "general", QUESTION))
        ts = await held_back(cloud.slack, "conversations.replies")
        begun = time.monotonic()
        # Deaf to everything, as a process is that no longer gets anywhere.
        assert await asyncio.to_thread(sight.kill, "answer", signal.SIGSTOP) == 1
        await cloud.slack.wait_until(lambda: sight.row("outcome", ts), 90)
        took = time.monotonic() - begun
        await answered(cloud.slack, ts)
    print(f"answered {took - limit:.1f} s after the end of the function's time")
    assert took <= limit + 30
    assert len(cloud.slack.messages("general", ts)) == 2


def put(cloud: LocalCloud, body: str, group: str) -> None:
    cloud.stack.client("sqs").send_message(
        QueueUrl=cloud.stack.resources["AnswerQueue"],
        MessageBody=body,
        MessageGroupId=group,
        MessageDeduplicationId=uuid.uuid4().hex,
    )


def job_of(slack: Playground, ts: str) -> dict[str, Any]:
    job = AnswerJob(
        team=slack.team,
        channel=slack.channel_id("general"),
        user=slack.workspace.user("alice").id,
        ts=ts,
        thread_ts=ts,
        place="channel",
        trace="poison",
        accepted_at=time.time(),
    )
    found: dict[str, Any] = json.loads(encode(job))
    return found


async def unheard(slack: Playground) -> str:
    """Say something of which no event goes out; return its ts."""
    address, slack.events_url = slack.events_url, ""
    try:
        return await slack.say("alice", "general", QUESTION)
    finally:
        slack.events_url = address


def allow(cloud: LocalCloud, receives: int) -> None:
    sqs, url = cloud.stack.client("sqs"), cloud.stack.resources["AnswerQueue"]
    given = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    policy: Mapping[str, Any] = json.loads(given["Attributes"]["RedrivePolicy"])
    changed = json.dumps({**policy, "maxReceiveCount": receives})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": changed})


def records(cloud: LocalCloud, function: str) -> list[dict[str, Any]]:
    """Return what a function logged as JSON objects: log records and lines of metrics."""
    return [json.loads(line) for line in cloud.stack.log(function) if line.startswith("{")]


def accepted(cloud: LocalCloud) -> set[str]:
    """Return the traces of what the slack function put on the queue.

    A question that Slack delivers again, because it was not heard in time, has one for each.
    """
    said = records(cloud, "slack")
    return {line["trace"] for line in said if line.get("message") == "question accepted"}


def done_once(said: list[dict[str, Any]], questions: set[str]) -> list[str]:
    """Return the invocations that answered ``questions``: none twice, and when first delivered."""
    told = [line for line in said if line.get("trace") in questions]
    ended = [line for line in told if line.get("message") == "answer job ended"]
    assert len({line["trace"] for line in ended}) == len(ended)
    assert {line["ending"] for line in ended} == {"answered"}
    assert [line["deliveries"] for line in told if "deliveries" in line] == [1] * len(ended)
    return [line["aws_request_id"] for line in ended]


async def test_a_poisoned_message_is_set_aside_and_handled_after_the_mend(
    cloud: LocalCloud, sight: Sight
) -> None:
    await asyncio.to_thread(allow, cloud, RECEIVES)
    hour_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    assert await asyncio.to_thread(sight.rings, ALARM, hour_ago) is False
    before = await asyncio.to_thread(accepted, cloud)
    # The worker is busy, so that the next batch holds the poison and three questions.
    first = await held_back(cloud.slack, "conversations.replies", 8.0)
    poisoned = await unheard(cloud.slack)
    later = {**job_of(cloud.slack, poisoned), "kind": "later"}
    await asyncio.to_thread(put, cloud, json.dumps(later), "poison")
    beside = [await cloud.slack.say("alice", "general", QUESTION) for _ in range(3)]
    await until(lambda: sight.waiting("AnswerQueue") == 5)
    assert await asyncio.to_thread(sight.row, "outcome", first) == {}

    others = [first, *beside]
    for ts in others:
        await answered(cloud.slack, ts)
    await until(lambda: sight.waiting("AnswerDeadLetters") == 1, 90)
    since = next_second()
    said = await asyncio.to_thread(records, cloud, "answer")
    unread = [line for line in said if "cannot be read" in line.get("message", "")]
    assert len({line["aws_request_id"] for line in unread}) == len(unread) == RECEIVES
    assert await asyncio.to_thread(sight.waiting, "AnswerQueue") == 0
    assert [len(cloud.slack.messages("general", ts)) for ts in others] == [2] * 4
    assert len(cloud.slack.messages("general", poisoned)) == 1

    # Those beside the poison, in its very batch, were done with it.
    questions = await asyncio.to_thread(accepted, cloud) - before
    invocations = Counter(done_once(said, questions))
    assert invocations.total() == len(others)
    assert invocations[unread[0]["aws_request_id"]] == len(beside)
    rows = [await asyncio.to_thread(sight.row, "outcome", ts) for ts in others]
    assert [row["ending"] for row in rows] == ["answered"] * 4
    await until(lambda: sight.rings(ALARM, since))

    known, also = '_KINDS[data["kind"]]', '{**_KINDS, "later": AnswerJob}[data["kind"]]'
    await asyncio.to_thread(sight.deploy, "answer", "handlers/work/jobs.py", known, also)
    redriven = await operated(cloud.stack, "redrive", "--stage", "local")
    assert (redriven["found"], redriven["moved"], redriven["left"]) == (1, 1, 0)
    since = next_second()
    await answered(cloud.slack, poisoned)
    await until(lambda: sight.waiting("AnswerQueue") == 0)
    assert await asyncio.to_thread(sight.waiting, "AnswerDeadLetters") == 0
    await until(lambda: sight.rings(ALARM, since) is False)
