"""What is remembered of the syncs of an index and of its sources."""

from pathlib import Path

from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.syncs import (
    MOST_CHARACTERS,
    MOST_SKIPPED,
    SourceHealth,
    health_of,
    last_sync,
    note_health,
    note_sync,
)


async def test_health_comes_back_as_it_was_noted_one_source_apart_from_another(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "state.sqlite")
    well = SourceHealth(9.0, 8.0, "", 3, 1, (("a.pdf", "It is locked."),), ("A page failed.",))
    await note_health(store, "s3://b/index", "wiki", well)
    away = SourceHealth(5.0, reason="It is away.")
    await note_health(store, "s3://b/index", "files", away)
    await note_sync(store, "s3://b/index", 4.0)
    assert await health_of(store, "s3://b/index", "wiki") == well
    assert await health_of(store, "s3://b/index", "files") == SourceHealth(
        5.0, reason="It is away."
    )
    assert await health_of(store, "s3://c/index", "wiki") is None
    assert await last_sync(store, "s3://b/index") == 4.0
    await store.close()


async def test_what_is_remembered_of_thousands_of_skipped_documents_is_bounded(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "state.sqlite")
    skipped = tuple((f"{'x' * 2000}{n}", "y" * 9000) for n in range(5000))
    await note_health(store, "i", "wiki", SourceHealth(1.0, 1.0, "z" * 9000, 0, 5000, skipped))
    health = await health_of(store, "i", "wiki")
    assert health is not None and health.skipped == 5000
    assert len(health.named) == MOST_SKIPPED
    assert len(health.reason) == len(health.named[0][1]) == MOST_CHARACTERS
    await store.close()
