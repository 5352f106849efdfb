"""The agent's side of a thread: a plan that is cheap, cards that exist once, words that arrive."""

import asyncio
from typing import Any

import pytest

from bot.agent_thread import AgentThread, Step
from bot.approval_cards import card_id
from bot.client import SlackClient
from bot.conversation import Mention
from bot.errors import MessageGone, ReplyRefused, SlackUnreachable
from bot.plan_blocks import plan_blocks
from bot.playground.validation import check_message_blocks
from bot.proposals import Decided, Ruling
from bot.streams import StreamBudget
from tests.conftest import Emitted
from tests.doubles.clocks import ManualClock
from tests.doubles.proposal_desk import proposal
from tests.doubles.slack_recorder import Failure, SlackRecorder

SEARCH = Step("1", "Search the documents", "complete", "3 passages")
ASK = Step("2", "Open an issue", "in_progress")


class Worker:
    """A thread, what it said of its messages, and a clock that pausing moves."""

    def __init__(self, client: SlackClient, mention: Mention, plan_ts: str = "") -> None:
        self.clock = ManualClock()
        self.posted: list[str] = []
        self.paused: list[float] = []
        self.go_on = asyncio.Event()
        self.thread = AgentThread(
            client,
            mention,
            posted=self._posted,
            plan_ts=plan_ts,
            clock=self.clock,
            pause=self._pause,
            budget=StreamBudget(self.clock),
        )

    async def _posted(self, ts: str) -> None:
        self.posted.append(ts)

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.clock.advance(seconds)
        await self.go_on.wait()


@pytest.fixture
def worker(client: SlackClient, mention: Mention) -> Worker:
    return Worker(client, mention)


def statuses(blocks: list[dict[str, Any]]) -> list[str]:
    return [task["status"] for task in blocks[0]["tasks"]]


async def test_a_plan_is_one_message_that_is_kept_up_to_date(
    worker: Worker, slack: SlackRecorder
) -> None:
    await worker.thread.plan([ASK])
    worker.clock.advance(1.1)
    await worker.thread.plan([SEARCH, ASK])
    (shown,) = slack.rows()
    assert statuses(shown) == ["complete", "in_progress"]
    assert worker.posted == [worker.thread.plan_ts] == list(slack.messages)
    assert slack.of("chat.postMessage")[0]["thread_ts"] == "1700000000.000200"


async def test_hurried_steps_are_drawn_together_and_the_last_one_is_always_drawn(
    worker: Worker, slack: SlackRecorder
) -> None:
    await worker.thread.plan([ASK])
    for number in range(50):
        await worker.thread.plan([ASK, Step(str(number + 3), "Read", "complete")])
    await asyncio.sleep(0)
    assert slack.of("chat.update") == []
    worker.go_on.set()
    await worker.thread.settle()
    (last,) = slack.of("chat.update")
    assert last["blocks"][0]["tasks"][-1]["task_id"] == "52"


async def test_what_changes_while_the_plan_is_drawn_is_drawn_next(
    worker: Worker, slack: SlackRecorder
) -> None:
    worker.go_on.set()
    await worker.thread.plan([ASK])
    await worker.thread.plan([SEARCH])
    async with asyncio.timeout(5):
        while not slack.of("chat.update"):
            await worker.thread.plan([SEARCH, ASK])
            await asyncio.sleep(0.001)
    await worker.thread.settle()
    assert statuses(slack.rows()[0]) == ["complete", "in_progress"]


async def test_a_plan_never_asks_more_of_slack_than_its_share(
    worker: Worker, slack: SlackRecorder
) -> None:
    worker.go_on.set()
    for number in range(200):
        await worker.thread.plan([Step("1", f"Step {number}", "in_progress")])
        worker.clock.advance(0.3)
        await asyncio.sleep(0)
    await worker.thread.settle()
    assert len(slack.of("chat.update")) <= 45 * (worker.clock() - ManualClock()()) / 60 + 15
    assert slack.rows()[0][0]["tasks"][0]["title"] == "Step 199"


