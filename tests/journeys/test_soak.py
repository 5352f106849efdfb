"""Minutes of sudden deaths: `make soak`."""

import asyncio
import random

import pytest

from bot.playground.server import Playground
from handlers.runtime.demo import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.doubles.serving_process import served
from tests.journeys.test_nothing_is_lost_or_doubled import QUESTION, streams

QUESTIONS = 12
DEATHS = 4


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_every_question_gets_one_answer_however_often_the_process_dies(
    environment: dict[str, str],
) -> None:
    chance = random.Random(7)
    async with Playground(
        signing_secret=SIGNING_SECRET,
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        retry_delays=(0, 20, 60),
    ) as slack:
        environment = environment | {"SLACK_API_URL": slack.api_url}
        asked: list[str] = []
        for _ in range(DEATHS):
            async with served(environment) as (process, address):
                slack.events_url = address
                for _ in range(QUESTIONS // DEATHS):
                    asked.append(await slack.say("alice", "general", QUESTION))
                    await asyncio.sleep(chance.uniform(0, 1.5))
                process.kill()
            slack.events_url = ""
        async with served(environment) as (_, address):
            slack.events_url = address

            def all_answered() -> bool:
                threads = [slack.messages("general", ts) for ts in asked]
                done = all("27 days" in str(thread) for thread in threads)
                return done and not any(streams(slack, ts) for ts in asked)

            await slack.wait_until(all_answered, 400)
            await asyncio.sleep(5)
            counts = [len(slack.messages("general", ts)) for ts in asked]
    assert counts == [2] * QUESTIONS
