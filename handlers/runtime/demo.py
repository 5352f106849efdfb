"""`footnote demo`: a local Slack, the bot and the sample handbook in one process; no account."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import bot.playground
from bot.playground.server import Playground
from handlers.runtime.agent_mode import is_on
from handlers.runtime.laptop import running
from handlers.runtime.settings import Settings, SettingsError

HANDBOOK = Path(bot.playground.__file__).parent / "handbook"
"""The pages of a made-up company that the demo answers from, unless it is given others."""

SUGGESTIONS = (
    "How many days of paid holiday do I have?",
    "On which days may I bring my dog to the office?",
    "How do I roll back a release?",
    "Does the company give stock options to employees?",
)
"""Questions offered in the page; the handbook does not know the last one."""

TASK = "agent: look up who is on call, and remind us here tomorrow at nine"
"""Offered beside them where the agent works."""

PORT = 8080

BOT_TOKEN = "xoxb-playground"
APP_TOKEN = "xapp-playground"
SIGNING_SECRET = "playground-signing-secret"


def demo_settings(settings: Settings, *, docs: Path | None) -> Settings:
    """Return settings for the demo: its own data folder, index and documents."""
    home = settings.home / "demo"
    return settings.replaced(
        docs=docs or HANDBOOK,
        sources="",
        source_secrets="",
        home=home,
        models=settings.models or settings.home / "models",
        index=str(home / ("index-docs" if docs else "index")),
        queue_url="",
        state_table="",
        # It works as soon as there is a model, and says what to set where there is none.
        agent="ON",
        agent_queue_url="",
        audit_table="",
    )


def _suggestions(settings: Settings) -> tuple[str, ...]:
    return (*SUGGESTIONS, TASK) if is_on(settings) else SUGGESTIONS


def free_port(wanted: int | None) -> int:
    """Return the port that was asked for; else 8080, or 0 (any) when that is taken."""
    if wanted is not None:
        return wanted
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT


@asynccontextmanager
async def _started(playground: Playground, port: int) -> AsyncIterator[None]:
    try:
        await playground.start()
    except OSError as error:
        raise SettingsError(
            [f"Port {port} cannot be used ({error.strerror}). Choose another with --port."]
        ) from error
    try:
        yield
    finally:
        await playground.stop()


@asynccontextmanager
async def playing(settings: Settings, *, port: int, sample: bool) -> AsyncIterator[Playground]:
    """Run the local Slack and the bot together until the block is left."""
    playground = Playground(
        signing_secret=SIGNING_SECRET,
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        port=port,
        suggestions=_suggestions(settings) if sample else (),
    )
    async with _started(playground, port):
        connected = settings.replaced(
            slack_bot_token=BOT_TOKEN,
            slack_signing_secret=SIGNING_SECRET,
            slack_app_token=None,
            slack_api_url=playground.api_url,
            host="127.0.0.1",
            port=0,
        )
        async with running(connected) as address:
            playground.events_url = f"{address}/slack/events"
            yield playground
