"""A worker opens whether or not its index can be reached; the question then says what is wrong."""

import logging
import socket
from pathlib import Path

import pytest

from handlers.runtime import wiring
from handlers.runtime.settings import Settings
from index.audience import Audience
from index.errors import IndexMissing, IndexUnavailable

MODELS = Path(__file__).resolve().parents[3] / "build" / "models"


async def test_storage_that_is_away_keeps_no_worker_from_opening(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
    settings = Settings.load(
        {
            "FOOTNOTE_HOME": str(tmp_path),
            "FOOTNOTE_MODELS": str(MODELS),
            "FOOTNOTE_INDEX": "s3://bucket/index",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
    )
    with caplog.at_level(logging.WARNING):
        async with wiring.warm_index(settings) as (embedder, index):
            vector = embedder.embed_query("anything")
            with pytest.raises(IndexUnavailable):
                await index.search(vector, "anything", Audience.everyone(), 5)
    assert "could not be warmed" in caplog.text


async def test_a_worker_opens_before_anything_was_synced(tmp_path: Path) -> None:
    settings = Settings.load({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_MODELS": str(MODELS)})
    async with wiring.warm_index(settings) as (embedder, index):
        vector = embedder.embed_query("anything")
        with pytest.raises(IndexMissing):
            await index.search(vector, "anything", Audience.everyone(), 5)
