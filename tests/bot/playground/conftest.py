"""A playground, a clock to turn, Slack's own client, and a real app that receives events."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Playground
from tests.bot.playground.receiver import SECRET, App
from tests.doubles.clocks import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()
    server = web.Application()
    server.router.add_post("/slack/events", app.take)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield app
    await runner.cleanup()


@pytest.fixture
async def slack(app: App) -> AsyncIterator[Playground]:
    """A playground with an app, the real clock, and retries without waiting."""
    playground = Playground(
        signing_secret=SECRET, events_url=app.url, retry_delays=(0, 0.02, 0.02), ack_seconds=0.5
    )
    async with playground:
        yield playground


@pytest.fixture
async def timed(clock: ManualClock) -> AsyncIterator[Playground]:
    """A playground whose time only the test moves; no app."""
    async with Playground(signing_secret=SECRET, clock=clock) as playground:
        yield playground


@pytest.fixture
def client(slack: Playground) -> AsyncWebClient:
    return AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)


@pytest.fixture
def timed_client(timed: Playground) -> AsyncWebClient:
    return AsyncWebClient(token="xoxb-playground", base_url=timed.api_url)
