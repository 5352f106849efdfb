"""What stops agents: one switch for all, and Stop in a thread."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.adapters.sqlite_store import SqliteStore
from handlers.tools.switch import Switch, ThreadStops
from handlers.work.errors import StoreUnavailable
from handlers.work.jobs import AgentJob
from tests.doubles.clocks import ManualClock

YEAR = 365 * 24 * 3600.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "state.sqlite", clock=clock)
    yield made
    await made.close()


async def test_agents_run_until_somebody_stops_them_and_again_when_started(
    store: SqliteStore,
) -> None:
    switch, elsewhere = Switch(store), Switch(store)
    assert not await elsewhere.stopped()
    await switch.stop("U1")
    assert await elsewhere.stopped()
    await switch.start("U1")
    assert not await elsewhere.stopped()


async def test_time_alone_sets_nothing_going(store: SqliteStore, clock: ManualClock) -> None:
    await Switch(store, clock=clock).stop("U1")
    clock.advance(10 * YEAR)
    assert await Switch(store, clock=clock).stopped()


@pytest.mark.parametrize("value", [{}, {"stopped": None}, {"stopped": 0}, {"stopped": "no"}])
async def test_a_switch_that_cannot_be_understood_stops(
    store: SqliteStore, value: dict[str, object]
) -> None:
    await store.put("agents:switch", value, 60)
    assert await Switch(store).stopped()


async def test_a_switch_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    with pytest.raises(StoreUnavailable):
        await Switch(SqliteStore(tmp_path / "a-file" / "state.sqlite")).stopped()


async def test_stop_ends_the_runs_of_its_thread_that_had_begun(
    store: SqliteStore, clock: ManualClock
) -> None:
    stops = ThreadStops(store, clock=clock)
    run = AgentJob("T1", "C1", "U1", f"{clock() - 5:.6f}", "1.0", "channel")
    later = AgentJob("T1", "C1", "U1", f"{clock() + 5:.6f}", "1.0", "channel")
    elsewhere = [
        AgentJob("T2", "C1", "U1", run.ts, "1.0", "channel"),
        AgentJob("T1", "C2", "U1", run.ts, "1.0", "channel"),
        AgentJob("T1", "C1", "U1", run.ts, "2.0", "channel"),
    ]
    assert await stops.stopped_by(run) == ""
    await stops.stop("T1", "C1", "1.0", "U2")
    assert await stops.stopped_by(run) == "U2"
    assert [await stops.stopped_by(job) for job in (later, *elsewhere)] == [""] * 4


async def test_a_run_of_unknown_beginning_is_stopped_too(store: SqliteStore) -> None:
    stops = ThreadStops(store)
    await stops.stop("T1", "C1", "1.0", "")
    assert await stops.stopped_by(AgentJob("T1", "C1", "U1", "trigger", "1.0", "channel"))
