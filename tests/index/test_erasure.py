"""What was deleted is gone from the next search, and after the clean-up from the stored bytes."""

import asyncio
import random
import string
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from index.audience import Audience
from index.lance import LanceIndex
from index.lance_erasure import moved
from index.sync import sync
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser
from tests.doubles.object_storage import ObjectStorage, running_object_storage
from tests.doubles.stored_rows import stored_rows

EMBEDDER = HashingEmbedder()
AT_ONCE = timedelta(milliseconds=1)

Objects = Callable[[], dict[str, bytes]]


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as started:
        yield started


@pytest.fixture(params=["folder", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[str, dict[str, str] | None, Objects]]:
    """An address for an index, what reaches it, and all that is stored there."""
    if request.param == "folder":
        root = tmp_path / "index"

        def files() -> dict[str, bytes]:
            return {str(one): one.read_bytes() for one in root.rglob("*") if one.is_file()}

        yield str(root), None, files
        return
    storage: ObjectStorage = request.getfixturevalue("storage")
    uri, client = storage.new_uri(), storage.client()
    prefix = uri.removeprefix(f"s3://{storage.bucket}/")

    def objects() -> dict[str, bytes]:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=storage.bucket, Prefix=prefix
        )
        keys = [one["Key"] for page in pages for one in page["Contents"]]
        return {
            key: client.get_object(Bucket=storage.bucket, Key=key)["Body"].read() for key in keys
        }

    yield uri, storage.storage_options, objects
    client.close()


def opened(uri: str, options: dict[str, str] | None) -> LanceIndex:
    return LanceIndex(
        uri,
        embedder=EMBEDDER.name,
        dimensions=EMBEDDER.dimensions,
        storage_options=options,
        before_change=lambda: asyncio.sleep(0),
    )


def pages(count: int, secret: str) -> dict[str, str]:
    rng = random.Random(5)
    words = ["".join(rng.choices(string.ascii_lowercase, k=7)) for _ in range(300)]
    made = {
        f"p{n:02}.txt": f"Page {n}\n\n" + " ".join(rng.choices(words, k=40)) for n in range(count)
    }
    return made | {"plan.txt": f"The plan {secret}\n\nOnly {secret} knows {secret}."}


async def texts(index: LanceIndex, question: str) -> list[str]:
    vector = EMBEDDER.embed_query(question)
    found = await index.search(vector, question, Audience.everyone(), 200)
    return [one.chunk.text for one in found]


@pytest.mark.parametrize("how", ["deleted", "edited"])
async def test_deleted_text_is_not_found_by_the_next_question_and_then_not_in_the_bytes(
    place: tuple[str, dict[str, str] | None, Objects], how: str
) -> None:
    uri, options, stored = place
    secret = "Xylobaquent"
    source = MemorySource(pages(30, secret))
    writer, reader = opened(uri, options), opened(uri, options)
    await sync(source, TextParser(), EMBEDDER, writer)
    await writer.maintain(force=True)
    assert any(secret in one for one in await texts(reader, secret))
    assert holding(stored(), secret), "the bytes do not show what this test looks for"
    if how == "deleted":
        del source.pages["plan.txt"]
    else:
        source.pages["plan.txt"] = "The plan\n\nNobody knows."
    await sync(source, TextParser(), EMBEDDER, writer)
    assert not any(secret in one for one in await texts(reader, secret))
    assert holding(stored(), secret), "an older version is kept for whoever reads it"
    rows = await stored_rows(uri, options)
    await writer.erase()
    assert holding(stored(), secret), "an older version is kept for an hour"
    assert await texts(reader, "page")
    await asyncio.sleep(0.01)
    await writer.erase(older_than=AT_ONCE)
    assert holding(stored(), secret) == []
    assert await stored_rows(uri, options) == rows
    assert await texts(reader, "page")
    await writer.close()
    await reader.close()


def holding(stored: dict[str, bytes], secret: str) -> list[str]:
    wanted = [form.encode() for form in (secret, secret.lower())]
    return [name for name, content in stored.items() if any(one in content for one in wanted)]


async def test_no_file_that_held_dropped_rows_or_their_words_outlives_the_erasure(
    tmp_path: Path,
) -> None:
    # Large files are compressed, so their bytes show nothing: they have to be other files.
    root = tmp_path / "index"
    index = opened(str(root), None)
    source = MemorySource(
        {f"p{n:03}.txt": f"Page {n}\n\n" + f"word{n} and others " * 60 for n in range(900)}
    )
    await sync(source, TextParser(), EMBEDDER, index)
    await index.maintain(force=True)
    await asyncio.sleep(0.01)
    await index.erase(older_than=AT_ONCE)
    [data] = held = [one for one in root.rglob("*.lance") if one.parent.name == "data"]
    del source.pages["p500.txt"]
    await sync(source, TextParser(), EMBEDDER, index)
    await index.maintain(force=True)
    assert data.exists(), "the engine leaves a file alone of which little was dropped"
    words = {one for one in root.rglob("*") if one.is_file() and "tokens" in one.name}
    await index.erase()
    await asyncio.sleep(0.01)
    await index.erase(older_than=AT_ONCE)
    assert not any(one.exists() for one in [*held, *words])
    assert await index.documents() == 899
    assert len(await texts(index, "word7")) > 1
    version = await index.version()
    await index.erase()
    assert await index.version() == version, "nothing was dropped since"
    await index.close()


async def test_maintenance_by_one_writer_after_another_leaves_an_erased_index_as_it_is(
    tmp_path: Path,
) -> None:
    source = MemorySource({f"p{n}.txt": f"Page {n}\n\nSome words." for n in range(3)})
    versions = []
    for pages_left in (3, 2, 2, 2):
        writer = opened(str(tmp_path / "index"), None)
        for gone in [f"p{n}.txt" for n in range(pages_left, 3)]:
            source.pages.pop(gone, None)
        await sync(source, TextParser(), EMBEDDER, writer)
        await writer.maintain()
        await writer.erase()
        versions.append(await writer.version())
        await writer.close()
    first, second, *others = versions
    assert second > first
    assert set(others) == {second}, "a version makes every reader fetch the rows again"


async def test_erasing_where_there_is_no_index_does_nothing(tmp_path: Path) -> None:
    index = opened(str(tmp_path / "index"), None)
    await index.erase()
    assert await index.version() == 0
    await index.close()


def test_files_with_dropped_rows_are_told_by_the_gaps_in_their_addresses() -> None:
    whole = np.arange(100, dtype=np.uint64)
    second = (np.uint64(1) << np.uint64(32)) + whole
    gap = np.delete(second, [3, 50])
    assert list(moved(np.concatenate([whole, gap]), 2)) == [(2**32, 2**32 + 12)]
    assert list(moved(np.concatenate([whole, second]), 0)) == []
    # Rows dropped from the end of the file show no gap.
    cut = np.concatenate([whole, second[:-5]])
    assert [first for first, _ in moved(cut, 5)] == [0, 2**32]
    assert list(moved(np.array([7], dtype=np.uint64), 9)) == [(7, 7)]
    for first, last in moved(gap, 2):
        assert last - first + 1 > 0.1 * 100
