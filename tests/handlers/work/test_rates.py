"""How often something may happen: never more than the rate, whoever counts, and remembered."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.adapters.dynamodb import DynamoStore
from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.errors import StoreUnavailable
from handlers.work.ports import StateStore
from handlers.work.rates import DAY, HOUR, Rate, Rates
from tests.doubles.aws import Aws, running_aws
from tests.doubles.clocks import ManualClock
from tests.doubles.losing_store import LosingStore


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


async def test_a_rate_lets_so_many_through_and_tells_when_the_next_one_may_come(
    store: SqliteStore, clock: ManualClock
) -> None:
    rates = Rates(store, [Rate(3, HOUR)], clock=clock)
    assert [await rates.take("k") for _ in range(3)] == [None] * 3
    spent = await rates.take("k")
    assert spent is not None and spent.rate == Rate(3, HOUR)
    assert HOUR <= spent.seconds <= HOUR * 25 / 24
    clock.advance(spent.seconds - 1)
    assert await rates.take("k") is not None
    clock.advance(1)
    assert [await rates.take("k") for _ in range(3)] == [None] * 3
    assert await rates.take("k") is not None


async def test_the_rate_that_frees_last_is_told(store: SqliteStore, clock: ManualClock) -> None:
    rates = Rates(store, [Rate(2, HOUR), Rate(3, DAY)], clock=clock)
    assert await rates.take("k") is None and await rates.take("k") is None
    spent = await rates.take("k")
    assert spent is not None and spent.rate.seconds == HOUR
    clock.advance(spent.seconds)
    assert await rates.take("k") is None
    spent = await rates.take("k")
    assert spent is not None and spent.rate.seconds == DAY
    assert DAY - 2 * HOUR < spent.seconds <= DAY


@pytest.mark.parametrize("seed", range(5))
async def test_no_stretch_of_time_has_more_than_its_rate_wherever_it_begins(
    store: SqliteStore, clock: ManualClock, seed: int
) -> None:
    chance = random.Random(seed)
    limits = [Rate(4, 100.0), Rate(9, 1000.0)]
    rates = Rates(store, limits, clock=clock)
    let_through: list[float] = []
    for _ in range(300):
        clock.advance(chance.choice([0, 0, 0, 1, 7, 30, 95, 101, 300]) * chance.random())
        if await rates.take("k") is None:
            let_through.append(clock())
    assert len(let_through) > 50
    for limit in limits:
        for began in let_through:
            during = sum(began <= at < began + limit.seconds for at in let_through)
            assert during <= limit.most


async def test_keys_are_counted_apart(store: SqliteStore, clock: ManualClock) -> None:
    rates = Rates(store, [Rate(1, HOUR)], clock=clock)
    assert await rates.take("ada") is None
    assert await rates.take("ada") is not None
    assert await rates.take("ben") is None


async def test_what_is_refused_is_not_counted(store: SqliteStore, clock: ManualClock) -> None:
    rates = Rates(store, [Rate(1, HOUR)], clock=clock)
    await rates.take("k")
    before = await store.get("k")
    for _ in range(5):
        clock.advance(60)
        await rates.take("k")
    assert await store.get("k") == before


async def test_a_restart_forgets_nothing(tmp_path: Path, clock: ManualClock) -> None:
    for expected in (True, True, False):
        store = SqliteStore(tmp_path / "state.sqlite", clock=clock)
        rates = Rates(store, [Rate(2, HOUR)], clock=clock)
        assert (await rates.take("k") is None) is expected
        await store.close()


async def at_once(stores: list[StateStore], clock: ManualClock, *, most: int, each: int) -> int:
    """Return how many were let through of those that came to every store at the same time."""
    several = [Rates(store, [Rate(most, HOUR)], clock=clock) for store in stores]
    came = await asyncio.gather(
        *(rates.take("k") for rates in several for _ in range(each)), return_exceptions=True
    )
    counts = Counter("through" if one is None else type(one).__name__ for one in came)
    assert set(counts) <= {"through", "Spent", "StoreUnavailable"}, counts
    return counts["through"]


async def test_processes_that_count_at_the_same_time_let_no_more_through(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "state.sqlite"
    stores: list[StateStore] = [SqliteStore(path, clock=clock) for _ in range(4)]
    assert await at_once(stores, clock, most=10, each=10) == 10
    for store in stores:
        assert isinstance(store, SqliteStore)
        await store.close()


async def test_on_dynamodb_as_well(aws: Aws, clock: ManualClock) -> None:
    table = aws.new_table()
    stores: list[StateStore] = [DynamoStore(table, aws.dynamodb, clock=clock) for _ in range(3)]
    assert await at_once(stores, clock, most=5, each=5) == 5


async def test_what_cannot_be_counted_does_not_happen(
    store: SqliteStore, clock: ManualClock
) -> None:
    lost = LosingStore(store, random.Random(1), loss=1.0)
    with pytest.raises(StoreUnavailable):
        await Rates(lost, [Rate(5, HOUR)], clock=clock).take("k")
    assert await Rates(lost, [], clock=clock).take("k") is None


async def test_an_answer_that_was_lost_counts_rather_than_being_free(
    store: SqliteStore, clock: ManualClock
) -> None:
    lossy = LosingStore(store, random.Random(7), loss=0.3)
    rates = Rates(lossy, [Rate(20, HOUR)], clock=clock)
    through = 0
    for _ in range(200):
        try:
            through += await rates.take("k") is None
        except StoreUnavailable:
            continue
    assert 0 < through <= 20


@pytest.mark.parametrize("rate", [Rate(0, HOUR), Rate(1, 0)])
def test_a_rate_that_lets_nothing_through_is_a_mistake(store: SqliteStore, rate: Rate) -> None:
    with pytest.raises(ValueError, match="rate"):
        Rates(store, [rate])
