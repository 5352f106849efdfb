"""A recording stands only for the very words that were sent, the examples among them."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from handlers.adapters.openai_model import OpenAIModel
from handlers.answering.ports import Message, TextDelta
from tests.benchmarks.real_model.recorded import RecordedModel
from tests.doubles.scripted_model import ScriptedModel, Streams

ASKED = [Message("system", "Be brief."), Message("user", "How many days of vacation?")]
EXAMPLES = [Message("user", "When does the bus leave?"), Message("assistant", "At 8:15. [1]")]


async def said(server: ScriptedModel, file: Path, examples: Sequence[Message] = ()) -> str:
    endpoint = OpenAIModel(model="scripted", api_key="", base_url=server.base_url)
    model = RecordedModel(endpoint, file, examples)
    deadline = asyncio.get_running_loop().time() + 30
    try:
        events = [event async for event in model.stream(ASKED, deadline=deadline)]
    finally:
        await model.aclose()
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_a_recording_with_examples_is_not_played_without_them(tmp_path: Path) -> None:
    file = tmp_path / "replies.json"
    async with ScriptedModel(Streams(["with"]), Streams(["without"])) as server:
        assert await said(server, file, EXAMPLES) == "with"
        assert await said(server, file) == "without"
        assert [len(request.messages) for request in server.requests] == [4, 2]
    assert len(json.loads(file.read_text("utf-8"))) == 2


async def test_the_same_words_are_asked_once(tmp_path: Path) -> None:
    file = tmp_path / "replies.json"
    async with ScriptedModel(Streams(["28 days"])) as server:
        for _ in range(2):
            assert await said(server, file, EXAMPLES) == "28 days"
