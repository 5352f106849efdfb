"""What every StateStore promises, checked on SQLite and on DynamoDB over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from handlers.adapters.aws import make_client
from handlers.adapters.dynamodb import DynamoStore
from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.claims import Claim, Claims, Done, Held
from handlers.work.errors import StoreUnavailable
from handlers.work.ports import ListedStore
from handlers.work.values import MAX_KEY_BYTES, MAX_VALUE_BYTES
from tests.doubles.aws import Aws, client_options, running_aws
from tests.doubles.clocks import ManualClock

DAY = 24 * 3600.0


@dataclass
class Bench:
    """Two processes' views of the same items, under one clock, and a store that cannot answer."""

    store: ListedStore
    other: ListedStore
    broken: ListedStore
    clock: ManualClock


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture(scope="module")
def nowhere() -> Iterator[DynamoDBClient]:
    client = make_client("dynamodb", client_options("http://127.0.0.1:9"))
    yield client
    client.close()


@pytest.fixture(params=["sqlite", "dynamodb"])
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, aws: Aws, nowhere: DynamoDBClient
) -> AsyncIterator[Bench]:
    clock = ManualClock()
    if request.param == "dynamodb":
        table = aws.new_table()
        dynamo = [DynamoStore(table, aws.dynamodb, clock=clock) for _ in range(2)]
        yield Bench(dynamo[0], dynamo[1], DynamoStore(table, nowhere, clock=clock), clock)
        return
    path = tmp_path / "state.sqlite"
    sqlite = [SqliteStore(path, clock=clock) for _ in range(2)]
    (tmp_path / "a-file").write_text("")
    yield Bench(sqlite[0], sqlite[1], SqliteStore(tmp_path / "a-file" / "state.sqlite"), clock)
    for store in sqlite:
        await store.close()


async def test_what_was_put_is_read_back_unchanged_by_everybody(bench: Bench) -> None:
    value = {"text": "naïve ☃ \ud83d", "number": 0.1, "list": [1, None, {"deep": True}], "": ""}
    await bench.store.put("a key/with:odd 'signs'", value, DAY)
    item = await bench.other.get("a key/with:odd 'signs'")
    assert item is not None
    assert item.value == value


async def test_an_absent_key_is_none(bench: Bench) -> None:
    assert await bench.store.get("nothing") is None


async def test_keys_are_listed_by_how_they_begin_but_for_those_past_their_time(
    bench: Bench,
) -> None:
    for key in ("vote:1", "vote:ü", "vote", "votes:1", "other", "vote:%"):
        await bench.store.put(key, {}, DAY)
    await bench.store.put("vote:short", {}, 10)
    bench.clock.advance(11)
    assert sorted(await bench.other.keys("vote:")) == ["vote:%", "vote:1", "vote:ü"]
    with pytest.raises(StoreUnavailable):
        await bench.broken.keys("vote:")


async def test_more_keys_than_one_answer_holds_are_listed(bench: Bench) -> None:
    for number in range(12):
        await bench.store.put(f"vote:{number}", {"text": "x" * 200_000}, DAY)
    assert len(await bench.other.keys("vote:")) == 12


async def test_put_overwrites_and_changes_the_revision(bench: Bench) -> None:
    await bench.store.put("k", {"n": 1}, DAY)
    first = await bench.store.get("k")
    await bench.store.put("k", {"n": 1}, DAY)
    second = await bench.store.get("k")
    assert first is not None
    assert second is not None
    assert first.revision != second.revision


async def test_only_the_first_put_if_absent_writes(bench: Bench) -> None:
    revision = await bench.store.put_if_absent("k", {"n": 1}, DAY)
    assert await bench.other.put_if_absent("k", {"n": 2}, DAY) is None
    item = await bench.store.get("k")
    assert item is not None
    assert (item.value, item.revision) == ({"n": 1}, revision)


async def test_an_item_past_its_time_counts_as_absent_everywhere(bench: Bench) -> None:
    await bench.store.put("k", {"n": 1}, 10)
    item = await bench.store.get("k")
    assert item is not None
    bench.clock.advance(9)
    assert await bench.store.get("k") is not None
    bench.clock.advance(1)
    assert await bench.store.get("k") is None
    assert await bench.store.replace("k", {"n": 2}, DAY, item.revision) is None
    assert not await bench.store.delete("k")
    assert not await bench.store.delete("k", item.revision)
    assert await bench.store.put_if_absent("k", {"n": 3}, DAY)
    again = await bench.store.get("k")
    assert again is not None
    assert again.value == {"n": 3}


async def test_replace_needs_the_current_revision(bench: Bench) -> None:
    first = await bench.store.put_if_absent("k", {"n": 1}, DAY)
    assert first
    second = await bench.store.replace("k", {"n": 2}, DAY, first)
    assert second
    assert await bench.other.replace("k", {"n": 3}, DAY, first) is None
    item = await bench.other.get("k")
    assert item is not None
    assert (item.value, item.revision) == ({"n": 2}, second)


