"""Slack delivers more than once, processes die: every question still gets exactly one answer."""

import asyncio
import signal
import time
from collections.abc import Mapping

import aiohttp
import pytest

from bot.playground.server import Playground
from handlers.runtime.demo import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.doubles.serving_process import served
from tests.doubles.slack_signing import event_request, mention, signature, signed
from tests.journeys.conftest import OpenOffice

QUESTION = "@Footnote How many days of paid holiday do I have?"


def deliveries_of(ts: str) -> list[tuple[bytes, dict[str, str]]]:
    """Return the mention as Slack may deliver it: two kinds of event, each with three retries."""
    found = []
    for kind in ("message", "app_mention"):
        told = mention(ts, QUESTION.replace("@Footnote", "<@UFOOTNOTE>"), kind=kind)
        found.append(event_request(told, secret=SIGNING_SECRET))
        for attempt in ("1", "2", "3"):
            retry = {"X_Slack_Retry_Num": attempt, "X_Slack_Retry_Reason": "http_timeout"}
            found.append(event_request(told, secret=SIGNING_SECRET, **retry))
    return found


async def test_eight_deliveries_of_one_mention_at_once_get_exactly_one_answer(
    open_office: OpenOffice,
) -> None:
    async with open_office() as office, aiohttp.ClientSession() as http:
        # Nobody hears it yet: the eight deliveries below are all that the bot gets.
        office.slack.events_url = ""
        ts = await office.slack.say("alice", "general", QUESTION)

        async def deliver(body: bytes, headers: Mapping[str, str]) -> int:
            async with http.post(office.events_url, data=body, headers=headers) as response:
                return response.status

        statuses = await asyncio.gather(*(deliver(*d) for d in deliveries_of(ts)))
        await office.slack.wait_for_answer("general", ts)
        await asyncio.sleep(1)
        thread = office.slack.messages("general", ts)
    assert statuses == [200] * 8
    assert len(thread) == 2


@pytest.mark.parametrize(
    "timestamp", ["", "0", "-1", "1e9", "soon", "9" * 400, "١٢٣", str(int(time.time()) - 4000)]
)
async def test_a_request_with_a_bad_timestamp_is_refused_and_never_an_error(
    open_office: OpenOffice, timestamp: str
) -> None:
    body = b'{"type":"event_callback"}'
    async with open_office() as office, aiohttp.ClientSession() as http:
        headers = signed(body, "application/json", secret=SIGNING_SECRET)
        headers["X-Slack-Request-Timestamp"] = timestamp
        headers["X-Slack-Signature"] = signature(body, timestamp, SIGNING_SECRET)
        async with http.post(office.events_url, data=body, headers=headers) as response:
            assert response.status == 401


async def test_a_request_with_a_bad_signature_is_refused(open_office: OpenOffice) -> None:
    body = b'{"type":"event_callback"}'
    async with open_office() as office, aiohttp.ClientSession() as http:
        for forged in ("v0=" + "0" * 64, "v0=", "nonsense", "é"):
            headers = signed(body, "application/json", X_Slack_Signature=forged)
            async with http.post(office.events_url, data=body, headers=headers) as response:
                assert response.status == 401


def streams(slack: Playground, ts: str) -> bool:
    """Tell whether an answer in the thread is being written."""
    return any(m.get("streaming_state") == "in_progress" for m in slack.messages("general", ts))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("early", [True, False], ids=["before the answer", "in the middle of it"])
async def test_a_question_survives_the_sudden_death_of_the_process(
    environment: dict[str, str], early: bool
) -> None:
    async with Playground(
        signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN
    ) as slack:
        environment = environment | {"SLACK_API_URL": slack.api_url}
        async with served(environment) as (process, address):
            slack.events_url = address
            held = slack.fail_next(
                "conversations.replies" if early else "chat.stopStream", delay=60.0
            )
            ts = await slack.say("alice", "general", QUESTION)
            await slack.wait_until(lambda: held.begun, 40)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        slack.events_url = ""
        async with served(environment):
            await slack.wait_until(
                lambda: "27 days" in str(slack.messages("general", ts)) and not streams(slack, ts),
                60,
            )
            await asyncio.sleep(2)
            assert len(slack.messages("general", ts)) == 2
