"""Random stories of proposals: what runs was approved as it was shown, and runs once."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from handlers.adapters.dynamodb import DynamoStore
from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.ports import StateStore
from tests.doubles.approval_trial import Trial, Wrong
from tests.doubles.aws import Aws, running_aws
from tests.doubles.clocks import ManualClock

SEEDS = (1, 2, 3, 4, 5)


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: half a million writes need not be on the disk."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as made:
        yield Path(made)


@pytest.fixture
async def files(folder: Path) -> AsyncIterator[tuple[list[StateStore], ManualClock]]:
    clock = ManualClock()
    stores = [SqliteStore(folder / "state.sqlite", clock=clock) for _ in range(3)]
    yield list(stores), clock
    for store in stores:
        await store.close()


async def played(
    stores: list[StateStore], clock: ManualClock, seed: int, trials: int
) -> Counter[str]:
    """Play so many stories; a failure names the one that fails, which can be played alone."""
    counts: Counter[str] = Counter()
    for number in range(trials):
        trial = Trial(stores, clock, seed * 1_000_000 + number)
        try:
            await trial.play()
        except Wrong as wrong:
            raise Wrong(f"Trial {seed * 1_000_000 + number}: {wrong}") from wrong
        counts.update(trial.counts)
    return counts


async def test_nothing_runs_wrongly_in_300_random_stories(
    files: tuple[list[StateStore], ManualClock],
) -> None:
    counts = await played(*files, seed=0, trials=300)
    assert counts["runs"] > 100
    assert counts["crowd"] > 3


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_runs_wrongly_in_10000_random_stories_on_sqlite(
    files: tuple[list[StateStore], ManualClock], seed: int
) -> None:
    counts = await played(*files, seed=seed, trials=2000)
    print(f"seed {seed}: {dict(counts)}")


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_runs_wrongly_in_500_random_stories_on_dynamodb(aws: Aws, seed: int) -> None:
    clock, table = ManualClock(), aws.new_table()
    stores = [DynamoStore(table, aws.dynamodb, clock=clock) for _ in range(3)]
    counts = await played(list(stores), clock, seed=seed, trials=100)
    print(f"seed {seed}: {dict(counts)}")
