"""Lost questions get onto the queue, once; what anybody ever took does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from bot.client import SlackClient, make_client
from bot.conversation import Ending, Outcome
from bot.errors import ConversationUnreadable
from bot.missed import MOST_FAILED
from bot.playground import Playground
from bot.playground.workspace import Conversation
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.agents import Agents
from handlers.work.claims import Claim, Claims
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import AgentJob, AnswerJob, Job
from handlers.work.outcomes import record
from handlers.work.reconciliation import Reconciliation, reconcile_once
from tests.doubles.clocks import ManualClock

TOKEN = "xoxb-playground"
MINUTE, HOUR = 60.0, 3600.0


class Ledger:
    """A queue that forgets nothing and drops nothing, as SQS after five minutes."""

    def __init__(self) -> None:
        self.jobs: list[AnswerJob] = []
        self.closed = False

    async def put(self, job: Job) -> None:
        if self.closed:
            raise QueueUnavailable("The queue did not answer.")
        assert isinstance(job, AnswerJob)
        self.jobs.append(job)

    @property
    def stamps(self) -> list[str]:
        return [job.ts for job in self.jobs]


@pytest.fixture
def queue() -> Ledger:
    return Ledger()


@pytest.fixture
async def slack(clock: ManualClock) -> AsyncIterator[Playground]:
    async with Playground(signing_secret="s", bot_token=TOKEN, clock=clock) as playground:
        yield playground


class Bot:
    """What the schedule calls, on a clock that only the test moves."""

    def __init__(
        self, client: SlackClient, queue: Ledger, store: SqliteStore, clock: ManualClock
    ) -> None:
        self.client, self.queue, self.store, self.clock = client, queue, store, clock

    async def look(self, after: float = 0.0, calls: int = 40) -> Reconciliation:
        """Look for lost questions once, ``after`` seconds from now."""
        self.clock.advance(after)
        return await reconcile_once(
            self.client, self.queue, self.store, clock=self.clock, pause=at_once, calls=calls
        )


async def at_once(_: float) -> None:
    """Wait as long as a test wants to."""


@pytest.fixture
async def bot(slack: Playground, queue: Ledger, store: SqliteStore, clock: ManualClock) -> Bot:
    """A bot whose schedule has run once before."""
    bot = Bot(make_client(TOKEN, slack.api_url), queue, store, clock)
    await bot.look()
    return bot


def key_of(slack: Playground, channel: str, ts: str) -> str:
    return f"{slack.team}:{channel}:{ts}"


async def test_lost_questions_are_put_on_the_queue_once(slack: Playground, bot: Bot) -> None:
    root = await slack.say("bob", "general", "who knows?")
    asked = {
        await slack.say("alice", "general", "@Footnote in the channel?"),
        await slack.say("alice", "general", "@Footnote in the thread?", root),
        await slack.say("alice", "dm", "directly?"),
    }
    report = await bot.look(10 * MINUTE)
    assert set(bot.queue.stamps) == asked
    assert (report.found, report.put, report.incomplete) == (3, 3, False)
    assert (report.conversations, report.unreadable, report.looked_at) == (5, 0, 4)
    again = await bot.look(10 * MINUTE)
    assert (again.found, len(bot.queue.jobs)) == (0, 3)


async def test_a_job_names_the_message_and_has_a_trace_of_its_own(
    slack: Playground, bot: Bot
) -> None:
    root = await slack.say("bob", "general", "hm")
    ts = await slack.say("alice", "general", "@Footnote?", root)
    other = await slack.say("alice", "dm", "and?")
    await bot.look(10 * MINUTE)
    channel, direct = bot.queue.jobs
    assert (channel.ts, channel.thread_ts, channel.place) == (ts, root, "channel")
    assert (direct.ts, direct.thread_ts, direct.place) == (other, other, "direct")
    assert channel.key == key_of(slack, "CGENERAL", ts)
    assert channel.accepted_at == bot.clock()
    assert channel.trace != direct.trace != ""


async def test_slack_gets_seven_minutes_to_deliver_by_itself(slack: Playground, bot: Bot) -> None:
    ts = await slack.say("alice", "general", "@Footnote?")
    assert (await bot.look(6.9 * MINUTE)).found == 0
    assert (await bot.look(5 * MINUTE)).found == 1
    assert bot.queue.stamps == [ts]


async def test_a_finished_sweep_is_followed_by_the_next_after_five_minutes(
    slack: Playground, bot: Bot
) -> None:
    await bot.look(10 * MINUTE)
    so_far = len(slack.calls)
    for _ in range(4):
        assert await bot.look(MINUTE) == Reconciliation()
    assert len(slack.calls) == so_far, "Slack is not asked when there is nothing to do"
    assert (await bot.look(MINUTE)).conversations == 5


@pytest.mark.parametrize("ending", list(Ending))
async def test_a_question_that_ended_is_not_asked_again(
    slack: Playground, bot: Bot, ending: Ending
) -> None:
    ts = await slack.say("alice", "general", "@Footnote?")
    await record(bot.store, key_of(slack, "CGENERAL", ts), Outcome(ending))
    assert (await bot.look(10 * MINUTE)).found == 0


async def test_a_question_that_a_worker_once_took_is_left_to_the_queue(
    slack: Playground, bot: Bot
) -> None:
    claims = Claims(bot.store, lease_seconds=15, clock=bot.clock)
    held = await slack.say("alice", "general", "@Footnote one?")
    given_up = await slack.say("alice", "general", "@Footnote two?")
    await claims.take(key_of(slack, "CGENERAL", held))
    claim = await claims.take(key_of(slack, "CGENERAL", given_up))
    assert isinstance(claim, Claim)
    await claim.note({"posted": []})
    await claim.release()
    assert (await bot.look(10 * MINUTE)).found == 0


async def test_what_waits_in_the_laptops_queue_is_not_queued_twice(
    slack: Playground, bot: Bot, tmp_path: Path
) -> None:
    ts = await slack.say("alice", "general", "@Footnote?")
    job = AnswerJob(slack.team, "CGENERAL", "UALICE", ts, ts, "channel")
    laptop = SqliteQueue(tmp_path / "state.sqlite", clock=bot.clock)
    await laptop.put(job)
    bot.clock.advance(10 * MINUTE)
    await reconcile_once(bot.client, laptop, bot.store, clock=bot.clock, pause=at_once)
    assert (await laptop.counts()).waiting == 1
    await laptop.close()


async def test_after_a_day_nobody_is_answered_any_more(slack: Playground, bot: Bot) -> None:
    await slack.say("alice", "general", "@Footnote yesterday?")
    bot.clock.advance(HOUR)
    ts = await slack.say("alice", "general", "@Footnote today?")
    assert (await bot.look(23.5 * HOUR)).found == 1
    assert bot.queue.stamps == [ts]


async def test_a_laptop_that_slept_for_days_still_answers_what_is_fresh(
    slack: Playground, bot: Bot
) -> None:
    bot.clock.advance(30 * 24 * HOUR)
    ts = await slack.say("alice", "dm", "anybody?")
    await bot.look(10 * MINUTE)
    assert bot.queue.stamps == [ts]


async def test_a_table_that_remembers_nothing_answers_nothing_from_before(
    slack: Playground, queue: Ledger, store: SqliteStore, clock: ManualClock
) -> None:
    await slack.say("alice", "general", "@Footnote answered by a table that was deleted?")
    bot = Bot(make_client(TOKEN, slack.api_url), queue, store, clock)
    assert await bot.look(10 * MINUTE) == Reconciliation()
    ts = await slack.say("alice", "general", "@Footnote since then?")
    await bot.look(10 * MINUTE)
    assert queue.stamps == [ts]


async def test_what_slack_was_too_slow_for_is_found_by_the_next_run(
    slack: Playground, bot: Bot
) -> None:
    asked = {
        await slack.say("alice", "general", "@Footnote one?"),
        await slack.say("alice", "help", "@Footnote two?"),
        await slack.say("alice", "dm", "three?"),
    }
    slack.fail_next("conversations.history", delay=0.01)
    slack.fail_next("conversations.history", "ratelimited", retry_after=0, times=2)
    first = await bot.look(10 * MINUTE)
    assert (first.found, first.incomplete) == (1, True)
    clock_of_the_window = bot.clock()
    late = await slack.say("alice", "dm", "meanwhile?")
    second = await bot.look(10 * MINUTE)
    assert (second.found, second.incomplete) == (2, False)
    assert set(bot.queue.stamps) == asked
    assert float(late) >= clock_of_the_window
    third = await bot.look(10 * MINUTE)
    assert (third.found, bot.queue.stamps[-1]) == (1, late)


async def test_many_questions_take_many_runs_and_none_is_skipped_or_repeated(
    slack: Playground, bot: Bot
) -> None:
    asked = set()
    for number in range(25):
        root = await slack.say("bob", "general", f"thread {number}")
        asked.add(await slack.say("alice", "general", "@Footnote?", root))
    runs = 1
    while (await bot.look(10 * MINUTE, calls=12)).incomplete:
        runs += 1
        assert runs < 10
    assert sorted(bot.queue.stamps) == sorted(asked)
    assert runs > 2


async def test_a_queue_that_is_down_loses_nothing(slack: Playground, bot: Bot) -> None:
    asked = {await slack.say("alice", "dm", f"{word}?") for word in ("one", "two", "three")}
    bot.queue.closed = True
    report = await bot.look(10 * MINUTE)
    assert (report.found, report.put, report.incomplete) == (1, 0, True)
    bot.queue.closed = False
    assert (await bot.look(MINUTE)).put == 3
    assert set(bot.queue.stamps) == asked


async def test_two_runs_at_once_skip_nothing(slack: Playground, bot: Bot) -> None:
    asked = {await slack.say("alice", "dm", f"{word}?") for word in ("one", "two", "three")}
    bot.clock.advance(10 * MINUTE)
    await asyncio.gather(bot.look(), bot.look())
    assert set(bot.queue.stamps) == asked
    assert max(map(bot.queue.stamps.count, asked)) <= 2, "at most one a run; claims do the rest"
    later = await slack.say("alice", "dm", "four?")
    await bot.look(10 * MINUTE)
    assert bot.queue.stamps.count(later) == 1


async def test_a_run_that_may_not_list_leaves_the_window_for_the_next(
    slack: Playground, bot: Bot
) -> None:
    ts = await slack.say("alice", "dm", "one?")
    slack.fail_next("users.conversations", "missing_scope")
    with pytest.raises(ConversationUnreadable):
        await bot.look(10 * MINUTE)
    await bot.look(HOUR)
    assert bot.queue.stamps == [ts]


@pytest.mark.parametrize("row", [{}, {"since": "x"}, {"since": None, "until": 5}])
async def test_a_row_of_another_version_costs_a_longer_look_and_no_question(
    slack: Playground, bot: Bot, row: dict[str, object]
) -> None:
    await bot.store.put("reconciliation", row, HOUR)
    ts = await slack.say("alice", "dm", "one?")
    await bot.look(10 * MINUTE)
    assert bot.queue.stamps == [ts]


FAILING = ["internal_error", "fatal_error"]


@pytest.mark.parametrize("error", FAILING)
async def test_a_conversation_that_always_fails_keeps_no_other_from_being_read(
    slack: Playground, bot: Bot, error: str
) -> None:
    await slack.say("alice", "general", "@Footnote where Slack breaks?")
    for number in range(3):
        ts = await slack.say("alice", "help", f"@Footnote {number}?")
        slack.fail_next("conversations.history", error)  # the first to be read is general
        report = await bot.look(10 * MINUTE)
        assert (report.conversations, report.unreadable, report.incomplete) == (4, 1, False)
        assert (report.put, bot.queue.stamps[-1]) == (1, ts)


async def test_what_was_asked_where_slack_failed_is_found_when_it_no_longer_does(
    slack: Playground, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    root = await slack.say("bob", "general", "who knows?")
    asked = [
        await slack.say("alice", "general", "@Footnote in the channel?"),
        await slack.say("alice", "general", "@Footnote in the thread?", root),
    ]
    for _ in range(3):
        slack.fail_next("conversations.history", "internal_error")
        assert (await bot.look(10 * MINUTE)).found == 0
    (told, *_) = {r.getMessage() for r in caplog.records if r.name.startswith("handlers.work")}
    assert told.endswith("left to the next sweep by Slack's fault: 1")
    assert "CGENERAL" not in caplog.text
    asked.append(await slack.say("alice", "general", "@Footnote since then?"))
    report = await bot.look(10 * MINUTE)
    assert (report.put, report.unreadable) == (3, 0)
    assert sorted(bot.queue.stamps) == sorted(asked)
    assert (await bot.look(10 * MINUTE)).looked_at > 0
    assert len(bot.queue.jobs) == 3


@pytest.mark.parametrize("error", FAILING)
async def test_a_thread_that_fails_hides_nothing_and_is_read_in_the_next_sweep(
    slack: Playground, bot: Bot, error: str
) -> None:
    early = await slack.say("alice", "general", "@Footnote before it?")
    root = await slack.say("bob", "general", "a thread")
    hidden = await slack.say("alice", "general", "@Footnote in the thread?", root)
    late = await slack.say("alice", "general", "@Footnote after it?")
    slack.fail_next("conversations.replies", error)
    report = await bot.look(10 * MINUTE)
    assert (report.conversations, report.unreadable, report.incomplete) == (5, 1, False)
    assert sorted(bot.queue.stamps) == sorted([early, late])
    for ts in (early, late):
        await record(bot.store, key_of(slack, "CGENERAL", ts), Outcome(Ending.ANSWERED))
    assert (await bot.look(10 * MINUTE)).put == 1
    assert bot.queue.stamps[-1] == hidden


async def test_what_failed_is_remembered_however_many_runs_the_sweep_takes(
    slack: Playground, bot: Bot
) -> None:
    asked = set()
    for number in range(25):
        root = await slack.say("bob", "general", f"thread {number}")
        asked.add(await slack.say("alice", "general", "@Footnote?", root))
    slack.fail_next("conversations.replies", "internal_error")
    runs = [await bot.look(10 * MINUTE, calls=12)]
    while runs[-1].incomplete:
        runs.append(await bot.look(MINUTE, calls=12))
        assert len(runs) < 10
    assert [run.unreadable for run in runs] == [1] + [0] * (len(runs) - 1)
    assert len(runs) > 2
    (hidden,) = asked - set(bot.queue.stamps)
    for ts in bot.queue.stamps:
        await record(bot.store, key_of(slack, "CGENERAL", ts), Outcome(Ending.ANSWERED))
    while (await bot.look(10 * MINUTE, calls=12)).incomplete:
        assert len(slack.calls) < 1_000
    assert bot.queue.stamps.count(hidden) == 1


async def test_where_slack_fails_for_a_day_older_questions_are_given_up(
    slack: Playground, bot: Bot
) -> None:
    await slack.say("alice", "general", "@Footnote yesterday?")
    slack.fail_next("conversations.history", "internal_error")
    assert (await bot.look(10 * MINUTE)).unreadable == 1
    bot.clock.advance(12 * HOUR)
    ts = await slack.say("alice", "general", "@Footnote today?")
    slack.fail_next("conversations.history", "internal_error")
    assert (await bot.look(10 * MINUTE)).unreadable == 1
    await bot.look(12 * HOUR)
    assert bot.queue.stamps == [ts]


async def test_a_slack_that_fails_everywhere_is_taken_for_down_and_loses_nothing(
    slack: Playground, bot: Bot
) -> None:
    asked = set()
    for number in range(MOST_FAILED + 20):
        members = ["UALICE", slack.workspace.bot.id]
        room = Conversation(f"CROOM{number:03}", f"room{number}", "channel", members)
        slack.workspace.add_conversation(room)
        asked.add(await slack.say("alice", f"room{number}", "@Footnote?"))
    failure = slack.fail_next("conversations.history", "internal_error", times=10_000)
    await bot.look(10 * MINUTE)
    for _ in range(5):
        report = await bot.look(MINUTE)
    assert (report.conversations, report.incomplete) == (0, True)
    stored = await bot.store.get("reconciliation")
    assert stored is not None
    assert len(cast("dict[str, float]", stored.value["failed"])) == MOST_FAILED
    failure.lifted = True
    for _ in range(12):
        await bot.look(5 * MINUTE)
    assert set(bot.queue.stamps) == asked


class Desk(Ledger):
    """The queue of the agent."""

    async def put(self, job: Job) -> None:
        self.asked.append(job)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Job] = []


def asked_of_the_agent(text: str) -> str | None:
    return text.removeprefix("agent:") if text.startswith("agent:") else None


async def test_what_was_lost_on_its_way_to_the_agent_gets_onto_its_queue(
    slack: Playground, bot: Bot
) -> None:
    begun = await slack.say("alice", "general", "@Footnote agent: open an issue")
    asked = await slack.say("alice", "general", "@Footnote what is open?")
    declined = await slack.say("alice", "general", "@Footnote agent: too early")
    # This one was told, as a question, that agent mode is off. It must not be worked on later.
    key = key_of(slack, "CGENERAL", declined)
    await record(bot.store, key, Outcome(Ending.DECLINED, "agents-off"))
    desk = Desk()
    bot.clock.advance(10 * MINUTE)
    agents = Agents(desk, asked_of_the_agent)
    await reconcile_once(
        bot.client, bot.queue, bot.store, agents=agents, clock=bot.clock, pause=at_once
    )
    assert bot.queue.stamps == [asked]
    [job] = desk.asked
    assert isinstance(job, AgentJob)
    assert (job.ts, job.step) == (begun, "")
