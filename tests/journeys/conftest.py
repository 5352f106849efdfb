"""The whole path: a local Slack, the bot over real HTTP, the real model, the handbook."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.playground.server import Playground
from handlers.runtime.commands import sync_sources
from handlers.runtime.demo import APP_TOKEN, BOT_TOKEN, HANDBOOK, SIGNING_SECRET
from handlers.runtime.laptop import running
from handlers.runtime.settings import Settings
from tests.conftest import Emitted

MODELS = Path(__file__).resolve().parents[2] / "build" / "models"
"""Kept between runs: exporting the ONNX model takes seconds."""


@pytest.fixture(scope="session")
def handbook_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The index of the sample handbook, made once by the real sync."""
    place = tmp_path_factory.mktemp("handbook") / "index"
    settings = Settings.load(
        {
            "FOOTNOTE_HOME": str(place.parent),
            "FOOTNOTE_INDEX": str(place),
            "FOOTNOTE_DOCS": str(HANDBOOK),
            "FOOTNOTE_MODELS": str(MODELS),
        }
    )
    (synced,) = asyncio.run(sync_sources(settings, quiet=True))
    assert synced.report is not None and synced.report.added >= 20
    yield place


@dataclass(frozen=True)
class Office:
    """A playground and where the bot listens for its events."""

    slack: Playground
    events_url: str
    settings: Settings


OpenOffice = Callable[..., AbstractAsyncContextManager[Office]]


@pytest.fixture
def environment(handbook_index: Path, tmp_path: Path) -> dict[str, str]:
    """Settings of a bot for the playground, without the address of the playground."""
    return {
        "FOOTNOTE_HOME": str(tmp_path / "home"),
        "FOOTNOTE_INDEX": str(handbook_index),
        "FOOTNOTE_MODELS": str(MODELS),
        "FOOTNOTE_PORT": "0",
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
    }


@pytest.fixture
def open_office(environment: dict[str, str], emitted: Emitted) -> OpenOffice:
    """Return a context manager that runs playground and bot in this process."""

    @asynccontextmanager
    async def opened(**more: str) -> AsyncIterator[Office]:
        async with Playground(
            signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, app_token=APP_TOKEN
        ) as slack:
            settings = Settings.load(environment | {"SLACK_API_URL": slack.api_url} | more)
            async with running(settings) as address:
                slack.events_url = f"{address}/slack/events" if address else ""
                yield Office(slack, slack.events_url, settings)
            for call in slack.calls:
                if call.arguments.get("blocks"):
                    emitted("message", call.arguments["blocks"])
                if call.method == "views.open":
                    emitted("modal", call.arguments["view"])

    return opened
