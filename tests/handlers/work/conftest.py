"""The state table of a laptop, on a clock that only the test moves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.adapters.sqlite_store import SqliteStore
from tests.doubles.clocks import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state.sqlite", clock=clock)
    yield opened
    await opened.close()
