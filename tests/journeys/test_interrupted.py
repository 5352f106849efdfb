"""Workers that end in mid-answer, two hundred answers in all, and nobody stares at "thinking"."""

import asyncio
import itertools
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.local_cloud.cloud import LocalCloud, Steps, running
from tests.doubles.local_cloud import Sight, until
from tests.doubles.memory_limit import MemoryLimit, memory_limit

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

ANSWERS = int(os.environ.get("INTERRUPTED_ANSWERS", "200"))
"""How many answers are interrupted when a worker has ten at once."""
ALONE = int(os.environ.get("INTERRUPTED_ALONE", "60"))
"""How many are when a worker has one, as on AWS; each is one end of a worker."""
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
EXHAUSTED = "out of memory"
DEAF = "deaf until its time is over"
SLOW = "slow until its time is over"
_DIED = "errorMessage=Worker process died"
ENDS = {
    KILLED: _DIED,
    EXHAUSTED: _DIED,
    DEAF: "errorMessage=Task timed out",
    SLOW: r"\((\d+) partial failures\)",
}
"""How a worker ends, and what the local AWS logs then: for the slow one, how many it gave back."""

FIRST = "conversations.replies"
STAGES = (FIRST, "chat.appendStream", "chat.stopStream")
"""Calls at which an answer is held when its worker ends: before anything stands in Slack, when an
empty message does, and when all words do."""

COMBINATIONS = tuple(itertools.product(ENDS, STAGES))


@dataclass
class Tally:
    """What ended in one way: answers by stage, and the seconds until each batch was said."""

    answers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    seconds: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.answers.values())


