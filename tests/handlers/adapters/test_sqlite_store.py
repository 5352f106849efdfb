"""The laptop's state table, where it differs from DynamoDB: it is a file."""

import os
import sqlite3
from pathlib import Path

import pytest

from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.errors import StoreUnavailable
from handlers.work.jobs import SyncJob
from tests.doubles.clocks import ManualClock


async def test_nothing_is_touched_before_the_first_call(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "home" / "state.sqlite")
    assert os.listdir(tmp_path) == []


async def test_queue_and_state_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    queue, store = SqliteQueue(path), SqliteStore(path)
    await queue.put(SyncJob(source="files"))
    await store.put("k", {"n": 1}, 60)
    assert (await queue.counts()).waiting == 1
    assert await store.get("k") is not None
    await queue.close()
    await store.close()
    assert os.listdir(tmp_path) == ["state.sqlite"]


async def test_every_commit_is_synced_to_the_disk(tmp_path: Path) -> None:
    # 2 is FULL: with NORMAL a power cut takes back what was accepted.
    store = SqliteStore(tmp_path / "state.sqlite")
    await store.put("k", {}, 60)
    pragmas = await store._file.run(
        lambda db: [
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
        ]
    )
    assert pragmas == [2, "wal"]
    await store.close()


async def test_items_past_their_time_leave_the_file(tmp_path: Path) -> None:
    clock = ManualClock()
    store = SqliteStore(tmp_path / "state.sqlite", clock=clock)
    for n in range(20):
        await store.put(f"old {n}", {"n": n}, 10)
    clock.advance(11)
    await store.put("new", {}, 10)
    assert await store._file.run(
        lambda db: db.execute("SELECT count(*) FROM items").fetchone()
    ) == (1,)
    await store.close()


async def test_a_damaged_item_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.sqlite")
    await store.put("k", {}, 60)
    with sqlite3.connect(tmp_path / "state.sqlite") as db:
        db.execute("UPDATE items SET value = '[1, 2'")
    db.close()
    with pytest.raises(StoreUnavailable, match="damaged item"):
        await store.get("k")
    await store.close()
