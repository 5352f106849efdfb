"""How often a question is tried, what costs a try, and that nobody is left without a word."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import messages
from bot.client import make_client
from bot.conversation import Ending
from handlers.adapters.sqlite_queue import QueueCounts, SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.answering.delivering import deliver
from handlers.work.claims import Claims
from handlers.work.deliveries import DELIVERIES, LEASE_SECONDS, OUTAGE_SECONDS, TRIES
from handlers.work.errors import ClaimLost
from handlers.work.outcomes import read
from index.errors import EmbedderUnavailable, IndexUnavailable, KnowledgeError
from tests.doubles.answer_desk import SAID, Desk, opened_desk
from tests.doubles.clocks import ManualClock


@dataclass
class LaptopDesk(Desk):
    """A desk whose question lies in the laptop's queue."""

    queue: SqliteQueue
    store: SqliteStore
    clock: ManualClock

    async def work_off(self, *, rounds: int = 60) -> int:
        """Deliver until the queue is empty, letting time pass; return how often."""
        for delivered in range(rounds):
            counts = await self.queue.counts()
            if not counts.waiting and not counts.held:
                return delivered
            self.clock.advance(400)
            delivery = await self.queue.receive()
            if delivery is not None:
                await deliver(self.worker, delivery)
        raise AssertionError("the queue does not become empty")

    async def die(self) -> None:
        """Let a worker begin, and leave claim and lease behind as a killed process does."""
        delivery = await self.queue.receive()
        assert delivery is not None
        claim = await Claims(self.store, lease_seconds=LEASE_SECONDS, clock=self.clock).take(
            self.job.key
        )
        notes = getattr(claim, "notes", {})
        tries = int(str(notes.get("tries", 0)))
        await claim.note({"posted": [], "tries": tries + 1})  # type: ignore[union-attr]
        self.clock.advance(LEASE_SECONDS + 1)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[LaptopDesk]:
    clock = ManualClock()
    queue = SqliteQueue(
        tmp_path / "q.sqlite", lease_seconds=LEASE_SECONDS, max_attempts=DELIVERIES, clock=clock
    )
    store = SqliteStore(tmp_path / "s.sqlite", clock=clock)
    async with opened_desk(tmp_path, store, clock) as at:
        await queue.put(at.job)
        parts = (at.slack, at.worker, at.answerer, at.job, at.fill, at.synced)
        yield LaptopDesk(*parts, queue, store, clock)
    await queue.close()
    await store.close()


async def test_a_question_that_always_fails_ends_with_one_apology(desk: LaptopDesk) -> None:
    desk.answerer.troubles = [RuntimeError("a defect")] * 50
    assert await desk.work_off() == TRIES + 1
    assert desk.answerer.asked == TRIES
    assert desk.said() == [messages.APOLOGY]
    outcome = await read(desk.store, desk.job.key)
    assert outcome is not None
    assert (outcome.ending, outcome.reason) == (Ending.FAILED, "tried-too-often")


async def test_a_question_that_kills_its_workers_ends_with_an_apology(desk: LaptopDesk) -> None:
    for _ in range(TRIES):
        await desk.die()
    assert await desk.work_off() == 1
    assert desk.answerer.asked == 0
    assert desk.said() == [messages.APOLOGY]


async def test_a_question_whose_worker_was_killed_once_is_answered(desk: LaptopDesk) -> None:
    await desk.die()
    assert await desk.work_off() == 1
    assert desk.said() == [SAID]


@pytest.mark.parametrize("error", [IndexUnavailable("The bucket does not answer.")])
async def test_an_outage_costs_no_try(desk: LaptopDesk, error: KnowledgeError) -> None:
    desk.answerer.troubles = [error] * (TRIES + 3)
    assert await desk.work_off() == TRIES + 4
    assert desk.said() == [SAID]


async def test_slack_being_away_costs_no_try(desk: LaptopDesk) -> None:
    desk.slack.fail_next("conversations.replies", status=503, times=3 * (TRIES + 2))
    await desk.work_off()
    assert desk.said() == [SAID]


