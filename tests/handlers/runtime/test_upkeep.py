"""Runs of the schedule: one at a time, ended in time, and honest about what they left undone."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from handlers.adapters.sqlite_store import SqliteStore
from handlers.runtime.commands import sync_sources
from handlers.runtime.settings import Settings
from handlers.runtime.upkeep import (
    BUSY,
    MARGIN_SECONDS,
    OUT_OF_TIME,
    maintain_in_time,
    seconds_left,
    sync_in_time,
    write_index,
)
from handlers.runtime.wiring import query_embedder, state_path
from handlers.work.claims import Claim, Claims
from handlers.work.errors import ClaimLost
from handlers.work.writer import writer_key
from index.lance import LanceIndex
from index.sync import SyncReport
from tests.doubles.hashing_embedder import HashingEmbedder

MODELS = Path(__file__).resolve().parents[3] / "build" / "models"
PAGES = {"one.md": "# Holidays\n\nThirty days a year.", "two.md": "# Travel\n\nBook by train."}


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name, text in PAGES.items():
        (docs / name).write_text(text, encoding="utf-8")
    yield Settings.load(
        {
            "FOOTNOTE_HOME": str(tmp_path / "home"),
            "FOOTNOTE_DOCS": str(docs),
            "FOOTNOTE_MODELS": str(MODELS),
        }
    )


@asynccontextmanager
async def another_writer(settings: Settings) -> AsyncIterator[Claim]:
    store = SqliteStore(state_path(settings))
    claim = await Claims(store, lease_seconds=60).take(writer_key(settings.index))
    assert isinstance(claim, Claim)
    yield claim
    await claim.release()
    await store.close()


def is_there(settings: Settings) -> bool:
    return Path(settings.index).exists()


async def test_a_sync_leaves_an_index_alone_that_another_process_writes(
    settings: Settings,
) -> None:
    async with another_writer(settings):
        report = await sync_in_time(settings, seconds=None)
    assert (report["complete"], report["reason"], report["sources"]) == (False, BUSY, [])
    assert not is_there(settings)


async def test_a_sync_without_time_left_says_so_and_the_next_one_goes_on(
    settings: Settings,
) -> None:
    seen: list[SyncReport] = []
    late = await sync_in_time(settings, seconds=0, observe=seen.append)
    assert (late["complete"], late["reason"]) == (False, OUT_OF_TIME)
    assert late["sources"] == seen == []
    report = await sync_in_time(settings, seconds=60, observe=seen.append)
    assert report["complete"]
    assert [one["added"] for one in report["sources"]] == [len(PAGES)]
    assert [one.added for one in seen] == [len(PAGES)]


async def test_maintenance_tells_what_it_did_and_waits_its_turn(settings: Settings) -> None:
    await sync_in_time(settings, seconds=None)
    async with another_writer(settings):
        busy = await maintain_in_time(settings, force=True, seconds=None)
    assert busy == {"complete": False, "reason": BUSY}
    report = await maintain_in_time(settings, force=True, seconds=60)
    assert report["complete"]
    assert report["index_version"] >= report["version_before"] > 0
    assert report["chunks"] >= len(PAGES)


async def test_a_run_whose_place_was_taken_ends_with_a_report(settings: Settings) -> None:
    embedder = HashingEmbedder()

    async def work(index: LanceIndex) -> None:
        store = SqliteStore(state_path(settings))
        await store.put(f"claim:{writer_key(settings.index)}", {"state": "held"}, 60)
        await store.close()
        await index.maintain(force=True)

    with pytest.raises(ClaimLost):
        await write_index(settings, embedder, work)


async def test_the_command_line_follows_a_writer_that_was_killed(settings: Settings) -> None:
    store = SqliteStore(state_path(settings))
    dead = await Claims(store, lease_seconds=1.0).take(writer_key(settings.index))
    assert isinstance(dead, Claim)
    (synced,) = await sync_sources(settings, quiet=True)
    assert synced.report is not None and synced.report.added == len(PAGES)
    await store.close()


def test_a_run_ends_a_margin_before_lambda_would_end_it() -> None:
    class Invocation:
        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    assert seconds_left(Invocation()) == 900 - MARGIN_SECONDS
    assert seconds_left(None) is None


async def test_the_model_that_answers_can_maintain_what_the_other_one_indexed(
    settings: Settings,
) -> None:
    await sync_in_time(settings, seconds=None)
    assert query_embedder(settings).name == "all-MiniLM-L6-v2"
    assert (await maintain_in_time(settings, force=False, seconds=None))["complete"]
