"""Fixtures of the bot's tests: a recording Slack, the client, real-looking payloads, samples."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.client import SlackClient, make_client
from bot.conversation import Answer, Citation, Mention, Place, Sentence, Verdict
from tests.conftest import Emitted
from tests.doubles.slack_recorder import TEAM, SlackRecorder

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

# Not chat.update: Slack takes our unfurl flags there as well, but its types do not know them.
TYPED_CALLS = {
    *("chat.startStream", "chat.appendStream", "chat.stopStream"),
    *("chat.postMessage", "views.open", "views.publish"),
}


@pytest.fixture
async def slack(emitted: Emitted) -> AsyncIterator[SlackRecorder]:
    async with SlackRecorder() as recorder:
        yield recorder
    for call in recorder.calls:
        if call.method in TYPED_CALLS and len(json.dumps(call.arguments)) < 20_000:
            emitted("call", {"method": call.method, "arguments": call.arguments})
        if call.arguments.get("blocks"):
            emitted("message", call.arguments["blocks"])
        if call.arguments.get("view"):
            emitted(call.arguments["view"]["type"], call.arguments["view"])
    for body in recorder.responses:
        if body.get("blocks"):
            emitted("message", body["blocks"])


@pytest.fixture
def client(slack: SlackRecorder) -> SlackClient:
    return make_client("xoxb-test", slack.api_url)


@pytest.fixture
def payload() -> Iterator[Callable[[str], dict[str, Any]]]:
    folder = Path(__file__).parent / "payloads"

    def load(name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        return loaded

    yield load


@pytest.fixture
def mention() -> Mention:
    return Mention(
        team=TEAM,
        channel="C0LAN2Q65",
        user="U061F7AUR",
        ts="1700000000.000200",
        thread_ts="1700000000.000200",
        place=Place.CHANNEL,
        text="how many days?",
    )


@pytest.fixture
def answer() -> Answer:
    return Answer(
        verdict=Verdict.ANSWERED,
        sentences=(
            Sentence("Everybody gets 30 days of leave a year.", (1,)),
            Sentence("Ask your manager two weeks before.", (1, 2)),
        ),
        citations=(
            Citation(
                1,
                "Leave policy",
                "https://handbook.example.com/leave#days",
                "Every employee is entitled to 30 days of leave a year.",
                before="Days.",
                after="Days that are left expire in March.",
                heading="Days of leave",
                page=3,
                updated_at=datetime(2026, 11, 1, tzinfo=UTC),
            ),
            Citation(2, "Asking for leave", "", "Ask your manager at least two weeks before."),
        ),
        model="some-model",
    )
