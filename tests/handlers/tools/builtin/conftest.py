"""A workspace, an index, and calls as a run would make them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.client import SlackClient
from bot.conversation import Place
from bot.playground import Playground
from bot.playground.methods_search import SCOPE
from bot.playground.people import User
from bot.playground.workspace import Conversation
from bot.scopes import BOT_SCOPES
from handlers.tools.ports import Caller, Tool, ToolContext, ToolResult
from index.audience import EVERYONE, Audience, Principal
from index.lance import LanceIndex
from tests.doubles.hashing_embedder import HashingEmbedder

TOKEN = "xoxb-playground"
NOW = 1_800_000_000.0


@dataclass
class Office:
    """A local Slack whose time stands still, and whoever asks in it."""

    slack: Playground
    client: SlackClient

    def add(self, channel: str, kind: str, *members: str, shared: bool = False) -> None:
        us = self.slack.workspace.bot.id
        self.slack.workspace.add_conversation(
            Conversation(channel, channel.lower(), kind, [*members, us], shared=shared)  # type: ignore[arg-type]
        )

    def say(self, channel: str, user: str, text: str, thread_ts: str = "") -> str:
        """Write as Slack stores it, markup and all."""
        fields = {"user": user, "text": text}
        return str(self.slack.workspace.post(channel, fields, thread_ts=thread_ts)["ts"])

    def said(self, channel: str) -> list[dict[str, Any]]:
        """Return what the bot wrote in a channel, threads included, oldest first."""
        everything = self.slack.workspace.all(channel)
        return [one for one in everything if one.get("bot_id")]

    def called(self, method: str) -> list[dict[str, Any]]:
        return [dict(one.arguments) for one in self.slack.calls if one.method == method]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    scopes = BOT_SCOPES | {SCOPE}
    async with Playground(
        signing_secret="s", clock=lambda: NOW, scopes=scopes, rate_limits=False
    ) as slack:
        slack.workspace.add_user(User("UGUEST", "guest", "A guest", guest=True))
        yield Office(slack, SlackClient(token=TOKEN, base_url=slack.api_url, retry_handlers=[]))


EVERYBODY = Audience.everyone()


def context(
    channel: str = "CGENERAL",
    *,
    user: str = "UALICE",
    thread_ts: str = "1.1",
    place: Place = Place.CHANNEL,
    audience: Audience = EVERYBODY,
    call: str = "T1:C1:1.1:t0001c001",
    seconds: float = 10.0,
    action_token: str = "",
) -> ToolContext:
    deadline = asyncio.get_running_loop().time() + seconds
    caller = Caller("TPLAYGROUND", channel, user, thread_ts, place)
    return ToolContext(caller, audience, call, deadline, action_token)


def members_of(channel: str, *users: str) -> Audience:
    """Return the people of a private channel as an audience."""
    inside = Principal("slack-channel", channel)
    return Audience.of(*({EVERYONE, Principal("slack-user", one), inside} for one in users))


async def call(tool: Tool, about: ToolContext, **arguments: object) -> ToolResult:
    """Run a tool as a run does: only with arguments that fit its schema."""
    Draft202012Validator(dict(tool.parameters)).validate(arguments)
    return await tool.run(arguments, about)


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
async def index(tmp_path: Path, embedder: HashingEmbedder) -> AsyncIterator[LanceIndex]:
    index = LanceIndex(
        str(tmp_path / "index"), embedder=embedder.name, dimensions=embedder.dimensions
    )
    yield index
    await index.close()


@pytest.fixture
def fits() -> Callable[[Tool, dict[str, object]], bool]:
    """Tell whether arguments fit the schema of a tool."""

    def fit(tool: Tool, arguments: dict[str, object]) -> bool:
        return bool(Draft202012Validator(dict(tool.parameters)).is_valid(arguments))

    return fit
