"""Workers that end in mid-answer, two hundred answers in all, and nobody stares at "thinking"."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.local_cloud.cloud import LocalCloud, Steps, running
from tests.doubles.local_cloud import Sight, until

pytestmark = [
    pytest.mark.soak,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(3600),
]

ANSWERS = int(os.environ.get("INTERRUPTED_ANSWERS", "200"))
AT_ONCE = 10
QUESTION = "@Footnote How long are backups kept?"
FUNCTION_SECONDS = 25
"""The time of the function here; two minutes on AWS would make this an afternoon."""

ENDS = ("killed", "deaf until its time is over", "slow until its time is over")
"""Lambda kills a process that is out of memory, so the first stands for that as well."""

LAST = "chat.stopStream"
STAGES = ("conversations.replies", "users.info", LAST)
"""Calls at which an answer is held when its worker ends: two before a word, one after the last."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("cloud")
    async with running(folder, Steps(print), rate_limits=False) as opened:
        opened.stack.client("lambda").update_function_configuration(
            FunctionName=opened.stack.function("answer"), Timeout=FUNCTION_SECONDS
        )
        yield opened


def end(sight: Sight, how: str) -> None:
    """End the processes of the worker."""
    match how:
        case "killed":
            assert sight.kill("answer") == 1
        case "deaf until its time is over":
            assert sight.kill("answer", signal.SIGSTOP) == 1


async def interrupted(cloud: LocalCloud, sight: Sight, how: str, stage: str) -> tuple[int, float]:
    """Interrupt answers at one stage; return how many, and the seconds until all were said."""
    # The worker is busy for a moment, so that the next batch holds all the questions.
    first = cloud.slack.fail_next("conversations.replies", delay=8.0)
    busy = await cloud.slack.say("bob", "general", QUESTION)
    await cloud.slack.wait_until(lambda: first.begun, 60)
    asked = [await cloud.slack.say("alice", "general", QUESTION) for _ in range(AT_ONCE)]
    await until(lambda: sight.waiting("AnswerQueue") == AT_ONCE + 1)
    if stage == LAST:
        # The one that keeps the worker busy has this call still before it.
        await until(lambda: sight.row("outcome", busy), 60)
    held = cloud.slack.fail_next(stage, delay=60.0, times=2 * AT_ONCE)
    # A worker begins no more streams at once than Slack's tier allows; others are posted whole.
    some = AT_ONCE // 2 if stage == LAST else AT_ONCE
    await cloud.slack.wait_until(lambda: held.held >= some, 60)
    await asyncio.to_thread(end, sight, how)
    began = time.monotonic()
    open_yet = sum(not sight.row("outcome", ts) for ts in asked)
    held.lifted = True
    await until(lambda: all(sight.row("outcome", ts) for ts in asked), 120)
    took = time.monotonic() - began
    for ts in (busy, *asked):
        # Finished: nothing streams any more, no status shows.
        answers = await cloud.slack.wait_for_answer("general", ts, 5.0)
        assert len(answers) == 1, (how, stage, answers)
        assert "35 days" in str(answers[0])
    return open_yet, took


async def test_every_interrupted_answer_is_said_within_thirty_seconds(cloud: LocalCloud) -> None:
    sight = Sight(cloud.stack)
    total = number = 0
    while total < ANSWERS:
        how, stage = ENDS[number % len(ENDS)], STAGES[number % len(STAGES)]
        number += 1
        answers, took = await interrupted(cloud, sight, how, stage)
        total += answers
        # What is deaf or slow ends when Lambda ends it, and that is when the half minute begins.
        late = took - (FUNCTION_SECONDS if "its time" in how else 0)
        print(f"{how}, at {stage}: {answers} answers, the last after {took:.1f} s")
        assert late <= 30
    assert await asyncio.to_thread(sight.waiting, "AnswerQueue") == 0
    assert await asyncio.to_thread(sight.waiting, "AnswerDeadLetters") == 0