@dataclass
class Trial:
    """A local cloud whose workers take ``at_once`` questions, and what was seen of their ends."""

    cloud: LocalCloud
    limit: MemoryLimit
    at_once: int
    tallies: dict[str, Tally] = field(default_factory=lambda: {how: Tally() for how in ENDS})

    @property
    def sight(self) -> Sight:
        return Sight(self.cloud.stack)

    @property
    def total(self) -> int:
        return sum(tally.total for tally in self.tallies.values())

    def logged(self, how: str) -> list[str]:
        """Return what the local AWS has logged of such ends, oldest first."""
        return re.findall(ENDS[how], self.cloud.stack.aws.log.read_text("utf-8"))

    async def keep_busy(self) -> str:
        """Keep a fresh worker busy for a moment, so that its next batch holds all questions.

        What keeps it busy is no question, and meets none of the later stages. A fresh worker has
        all its starts of streams.
        """
        await asyncio.to_thread(self.sight.kill, "answer")
        first = self.cloud.slack.fail_next(FIRST, delay=10.0, times=2 * AT_ONCE)
        said = await self.cloud.slack.say("bob", "general", "@Footnote")
        await self.cloud.slack.wait_until(lambda: first.begun, 60)
        first.lifted = True
        return said

    async def end(self, how: str) -> None:
        """End the process of the worker, or leave that to its time."""
        if how == KILLED:
            assert await asyncio.to_thread(self.sight.kill, "answer") == 1
        elif how == DEAF:
            assert await asyncio.to_thread(self.sight.kill, "answer", signal.SIGSTOP) == 1
        elif how == EXHAUSTED:
            before = self.limit.ended()
            (process,) = await asyncio.to_thread(self.sight.processes, "answer")
            self.limit.exhaust(process)
            await until(lambda: self.limit.ended() == before + 1)

    async def interrupt(self, how: str, stage: str) -> None:
        """Interrupt the answers of one worker at one stage, and see all of them said in time."""
        sight, slack = self.sight, self.cloud.slack
        await until(lambda: sight.waiting("AnswerQueue") == 0)
        before = len(self.logged(how))
        busy = [await self.keep_busy()] if self.at_once > 1 else []
        held = slack.fail_next(stage, delay=60.0, times=2 * AT_ONCE)
        asked = [await slack.say("alice", "general", QUESTION) for _ in range(self.at_once)]
        if busy:
            await until(lambda: sight.waiting("AnswerQueue") == AT_ONCE + 1)
            assert held.held == 0

        some = self.at_once if stage == FIRST else min(self.at_once, STREAMS)
        await slack.wait_until(lambda: held.held >= some, 60)
        await self.end(how)
        began = time.monotonic()
        # Nothing that is dead or deaf answers any more; what is slow may, until it gives back the
        # rest.
        open_yet = sum(not sight.row("outcome", ts) for ts in asked)
        held.lifted = True
        await until(lambda: all(sight.row("outcome", ts) for ts in asked), 120)
        took = time.monotonic() - began
        told = self.logged(how)[before:]
        assert told, f"the local AWS knows of nothing {how}"
        answers_cut = int(told[0]) if how == SLOW else open_yet
        assert answers_cut >= some
        for ts in (*busy, *asked):
            # Finished: nothing streams any more, no status shows.
            answers = await slack.wait_for_answer("general", ts, 5.0)
            assert len(answers) == 1, (how, stage, answers)
            assert ts in busy or "35 days" in str(answers[0])
        print(f"{how}, at {stage}: {answers_cut} answers, the last after {took:.1f} s")
        # What is deaf or slow ends when Lambda ends it, and that is when the half minute begins.
        assert took - (FUNCTION_SECONDS if how in (DEAF, SLOW) else 0) <= 30
        self.tallies[how].answers[stage] += answers_cut
        self.tallies[how].seconds.append(took)

    async def interrupt_until(self, total: int) -> None:
        """Interrupt in every way at every stage, again and again, so many answers in all."""
        for number, (how, stage) in enumerate(itertools.cycle(COMBINATIONS)):
            if self.total >= total and number >= len(COMBINATIONS):
                break
            await self.interrupt(how, stage)
        print(f"{self.total} answers were interrupted, {self.at_once} at once:")
        for how, tally in self.tallies.items():
            stages = ", ".join(f"{count} at {stage}" for stage, count in tally.answers.items())
            print(f"  {how}: {tally.total} ({stages}), the last after {max(tally.seconds):.1f} s")
        # It was the time that ended the slow ones, not the patience of the Slack client.
        log = await asyncio.to_thread(self.cloud.stack.log, "answer")
        assert not any("returned to the queue" in line for line in log)
        assert await asyncio.to_thread(self.sight.waiting, "AnswerQueue") == 0
        assert await asyncio.to_thread(self.sight.waiting, "AnswerDeadLetters") == 0


@asynccontextmanager
async def trial(folder: Path, at_once: int) -> AsyncIterator[Trial]:
    """Run a local cloud whose function ``answer`` is warm, and has little time for its batches."""
    with memory_limit(f"answers-{os.getpid()}") as limit:
        given = {"answerBatch": str(at_once)}
        async with running(folder, Steps(print), rate_limits=False, parameters=given) as cloud:
            cloud.stack.client("lambda").update_function_configuration(
                FunctionName=cloud.stack.function("answer"), Timeout=FUNCTION_SECONDS
            )
            # All at once, so that later there are processes enough of the slack function.
            asked = [await cloud.slack.say("alice", "general", QUESTION) for _ in range(AT_ONCE)]
            for ts in asked:
                await cloud.slack.wait_for_answer("general", ts, 120.0)
            yield Trial(cloud, limit, at_once)


async def test_every_answer_of_an_interrupted_batch_is_said_within_thirty_seconds(
    tmp_path: Path,
) -> None:
    async with trial(tmp_path, AT_ONCE) as batches:
        await batches.interrupt_until(ANSWERS)


async def test_an_answer_whose_worker_has_no_other_is_said_within_thirty_seconds_of_its_end(
    tmp_path: Path,
) -> None:
    async with trial(tmp_path, 1) as alone:
        await alone.interrupt_until(ALONE)