async def test_replace_never_creates(bench: Bench) -> None:
    assert await bench.store.replace("k", {"n": 1}, DAY, "made-up") is None
    assert await bench.store.get("k") is None


async def test_replace_starts_the_time_to_live_again(bench: Bench) -> None:
    revision = await bench.store.put_if_absent("k", {}, 10)
    assert revision
    bench.clock.advance(8)
    assert await bench.store.replace("k", {}, 10, revision)
    bench.clock.advance(8)
    assert await bench.store.get("k") is not None


async def test_delete_needs_the_current_revision_if_one_is_named(bench: Bench) -> None:
    first = await bench.store.put_if_absent("k", {"n": 1}, DAY)
    assert first
    second = await bench.store.replace("k", {"n": 2}, DAY, first)
    assert not await bench.other.delete("k", first)
    assert await bench.store.get("k") is not None
    assert await bench.other.delete("k", second)
    assert await bench.store.get("k") is None


async def test_delete_tells_whether_something_was_there(bench: Bench) -> None:
    await bench.store.put("k", {}, DAY)
    assert await bench.store.delete("k")
    assert not await bench.store.delete("k")


async def test_a_key_that_was_deleted_comes_back_with_a_new_revision(bench: Bench) -> None:
    old = await bench.store.put_if_absent("k", {}, DAY)
    assert old
    await bench.store.delete("k")
    await bench.store.put("k", {}, DAY)
    assert await bench.store.replace("k", {"stale": True}, DAY, old) is None


async def test_of_many_concurrent_writers_one_wins_each_time(bench: Bench) -> None:
    stores = [bench.store, bench.other] * 4
    created = await asyncio.gather(
        *(store.put_if_absent("k", {"by": n}, DAY) for n, store in enumerate(stores))
    )
    [winner] = [revision for revision in created if revision]
    replaced = await asyncio.gather(
        *(store.replace("k", {"by": n}, DAY, winner) for n, store in enumerate(stores))
    )
    assert len([revision for revision in replaced if revision]) == 1


@pytest.mark.parametrize("ttl", [0, -1, float("inf"), float("nan")])
async def test_a_time_to_live_is_positive_and_finite(bench: Bench, ttl: float) -> None:
    with pytest.raises(ValueError, match="time to live"):
        await bench.store.put("k", {}, ttl)


async def test_limits_of_keys_and_values_are_the_same_everywhere(bench: Bench) -> None:
    largest = {"v": "x" * (MAX_VALUE_BYTES - 8)}
    await bench.store.put("k" * MAX_KEY_BYTES, largest, DAY)
    item = await bench.other.get("k" * MAX_KEY_BYTES)
    assert item is not None
    assert item.value == largest
    with pytest.raises(ValueError, match="stored value"):
        await bench.store.put("k", {"v": "x" * MAX_VALUE_BYTES}, DAY)
    for key in ("", "k" * (MAX_KEY_BYTES + 1), "\ud800"):
        with pytest.raises(ValueError):
            await bench.store.get(key)
    with pytest.raises(ValueError):
        await bench.store.put("k", {"v": float("nan")}, DAY)


async def test_a_store_that_does_not_answer_says_so_in_a_sentence(bench: Bench) -> None:
    for call in (
        bench.broken.get("k"),
        bench.broken.put("k", {}, DAY),
        bench.broken.put_if_absent("k", {}, DAY),
        bench.broken.replace("k", {}, DAY, "r"),
        bench.broken.delete("k"),
    ):
        with pytest.raises(StoreUnavailable) as raised:
            await call
        assert str(raised.value).endswith(".")
        assert raised.value.retryable


async def test_of_eight_takers_at_once_exactly_one_gets_the_claim(bench: Bench) -> None:
    takers = [Claims(s, lease_seconds=60, clock=bench.clock) for s in (bench.store, bench.other)]
    taken = await asyncio.gather(*(taker.take("job") for taker in takers * 4))
    assert len([t for t in taken if isinstance(t, Claim)]) == 1
    assert len([t for t in taken if isinstance(t, Held)]) == 7


async def test_of_eight_who_take_over_a_lapsed_lease_exactly_one_gets_it(bench: Bench) -> None:
    takers = [Claims(s, lease_seconds=60, clock=bench.clock) for s in (bench.store, bench.other)]
    first = await takers[0].take("job")
    assert isinstance(first, Claim)
    await first.note({"ts": ["1.2"]})
    bench.clock.advance(61)
    taken = await asyncio.gather(*(taker.take("job") for taker in takers * 4))
    [successor] = [t for t in taken if isinstance(t, Claim)]
    assert successor.taken_over
    assert successor.notes == {"ts": ["1.2"]}
    await successor.done({"answer": "1.2"})
    assert await takers[1].take("job") == Done({"answer": "1.2"})