async def test_the_next_worker_goes_on_with_the_plan_that_is_there(
    worker: Worker, client: SlackClient, mention: Mention, slack: SlackRecorder
) -> None:
    await worker.thread.plan([ASK])
    later = Worker(client, mention, worker.thread.plan_ts)
    await later.thread.plan([SEARCH])
    assert statuses(slack.rows()[0]) == ["complete"] and len(slack.rows()) == 1
    slack.messages.clear()
    later.clock.advance(2)
    await later.thread.plan([ASK])
    later.clock.advance(2)
    await later.thread.plan([SEARCH])
    assert [statuses(shown) for shown in slack.rows()] == [["complete"]]


@pytest.mark.parametrize("method", ["chat.postMessage", "agents.sessions.setStatus"])
async def test_neither_plan_nor_status_fails_a_run(
    worker: Worker, slack: SlackRecorder, method: str
) -> None:
    slack.fail(method, Failure("invalid_blocks"), Failure(status=503), Failure(dropped=True))
    for _ in range(3):
        await worker.thread.session("processing")
        await worker.thread.plan([ASK])
        worker.clock.advance(2)
    await worker.thread.session("suspended")
    await worker.thread.settle()
    assert len(slack.rows()) == 1
    assert slack.of("agents.sessions.setStatus")[-1]["status"] == "suspended"


async def test_a_card_is_posted_once_even_when_slack_loses_its_answer(
    worker: Worker, slack: SlackRecorder
) -> None:
    worker.go_on.set()
    slack.fail("chat.postMessage", Failure(status=503, applied=True))
    ts = await worker.thread.ask(proposal())
    assert worker.posted == [ts] == list(slack.messages)
    assert slack.rows()[0][0]["block_id"] == card_id(proposal())


async def test_the_next_worker_finds_the_card_and_posts_no_second_one(
    worker: Worker, client: SlackClient, mention: Mention, slack: SlackRecorder
) -> None:
    first = await worker.thread.ask(proposal())
    later = Worker(client, mention)
    assert await later.thread.ask(proposal()) == first
    assert later.posted == [first] and len(slack.messages) == 1


async def test_a_card_shows_the_decision_and_a_deleted_one_is_let_go(
    worker: Worker, slack: SlackRecorder
) -> None:
    ts = await worker.thread.ask(proposal())
    decided = Decided(Ruling.APPROVED, proposal(), (Ruling.APPROVED,), ("UBOB",))
    await worker.thread.show(ts, decided)
    assert "Approved by <@UBOB>" in str(slack.rows()[0])
    slack.messages.clear()
    await worker.thread.show(ts, decided)
    await worker.thread.show(ts, Decided(Ruling.GONE))
    assert len(slack.of("chat.update")) == 2


@pytest.mark.parametrize(
    ("failures", "raised"),
    [
        ([Failure("channel_not_found")], ReplyRefused),
        ([Failure("thread_not_found")], MessageGone),
        ([Failure("ratelimited", 429)] * 9, SlackUnreachable),
    ],
)
async def test_what_cannot_be_said_is_raised(
    worker: Worker, slack: SlackRecorder, failures: list[Failure], raised: type[Exception]
) -> None:
    worker.go_on.set()
    slack.fail("chat.postMessage", *failures)
    with pytest.raises(raised):
        await worker.thread.say("Done.")


async def test_the_plan_is_settled_before_anything_is_said_below_it(
    worker: Worker, slack: SlackRecorder
) -> None:
    await worker.thread.plan([ASK])
    await worker.thread.plan([SEARCH])
    await worker.thread.say("Done.")
    assert statuses(slack.rows()[0]) == ["complete"]
    assert slack.visible()[-1] == "Done."


async def test_long_words_come_in_several_messages_and_nothing_unfurls(
    worker: Worker, slack: SlackRecorder
) -> None:
    await worker.thread.say("word " * 3_000)
    assert len(slack.visible()) == 3 == len(worker.posted)
    for call in slack.of("chat.postMessage"):
        assert call["unfurl_links"] is False and call["unfurl_media"] is False


def test_a_plan_shows_untrusted_titles_letter_by_letter_and_counts_what_is_too_much(
    emitted: Emitted,
) -> None:
    steps = [Step(str(n), "<!channel>\u202e\nx" * 40, "error", "d" * 900) for n in range(60)]
    (plan,) = check_message_blocks(plan_blocks(steps))
    assert plan["tasks"][0]["title"] == "Earlier steps: 40" and len(plan["tasks"]) == 21
    assert "\u202e" not in str(plan)
    emitted("message", plan_blocks([SEARCH, ASK]))
