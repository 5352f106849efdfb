"""Workers that end in mid-answer, two hundred answers in all, and nobody stares at "thinking"."""

import asyncio
import itertools
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

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
STREAMS = 5
"""Of ten answers at once so many stream at least: Slack's tier bounds their starts."""
QUESTION = "@Footnote How long are backups kept?"
FUNCTION_SECONDS = 18
"""The time of the function here; two minutes on AWS would make this an afternoon.

It must be over before the Slack client loses patience, which it does after 15 seconds: the function
keeps the last 5 seconds for giving back what is not done.
"""

KILLED = "killed"
"""What Lambda does to a process out of memory as well: the kernel ends it with SIGKILL, which no
process sees coming, so that the one signal is the other."""
DEAF = "deaf until its time is over"
SLOW = "slow until its time is over"
ENDS = {
    KILLED: "errorMessage=Worker process died",
    DEAF: "errorMessage=Task timed out",
    SLOW: r"\((\d+) partial failures\)",
}
"""How a worker ends, and what the local AWS logs then: for the slow one, how many it gave back."""

FIRST = "conversations.replies"
STAGES = (FIRST, "chat.appendStream", "chat.stopStream")
"""Calls at which an answer is held when its worker ends: before anything stands in Slack, when an
empty message does, and when all words do."""

COMBINATIONS = [
    (how, STAGES[(number + shift) % len(STAGES)])
    for shift in range(len(STAGES))
    for number, how in enumerate(ENDS)
]


@dataclass
class Tally:
    """What ended in one way: answers by stage, and the seconds until each batch was said."""

    answers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    seconds: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.answers.values())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("cloud")
    async with running(folder, Steps(print), rate_limits=False) as opened:
        opened.stack.client("lambda").update_function_configuration(
            FunctionName=opened.stack.function("answer"), Timeout=FUNCTION_SECONDS
        )
        # All at once, so that later there are processes enough of the slack function.
        asked = [await opened.slack.say("alice", "general", QUESTION) for _ in range(AT_ONCE)]
        for ts in asked:
            await opened.slack.wait_for_answer("general", ts, 120.0)
        yield opened


def end(sight: Sight, how: str) -> None:
    """End the processes of the worker, or leave that to its time."""
    if how == KILLED:
        assert sight.kill("answer") == 1
    elif how == DEAF:
        assert sight.kill("answer", signal.SIGSTOP) == 1


def logged(cloud: LocalCloud, how: str) -> list[str]:
    """Return what the local AWS has logged of such ends, oldest first."""
    return re.findall(ENDS[how], cloud.stack.aws.log.read_text("utf-8"))


async def interrupted(cloud: LocalCloud, sight: Sight, how: str, stage: str) -> tuple[int, float]:
    """Interrupt answers at one stage; return how many, and the seconds until all were said."""
    await until(lambda: sight.waiting("AnswerQueue") == 0)
    before = len(logged(cloud, how))
    # A fresh worker has all its starts of streams.
    await asyncio.to_thread(sight.kill, "answer")
    # It is busy for a moment, so that the next batch holds all the questions. What keeps it busy is
    # no question, and meets none of the later stages.
    first = cloud.slack.fail_next(FIRST, delay=10.0, times=2 * AT_ONCE)
    busy = await cloud.slack.say("bob", "general", "@Footnote")
    await cloud.slack.wait_until(lambda: first.begun, 60)
    first.lifted = True
    asked = [await cloud.slack.say("alice", "general", QUESTION) for _ in range(AT_ONCE)]
    held = cloud.slack.fail_next(stage, delay=60.0, times=2 * AT_ONCE)
    await until(lambda: sight.waiting("AnswerQueue") == AT_ONCE + 1)
    assert held.held == 0

    some = AT_ONCE if stage == FIRST else STREAMS
    await cloud.slack.wait_until(lambda: held.held >= some, 60)
    await asyncio.to_thread(end, sight, how)
    began = time.monotonic()
    # Nothing that is dead or deaf answers any more; what is slow may, until it gives back the rest.
    open_yet = sum(not sight.row("outcome", ts) for ts in asked)
    held.lifted = True
    await until(lambda: all(sight.row("outcome", ts) for ts in asked), 120)
    took = time.monotonic() - began
    told = logged(cloud, how)[before:]
    assert told, f"the local AWS knows of nothing {how}"
    answers_cut = int(told[0]) if how == SLOW else open_yet
    assert answers_cut >= some
    for ts in (busy, *asked):
        # Finished: nothing streams any more, no status shows.
        answers = await cloud.slack.wait_for_answer("general", ts, 5.0)
        assert len(answers) == 1, (how, stage, answers)
        assert ts == busy or "35 days" in str(answers[0])
    return answers_cut, took


async def test_every_interrupted_answer_is_said_within_thirty_seconds(cloud: LocalCloud) -> None:
    sight = Sight(cloud.stack)
    tallies = {how: Tally() for how in ENDS}
    total = 0
    for number, (how, stage) in enumerate(itertools.cycle(COMBINATIONS)):
        if total >= ANSWERS and number >= len(COMBINATIONS):
            break
        answers, took = await interrupted(cloud, sight, how, stage)
        total += answers
        tallies[how].answers[stage] += answers
        tallies[how].seconds.append(took)
        print(f"{how}, at {stage}: {answers} answers, the last after {took:.1f} s")
        # What is deaf or slow ends when Lambda ends it, and that is when the half minute begins.
        assert took - (0 if how == KILLED else FUNCTION_SECONDS) <= 30
    print(f"{total} answers were interrupted:")
    for how, tally in tallies.items():
        stages = ", ".join(f"{count} at {stage}" for stage, count in tally.answers.items())
        print(f"  {how}: {tally.total} ({stages}), the last after {max(tally.seconds):.1f} s")
        assert tally.total >= total / 5
    # It was the time that ended the slow ones, not the patience of the Slack client.
    log = await asyncio.to_thread(cloud.stack.log, "answer")
    assert not any("returned to the queue" in line for line in log)
    assert await asyncio.to_thread(sight.waiting, "AnswerQueue") == 0
    assert await asyncio.to_thread(sight.waiting, "AnswerDeadLetters") == 0
