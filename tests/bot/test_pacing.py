"""bot.pacing: reading that takes long stays below what Slack allows, and waits when told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.client import SlackClient
from bot.errors import ConversationUnreadable, SlackUnreachable, TokenRefused
from bot.pacing import RATES, Pacer
from bot.playground import Playground
from bot.playground.limits import TIER_2, TIER_3
from tests.doubles.clocks import ManualClock

TOKEN = "xoxb-playground"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def slack(clock: ManualClock) -> AsyncIterator[Playground]:
    async with Playground(signing_secret="s", bot_token=TOKEN, clock=clock) as playground:
        yield playground


@pytest.fixture
def client(slack: Playground) -> SlackClient:
    return SlackClient(token=TOKEN, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def pacer(clock: ManualClock) -> Pacer:
    return pacer_of(clock)


def pacer_of(clock: ManualClock) -> Pacer:
    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    return Pacer(clock=clock, pause=pause)


def test_each_rate_leaves_a_part_of_slacks_for_answers() -> None:
    for method, rate in RATES.items():
        allowed = TIER_2 if method == "users_list" else TIER_3
        assert rate.burst + rate.per_minute <= 0.8 * allowed.per_minute


async def test_no_minute_sees_more_calls_than_the_rate_allows(
    slack: Playground, client: SlackClient, pacer: Pacer, clock: ManualClock
) -> None:
    moments: list[float] = []

    async def ask_some() -> None:
        for _ in range(25):
            await pacer.ask(client.conversations_history, channel="CGENERAL")
            moments.append(clock())

    await asyncio.gather(*(ask_some() for _ in range(4)))
    rate = RATES["conversations_history"]
    for first in moments:
        inside = sum(first <= moment < first + 60 for moment in moments)
        assert inside <= rate.burst + rate.per_minute + 1
    assert all(call.response["ok"] for call in slack.calls)
    assert moments[-1] - moments[0] == pytest.approx(90 / rate.per_minute * 60, rel=0.05)


async def test_a_429_is_waited_out_for_as_long_as_it_says(
    slack: Playground, client: SlackClient, pacer: Pacer, clock: ManualClock
) -> None:
    slack.fail_next("conversations.replies", "ratelimited", retry_after=77, times=2)
    ts = await slack.say("alice", "general", "x")
    before = clock()
    await pacer.ask(client.conversations_replies, channel="CGENERAL", ts=ts)
    assert clock() - before == pytest.approx(154)


@pytest.mark.parametrize(("wait", "times"), [(3_600, 1), (1, 11)])
async def test_waiting_ends(
    slack: Playground, client: SlackClient, pacer: Pacer, wait: int, times: int
) -> None:
    slack.fail_next("users.list", "ratelimited", retry_after=wait, times=times)
    with pytest.raises(SlackUnreachable, match="try again later"):
        await pacer.ask(client.users_list)


@pytest.mark.parametrize("failure", [{"status": 503}, {"cut": True}, {"error": "internal_error"}])
async def test_a_passing_failure_is_tried_three_times(
    slack: Playground, client: SlackClient, pacer: Pacer, failure: dict[str, object]
) -> None:
    slack.fail_next("users.list", times=2, **failure)  # type: ignore[arg-type]
    assert (await pacer.ask(client.users_list))["ok"]
    slack.fail_next("users.list", times=20, **failure)  # type: ignore[arg-type]
    with pytest.raises(SlackUnreachable):
        await pacer.ask(client.users_list)


@pytest.mark.parametrize(
    ("error", "raised"),
    [("missing_scope", ConversationUnreadable), ("invalid_auth", TokenRefused)],
)
async def test_a_no_is_not_tried_again(
    slack: Playground,
    client: SlackClient,
    pacer: Pacer,
    error: str,
    raised: type[Exception],
) -> None:
    slack.fail_next("users.list", error, times=5)
    with pytest.raises(raised):
        await pacer.ask(client.users_list)
    assert len(slack.calls) == 1
