from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Playground
from bot.playground.limits import POSTING, TIER_2, RateLimiter
from tests.bot.playground.receiver import SECRET
from tests.bot.playground.refusal import refusal_of
from tests.doubles.clocks import ManualClock


@given(st.lists(st.floats(0, 20), min_size=1, max_size=200))
def test_no_pattern_of_calls_gets_more_than_the_burst_and_the_rate(waits: list[float]) -> None:
    clock = ManualClock()
    limiter = RateLimiter(clock)
    passed = 0
    for wait in waits:
        clock.advance(wait)
        passed += limiter.retry_after("chat.startStream", TIER_2) == 0
    assert passed <= TIER_2.burst + sum(waits) * TIER_2.per_minute / 60 + 1e-6


@given(st.integers(1, 30))
def test_who_waits_as_told_gets_through(calls: int) -> None:
    clock = ManualClock()
    limiter = RateLimiter(clock)
    for _ in range(calls + TIER_2.burst):
        wait = limiter.retry_after("chat.startStream", TIER_2)
        if wait:
            clock.advance(wait)
            assert limiter.retry_after("chat.startStream", TIER_2) == 0


def test_posting_is_limited_by_channel() -> None:
    limiter = RateLimiter(ManualClock())
    first = [limiter.retry_after("chat.postMessage", POSTING, "C1") for _ in range(6)]
    assert first == [0] * 5 + [1]
    assert limiter.retry_after("chat.postMessage", POSTING, "C2") == 0


async def test_the_twenty_first_stream_of_a_minute_is_told_when_to_come_back(
    timed: Playground, timed_client: AsyncWebClient, clock: ManualClock
) -> None:
    root = await timed.say("alice", "dm", "how?")
    for _ in range(20):
        await timed_client.chat_startStream(channel="DALICE", thread_ts=root)
    call = timed_client.chat_startStream(channel="DALICE", thread_ts=root)
    assert (await refusal_of(call))["error"] == "ratelimited"
    clock.advance(3)
    await timed_client.chat_startStream(channel="DALICE", thread_ts=root)


async def test_the_sdks_retry_handler_understands_the_refusal(slack: Playground) -> None:
    client = AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    slack.fail_next("chat.postMessage", "ratelimited", retry_after=0)
    await client.chat_postMessage(channel="CGENERAL", text="at last")
    assert [c.response["ok"] for c in slack.calls] == [False, True]


async def test_the_tiers_can_be_switched_off() -> None:
    async with Playground(signing_secret=SECRET, rate_limits=False) as slack:
        client = AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)
        for number in range(12):
            await client.chat_postMessage(channel="CGENERAL", text=str(number))
        assert len(slack.messages("general")) == 12


async def test_an_app_outside_the_marketplace_reads_15_objects_a_minute(
    clock: ManualClock,
) -> None:
    async with Playground(signing_secret=SECRET, clock=clock, distributed=True) as slack:
        client = AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)
        root = await slack.say("alice", "general", "root")
        for number in range(20):
            await slack.say("alice", "general", f"reply {number}", root)
            await slack.say("alice", "general", f"line {number}")
        for call, more in (
            (client.conversations_history, {}),
            (client.conversations_replies, {"ts": root}),
        ):
            for limit in (None, 200):
                clock.advance(60)
                page = await call(channel="CGENERAL", limit=limit, **more)  # type: ignore[operator]
                assert len(page["messages"]) == 15 and page["has_more"]
                refusal = await refusal_of(call(channel="CGENERAL", **more))  # type: ignore[operator]
                assert refusal["error"] == "ratelimited"
        await client.conversations_info(channel="CGENERAL")
        await client.conversations_info(channel="CGENERAL")
