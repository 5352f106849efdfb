"""A workspace whose time only the test moves, and a real index."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground import Playground
from index.lance import LanceIndex
from tests.doubles.clocks import ManualClock
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.handlers.adapters.slack_workplace import TOKEN, Workplace


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Workplace]:
    clock, embedder = ManualClock(), HashingEmbedder()
    index = LanceIndex(
        str(tmp_path / "index"), embedder=embedder.name, dimensions=embedder.dimensions
    )
    async with Playground(signing_secret="s", bot_token=TOKEN, clock=clock) as slack:
        yield Workplace(slack, clock, tmp_path, index)
    await index.close()
