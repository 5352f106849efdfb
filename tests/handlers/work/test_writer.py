"""One writer of an index at a time, whatever becomes of the others."""

import asyncio
from pathlib import Path

import pytest

from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.claims import Claim, Claims
from handlers.work.errors import ClaimLost
from handlers.work.writer import Fence, WriterBusy, Writers, writer_key
from tests.doubles.clocks import ManualClock

PLACE = "s3://bucket/index"
LEASE = 20.0


@pytest.fixture
def writers(store: SqliteStore, clock: ManualClock) -> Writers:
    return Writers(store, lease_seconds=LEASE, clock=clock)


async def wrote(fence: Fence) -> str:
    await fence()
    return "written"


async def test_a_second_writer_is_turned_away_and_told_how_long_the_lease_is(
    writers: Writers,
) -> None:
    async def work(fence: Fence) -> str:
        with pytest.raises(WriterBusy) as busy:
            await writers.alone(PLACE, wrote)
        assert busy.value.retryable
        assert busy.value.seconds == LEASE
        return await wrote(fence)

    assert await writers.alone(PLACE, work) == "written"


async def test_the_index_is_free_at_once_when_a_writer_has_ended_well_or_badly(
    writers: Writers,
) -> None:
    async def fail(fence: Fence) -> None:
        raise KeyError("own")

    assert await writers.alone(PLACE, wrote) == "written"
    with pytest.raises(KeyError):
        await writers.alone(PLACE, fail)
    assert await writers.alone(PLACE, wrote) == "written"


async def test_a_writer_that_is_cancelled_gives_the_index_back(writers: Writers) -> None:
    began = asyncio.Event()

    async def work(fence: Fence) -> None:
        began.set()
        await asyncio.sleep(60)

    writing = asyncio.create_task(writers.alone(PLACE, work))
    await began.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await writers.alone(PLACE, wrote) == "written"


async def test_writers_of_two_indexes_do_not_wait_for_each_other(writers: Writers) -> None:
    async def work(fence: Fence) -> str:
        return await writers.alone("s3://bucket/other", wrote)

    assert await writers.alone(PLACE, work) == "written"


async def test_whoever_has_patience_follows_a_writer_that_was_killed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.sqlite")
    dead = await Claims(store, lease_seconds=0.3).take(writer_key(PLACE))
    assert isinstance(dead, Claim)
    writers = Writers(store, lease_seconds=0.3)
    with pytest.raises(WriterBusy):
        await writers.alone(PLACE, wrote)
    assert await writers.alone(PLACE, wrote, patience=10) == "written"
    await store.close()


async def test_a_writer_that_slept_through_its_lease_is_stopped_before_its_next_change(
    store: SqliteStore, clock: ManualClock
) -> None:
    # Renewals come late here, as they do when a machine was frozen: the fence has to hold alone.
    writers = Writers(store, lease_seconds=LEASE, clock=clock)
    changes: list[str] = []

    async def slow(fence: Fence) -> None:
        await fence()
        changes.append("slow, in time")
        clock.advance(LEASE)

        async def quick(fence: Fence) -> None:
            await fence()
            changes.append("quick")

        await writers.alone(PLACE, quick)
        await fence()
        changes.append("slow, too late")

    with pytest.raises(ClaimLost):
        await writers.alone(PLACE, slow)
    assert changes == ["slow, in time", "quick"]


async def test_a_writer_whose_renewal_fails_is_cancelled_in_the_middle_of_its_work(
    store: SqliteStore, clock: ManualClock
) -> None:
    writers = Writers(store, lease_seconds=0.3, clock=clock)
    finished = False

    async def slow(fence: Fence) -> None:
        nonlocal finished
        clock.advance(1)
        taken = await Claims(store, lease_seconds=60, clock=clock).take(writer_key(PLACE))
        assert isinstance(taken, Claim)
        await asyncio.sleep(30)
        finished = True

    with pytest.raises(ClaimLost):
        await writers.alone(PLACE, slow)
    assert not finished
    with pytest.raises(WriterBusy):
        await writers.alone(PLACE, wrote)


async def test_nothing_can_be_changed_with_the_fence_of_a_work_that_has_ended(
    writers: Writers,
) -> None:
    async def take_it_along(fence: Fence) -> Fence:
        return fence

    late = await writers.alone(PLACE, take_it_along)
    with pytest.raises(ClaimLost):
        await late()


def test_an_index_has_one_name_however_its_place_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    assert writer_key(str(folder)) == writer_key(f"{tmp_path}/other/../index/")
    assert writer_key("s3://bucket/index/") == writer_key("s3://bucket/index")
    assert writer_key("s3://bucket/index") != writer_key("s3://bucket/other")
