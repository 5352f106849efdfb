"""A sync that is killed anywhere, and a second one, leave what one that nobody killed would.

A real process, on a folder and on a real S3 server, dies by SIGKILL: at whatever it does to the
index and its sources, and right before and right after each of its writes arrives in the bucket.
"""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.object_storage import ObjectStorage, running_object_storage
from tests.doubles.slow_storage import Request, SlowStorage, slowed
from tests.doubles.stored_rows import Rows, stored_rows
from tests.doubles.syncing_process import Work, bring_in_step, sources, started

SEEDS = (1, 2, 3, 4, 5)
READS = ("GET", "HEAD")


@dataclass(frozen=True)
class Story:
    """An index in state 1 at ``begins``, and the rows that a sync of state 2 makes of it."""

    begins: str
    before: Rows
    after: Rows


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as started:
        yield started


@pytest.fixture(scope="module")
def bucket(storage: ObjectStorage) -> Iterator[SlowStorage]:
    with slowed(storage, read=0, write=0) as proxy:
        yield proxy


async def brought(work: Work) -> None:
    made = sources(work.seed, work.state, work.documents)
    await bring_in_step(work.uri, work.options, made, parser=work.parser, shared=work.shared)


async def story(work: Work, copy: Any) -> Story:
    """Make state 1, and find out what becomes of it when nobody is killed."""
    if work.state == 2:
        await brought(replace(work, state=1, parser="text-1"))
    ends = copy(work.uri)
    await brought(replace(work, uri=ends))
    return Story(
        work.uri, await stored_rows(work.uri, work.options), await stored_rows(ends, work.options)
    )


async def judged(work: Work, told: Story) -> None:
    """Look at what a killed process left, sync again, and look again."""
    left = documents(await stored_rows(work.uri, work.options))
    whole = [documents(told.before), documents(told.after)]
    for document, rows in left.items():
        assert rows in [states.get(document) for states in whole], "half a document"
    await brought(work)
    again = await stored_rows(work.uri, work.options)
    ids = [row["id"] for row in again]
    assert len(ids) == len(set(ids)), "duplicates"
    assert again == told.after


def documents(rows: Rows) -> dict[object, Rows]:
    by_document: dict[object, Rows] = defaultdict(list)
    for row in rows:
        by_document[row["doc_id"]].append(row)
    return by_document


def killed_at(work: Work) -> bool:
    """Run the process; tell whether it was killed, and not done before."""
    process, ends = started(work)
    process.join(100)
    assert process.exitcode in (0, -9), process.exitcode
    ends.close()
    return process.exitcode == -9


async def check_folder(
    tmp_path: Path,
    seed: int,
    documents: int,
    every: int,
    *,
    parser: str = "text-1",
    shared: bool = False,
) -> int:
    """Kill at every n-th thing that the process does; return how often it was killed."""
    places = count()

    def copy(place: str) -> str:
        return str(shutil.copytree(place, tmp_path / f"index-{next(places)}"))

    work = Work(str(tmp_path / "begins"), None, seed, 2, documents, parser)
    told = await story(work, copy)
    for kills, dies_at in enumerate(count(1, every)):
        one = replace(work, uri=copy(told.begins), dies_at=dies_at, shared=shared)
        if not await asyncio.to_thread(killed_at, one):
            return kills
        await judged(replace(one, dies_at=0), told)
        assert not [path for path in (tmp_path / "staged").rglob("*") if path.is_file()]
        shutil.rmtree(one.uri)
    raise AssertionError("count does not end")


async def check_bucket(
    storage: ObjectStorage,
    bucket: SlowStorage,
    seed: int,
    documents: int,
    every: int,
    *,
    parser: str = "text-1",
    state: int = 2,
) -> int:
    """Kill before and after every n-th write to the bucket; return how often that was."""

    def copy(place: str) -> str:
        return copied(storage, place)

    work = Work(storage.new_uri(), storage.storage_options, seed, state, documents, parser)
    told = await story(work, copy)
    for kills, point in enumerate(count(0, every)):
        number, arrives = divmod(point, 2)
        one = replace(work, uri=copy(told.begins))
        if not await asyncio.to_thread(killed_at_write, one, bucket, number + 1, bool(arrives)):
            return kills
        await judged(one, told)
    raise AssertionError("count does not end")