async def test_an_outage_that_lasts_is_apologised_for(desk: LaptopDesk) -> None:
    desk.clock.advance(OUTAGE_SECONDS)
    desk.answerer.troubles = [IndexUnavailable("The bucket does not answer.")] * 50
    assert await desk.work_off() == TRIES + 1
    assert desk.said() == [messages.APOLOGY]


async def test_what_no_later_try_can_mend_is_apologised_for_at_once(desk: LaptopDesk) -> None:
    desk.answerer.troubles = [EmbedderUnavailable("The model is gone.")]
    assert await desk.work_off() == 1
    assert desk.said() == [messages.APOLOGY]


async def test_an_apology_that_does_not_reach_slack_is_not_taken_for_said(desk: LaptopDesk) -> None:
    for _ in range(TRIES):
        await desk.die()
    for method in ("chat.startStream", "chat.postMessage"):
        desk.slack.fail_next(method, status=503, times=12)
    assert await desk.work_off() > 1
    assert desk.said() == [messages.APOLOGY]


async def test_what_is_never_said_is_set_aside_where_it_is_counted(desk: LaptopDesk) -> None:
    desk.slack.fail_next("conversations.replies", status=503, times=10_000)
    await desk.work_off()
    assert await desk.queue.counts() == QueueCounts(waiting=0, held=0, dead=1)


async def test_a_question_that_was_set_aside_is_answered_after_the_mend(desk: LaptopDesk) -> None:
    failure = desk.slack.fail_next("conversations.replies", status=503, times=10_000)
    await desk.work_off()
    failure.lifted = True
    assert await desk.queue.redrive() == 1
    assert await desk.work_off() == 1
    assert desk.said() == [SAID]


async def test_a_refused_token_costs_no_try_and_is_known_afterwards(desk: LaptopDesk) -> None:
    desk.slack.fail_next("conversations.replies", "token_revoked", times=TRIES + 2)
    await desk.work_off()
    assert desk.worker.token_refused
    assert desk.said() == [SAID]


async def test_a_bot_that_was_removed_in_between_says_nothing_and_ends(desk: LaptopDesk) -> None:
    await desk.die()
    desk.slack.fail_next("conversations.replies", "not_in_channel", times=50)
    assert await desk.work_off() == 1


async def test_a_token_that_is_refused_to_the_clean_up_is_known_as_well(desk: LaptopDesk) -> None:
    await desk.die()
    desk.slack.fail_next("conversations.replies", "token_revoked")
    await desk.work_off()
    assert desk.worker.token_refused
    assert desk.said() == [SAID]


async def test_what_others_were_told_stays_when_an_earlier_question_comes_late(
    desk: LaptopDesk,
) -> None:
    await desk.slack.say("bob", "general", "And whom do I ask?", thread_ts=desk.job.ts)
    client = make_client("xoxb-1", desk.slack.api_url)
    told = {"channel": desk.job.channel, "thread_ts": desk.job.ts, "text": "Ask Carol."}
    await client.chat_postMessage(**told)
    await desk.die()
    await desk.work_off()
    assert desk.said() == ["And whom do I ask?", "Ask Carol.", SAID]


async def test_a_worker_that_lost_its_claim_takes_back_what_it_said(desk: LaptopDesk) -> None:
    desk.answerer.troubles = [ClaimLost("Somebody else has it.")]
    await desk.work_off()
    assert desk.answerer.asked == 2
    assert desk.said() == [SAID]


async def test_a_question_waits_for_an_index_that_was_there_before(
    desk: LaptopDesk, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "index")
    desk.synced.set()
    delivery = await desk.queue.receive()
    assert delivery is not None
    await deliver(desk.worker, delivery)
    assert desk.said() == []
    await desk.fill()
    await desk.work_off()
    assert desk.said() == [SAID]


async def test_a_question_before_the_first_sync_is_told_so(
    desk: LaptopDesk, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "index")
    assert await desk.work_off() == 1
    assert desk.said() == [messages.NOTHING_READ]
