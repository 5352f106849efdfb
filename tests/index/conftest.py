"""Real indexes on a folder and on S3, and entries to fill them with."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from index.lance import LanceIndex
from tests.doubles.hashing_embedder import HashingEmbedder


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
async def open_index(
    tmp_path: Path, embedder: HashingEmbedder
) -> AsyncIterator[Callable[[], LanceIndex]]:
    """Open the index of this test, as often as asked: each handle is another process's view."""
    opened: list[LanceIndex] = []

    def open_one() -> LanceIndex:
        index = LanceIndex(
            str(tmp_path / "index"), embedder=embedder.name, dimensions=embedder.dimensions
        )
        opened.append(index)
        return index

    yield open_one
    for index in opened:
        await index.close()


@pytest.fixture
async def index(open_index: Callable[[], LanceIndex]) -> LanceIndex:
    return open_index()