def killed_at_write(work: Work, bucket: SlowStorage, number: int, arrives: bool) -> bool:
    """Run the process through the proxy, which kills it at one of its writes."""
    writes = count(1)
    numbers: dict[Request, int] = {}

    def before(request: Request) -> bool:
        if request.method not in READS:
            numbers[request] = next(writes)
            if numbers[request] == number and not arrives:
                process.kill()
                return True
        return False

    async def after(request: Request) -> None:
        if numbers.get(request) == number and arrives:
            process.kill()

    bucket.refuse, bucket.done = before, after
    process, ends = started(replace(work, options=bucket.storage.storage_options))
    process.join(100)
    bucket.refuse, bucket.done = (lambda request: False), None
    ends.close()
    assert process.exitcode in (0, -9), process.exitcode
    return process.exitcode == -9


def copied(storage: ObjectStorage, place: str) -> str:
    """Copy all objects of an index to a place of their own."""
    client, to = storage.client(), storage.new_uri()
    begin, end = (uri.removeprefix(f"s3://{storage.bucket}/") for uri in (place, to))
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=storage.bucket, Prefix=begin)
    for one in (one for page in pages for one in page.get("Contents", [])):
        client.copy_object(
            Bucket=storage.bucket,
            Key=end + one["Key"].removeprefix(begin),
            CopySource={"Bucket": storage.bucket, "Key": one["Key"]},
        )
    client.close()
    return to


async def test_a_sync_that_is_killed_in_a_folder_is_completed_by_the_next(tmp_path: Path) -> None:
    assert await check_folder(tmp_path, seed=1, documents=40, every=5) >= 3


async def test_a_sync_that_others_prepare_is_completed_by_the_next_wherever_it_is_killed(
    tmp_path: Path,
) -> None:
    assert await check_folder(tmp_path, seed=4, documents=40, every=17, shared=True) >= 3


async def test_a_sync_that_is_killed_at_a_write_to_the_bucket_is_completed_by_the_next(
    storage: ObjectStorage, bucket: SlowStorage
) -> None:
    assert await check_bucket(storage, bucket, seed=1, documents=40, every=15) >= 3


async def test_a_new_recipe_whose_sync_is_killed_is_completed_by_the_next(
    storage: ObjectStorage, bucket: SlowStorage
) -> None:
    kills = await check_bucket(storage, bucket, seed=2, documents=40, every=21, parser="text-2")
    assert kills >= 3


async def test_a_first_sync_that_is_killed_is_completed_by_the_next(
    storage: ObjectStorage, bucket: SlowStorage
) -> None:
    assert await check_bucket(storage, bucket, seed=3, documents=20, every=7, state=1) >= 3


@pytest.mark.soak
@pytest.mark.timeout(7200)
async def test_a_first_sync_that_is_killed_at_any_write_is_completed_by_the_next(
    storage: ObjectStorage, bucket: SlowStorage
) -> None:
    assert await check_bucket(storage, bucket, seed=3, documents=60, every=1, state=1) >= 30


@pytest.mark.soak
@pytest.mark.timeout(7200)
async def test_a_new_recipe_that_is_killed_at_any_write_is_completed_by_the_next(
    storage: ObjectStorage, bucket: SlowStorage
) -> None:
    kills = await check_bucket(storage, bucket, seed=2, documents=60, every=1, parser="text-2")
    assert kills >= 50


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_sync_that_is_killed_at_any_step_is_completed_by_the_next(
    tmp_path: Path, seed: int
) -> None:
    assert await check_folder(tmp_path, seed, documents=160, every=1) >= 30


@pytest.mark.soak
@pytest.mark.timeout(7200)
async def test_a_sync_that_others_prepare_is_completed_wherever_it_is_killed(
    tmp_path: Path,
) -> None:
    kills = await check_folder(tmp_path, seed=5, documents=80, every=1, shared=True)
    assert kills >= 30


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_sync_that_is_killed_at_any_write_is_completed_by_the_next(
    storage: ObjectStorage, bucket: SlowStorage, seed: int
) -> None:
    assert await check_bucket(storage, bucket, seed, documents=160, every=1) >= 50
