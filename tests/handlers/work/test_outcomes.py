"""Every event ends in exactly one recorded outcome."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.conversation import Ending, Outcome, Verdict
from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.outcomes import read, record

ANSWERED = Outcome(Ending.ANSWERED, verdict=Verdict.PARTLY, seconds=1.25)
FAILED = Outcome(Ending.FAILED, reason="model-unavailable")
DEFERRED = Outcome(Ending.DEFERRED, reason="held")


async def test_an_outcome_is_read_back_as_it_was_recorded(store: SqliteStore) -> None:
    assert await read(store, "job") is None
    assert await record(store, "job", ANSWERED)
    assert await read(store, "job") == ANSWERED


async def test_the_first_ending_stands(store: SqliteStore) -> None:
    assert await record(store, "job", ANSWERED)
    assert not await record(store, "job", FAILED)
    assert not await record(store, "job", DEFERRED)
    assert await read(store, "job") == ANSWERED


async def test_later_gives_way_to_an_ending_and_only_once(store: SqliteStore) -> None:
    assert await record(store, "job", DEFERRED)
    assert not await record(store, "job", DEFERRED)
    assert await record(store, "job", FAILED)
    assert not await record(store, "job", ANSWERED)
    assert await read(store, "job") == FAILED


@pytest.mark.parametrize("before", [None, DEFERRED])
async def test_of_many_endings_at_once_one_counts(
    store: SqliteStore, before: Outcome | None
) -> None:
    if before is not None:
        await record(store, "job", before)
    counted = await asyncio.gather(*(record(store, "job", o) for o in [ANSWERED, FAILED] * 4))
    assert counted.count(True) == 1


@pytest.mark.parametrize("reason", ["What somebody asked?", "two words", "x" * 65, "Ünïcode"])
async def test_nothing_but_a_machine_word_gets_into_a_record(
    store: SqliteStore, tmp_path: Path, reason: str
) -> None:
    with pytest.raises(ValueError, match="machine word"):
        await record(store, "job", Outcome(Ending.DECLINED, reason))
    assert await read(store, "job") is None


async def test_jobs_do_not_share_an_outcome_with_each_other_or_with_claims(
    store: SqliteStore, tmp_path: Path
) -> None:
    await record(store, "a", ANSWERED)
    assert await read(store, "b") is None
    with sqlite3.connect(tmp_path / "state.sqlite") as db:
        assert db.execute("SELECT key FROM items").fetchall() == [("outcome:a",)]
    db.close()
