"""A search is as new as the bucket and asks it only once; what is read ahead never leaks."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from index.audience import Audience, Principal
from index.errors import IndexMissing, IndexUnavailable
from index.lance import LanceIndex
from index.lance_kept import KeptRows, named
from index.lance_newest import read_newest
from index.lance_reading import Reading
from index.ports import Candidate
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.object_storage import ObjectStorage, running_object_storage
from tests.doubles.slow_storage import Request, SlowStorage, slowed

ROOT = Path(__file__).resolve().parents[2]
EMBEDDER = HashingEmbedder()
GROUPS = [Principal("group", str(number)) for number in range(50)]
EVERY_GROUP = Audience.of(GROUPS)
PERSON = Principal("user", "one")
ROWS_A_DOCUMENT = 10


@dataclass
class Scripted:
    """A handle whose table is committed to while it is read, as often as ``commits`` says."""

    commits: list[int]
    held: int = 1
    newest: int = 1
    asked: int = 0
    read: list[int] = field(default_factory=list)

    async def version(self) -> int:
        return self.held

    async def checkout_latest(self) -> None:
        self.asked += 1
        self.newest += self.commits.pop(0) if self.commits else 0
        await asyncio.sleep(0)
        self.held = self.newest

    async def rows(self) -> int:
        self.read.append(self.held)
        return self.read[-1]

    async def nothing(self) -> None:
        return None


@pytest.mark.parametrize(
    ("commits", "read"), [([], [1]), ([1], [1, 2]), ([2, 1], [1, 3, 4]), ([1, 1, 1], [1, 2, 3])]
)
async def test_what_was_read_before_a_commit_was_seen_is_read_again(
    commits: list[int], read: list[int]
) -> None:
    table = Scripted(commits)
    found = await read_newest(
        table,
        table.rows,
        held=table.version,
        is_whole=lambda rows: True,
        catch_up=table.nothing,
    )
    assert table.read == read
    assert found == read[-1]
    assert table.asked == len(read)


async def test_rows_of_two_versions_are_read_again() -> None:
    table = Scripted([])
    answers = iter(["torn", "whole"])

    async def rows() -> str:
        return next(answers)

    found = await read_newest(
        table,
        rows,
        held=table.version,
        is_whole=lambda rows: rows == "whole",
        catch_up=table.nothing,
    )
    assert found == "whole"


async def test_another_table_of_the_same_version_is_read_again() -> None:
    table = Scripted([0])
    made = iter(["first", "second", "second"])
    now = "first"

    async def name() -> str:
        nonlocal now
        now = next(made)
        return now

    async def rows() -> str:
        return now

    found = await read_newest(
        table, rows, held=name, is_whole=lambda rows: True, catch_up=table.nothing
    )
    assert found == "second"


class Emptied:
    """A handle on a table of whose indexes the engine can keep nothing."""

    class Words:
        name = "keywords"

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def list_indices(self) -> list[Words]:
        return [self.Words()]

    async def count_rows(self) -> int:
        return 0

    async def prewarm_index(self, name: str) -> None:
        self.asked.append(name)
        raise RuntimeError("lance error: FTS prewarm completed without posting state")


async def test_a_search_does_not_fail_for_what_was_to_be_fetched_for_the_next_one() -> None:
    table = Emptied()
    await Reading().fetch_ahead(table)
    assert table.asked == ["keywords"]


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as started:
        yield started


@pytest.fixture(scope="module")
def uri(storage: ObjectStorage) -> str:
    """An index large enough for every kind of index, with rights of 50 groups."""
    place = storage.new_uri()

    async def build() -> None:
        rng = random.Random(3)
        words = [f"word{number}" for number in range(400)]
        async with opened(place, storage) as index:
            await index.stage(
                [
                    entry(
                        EMBEDDER,
                        f"d{number}",
                        *(" ".join(rng.choices(words, k=12)) for _ in range(ROWS_A_DOCUMENT)),
                        readers=frozenset(one.id for one in rng.sample(GROUPS, 2)),
                    )
                    for number in range(520)
                ]
            )
            await index.commit()
            await index.maintain(force=True)

    asyncio.run(build())
    return place


@pytest.fixture
def far(storage: ObjectStorage) -> Iterator[SlowStorage]:
    with slowed(storage, read=0.002, write=0.002) as proxy:
        yield proxy


class opened:
    """An index that is closed at the end."""

    def __init__(self, place: str, storage: ObjectStorage) -> None:
        self.index = LanceIndex(
            place,
            embedder=EMBEDDER.name,
            dimensions=EMBEDDER.dimensions,
            storage_options=storage.storage_options | {"client_max_retries": "0"},
        )

    async def __aenter__(self) -> LanceIndex:
        return self.index

    async def __aexit__(self, *_: object) -> None:
        await self.index.close()


async def ask(index: LanceIndex, text: str, audience: Audience = EVERY_GROUP) -> list[str]:
    found = await index.search(EMBEDDER.embed_query(text), text, audience, 20)
    return [one.chunk.text for one in found]


def asks_for_version(request: Request) -> bool:
    return "_versions" in request.path and "list-type" in request.path


async def test_a_warm_search_asks_for_the_version_and_for_nothing_else(
    uri: str, far: SlowStorage
) -> None:
    async with opened(uri, far.storage) as cold, opened(uri, far.storage) as warm:
        await warm.warm()
        far.taken()
        assert await ask(warm, "word1 word2")
        # Rows are there; of the index of words is read what the question needs.
        assert not any("/data/" in request.path for request in far.taken())
        assert warm._reading._loading is not None
        await warm._reading._loading
        for text in ("word1 word2", "word3 word4"):
            expected = await ask(cold, text)
            far.taken()
            assert await ask(warm, text) == expected
            [request] = far.taken()
            assert asks_for_version(request)


async def test_neighbours_cost_a_warm_index_no_request_and_a_cold_one_a_few(
    uri: str, far: SlowStorage
) -> None:
    async with opened(uri, far.storage) as cold, opened(uri, far.storage) as warm:
        await warm.warm()
        vector = EMBEDDER.embed_query("word1")
        [best, *_] = await warm.search(vector, "word1", EVERY_GROUP, 5)
        document, ordinal = best.chunk.document_id, best.chunk.ordinal
        places = [(document, ordinal + 1), (document, ordinal - 1)]
        far.taken()
        found = await warm.at(places, vector, EVERY_GROUP)
        assert far.taken() == []
        assert found
        await ask(cold, "word1")
        far.taken()
        assert set(map(_chunk_id, await cold.at(places, vector, EVERY_GROUP))) == set(
            map(_chunk_id, found)
        )
        assert far.taken()


async def test_a_table_too_large_for_memory_is_opened_and_only_who_may_read_is_fetched(
    uri: str, far: SlowStorage
) -> None:
    async with opened(uri, far.storage) as whole, opened(uri, far.storage) as large:
        large._reading = Reading(at_once_rows=100, kept_rows=100)
        await whole.warm()
        far.passed()
        await large.warm()
        assert large._reading._opening is not None
        await large._reading._opening
        opening = far.passed()
        expected = await ask(whole, "word1 word2")
        far.passed()
        assert await ask(large, "word1 word2") == expected
        later = {one.kind for one in far.passed()}
    names = {one.kind.removeprefix("GET index ") for one in opening}
    assert {"bitmap_page_lookup.lance", "part_0_tokens.lance", "auxiliary.idx"} <= names
    assert "GET index part_0_invert.lance" in later
    assert not {"GET index bitmap_page_lookup.lance", "GET index part_0_tokens.lance"} & later


async def test_rows_that_are_read_are_the_candidates_that_rows_in_memory_are(
    uri: str, far: SlowStorage
) -> None:
    async with opened(uri, far.storage) as kept, opened(uri, far.storage) as cold:
        await kept.warm()
        for text in ("word1", "word1 word2 word3", "nothing of this"):
            asked = EMBEDDER.embed_query(text), text, EVERY_GROUP
            for limit in (1, 3, 20):
                read = await cold.search(*asked, limit)
                assert read == await kept.search(*asked, limit)
                assert all(0.0 <= one.coverage <= 1.0 for one in read)


async def test_a_large_table_is_fetched_once_the_first_search_is_done(
    uri: str, far: SlowStorage
) -> None:
    async with opened(uri, far.storage) as index:
        index._reading = Reading(at_once_rows=100)
        await index.warm()
        assert index._reading._loading is None
        expected = await ask(index, "word1 word2")
        assert index._reading._loading is not None
        await index._reading._loading
        far.taken()
        assert await ask(index, "word1 word2") == expected
        [request] = far.taken()
        assert asks_for_version(request)
        vector = EMBEDDER.embed_query("word1")
        found = await index.search(vector, "word1", EVERY_GROUP, 5)
        place = found[0].chunk.document_id, found[0].chunk.ordinal
        far.taken()
        [again] = await index.at([place], vector, EVERY_GROUP)
        assert again.chunk == found[0].chunk
        assert far.taken() == []


def _chunk_id(candidate: Candidate) -> str:
    return candidate.chunk.id


class BrokenOnce:
    """A real handle on a table, over a connection that dies while the index of words is fetched."""

    def __init__(self, table: Any) -> None:
        self._table, self.tried = table, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    async def prewarm_index(self, name: str) -> None:
        if name == "keywords":
            self.tried += 1
            if self.tried == 1:
                raise OSError("connection reset")
        await self._table.prewarm_index(name)


async def test_an_index_that_could_not_be_fetched_is_fetched_after_a_later_search(
    uri: str, far: SlowStorage
) -> None:
    async with opened(uri, far.storage) as index:

        async def load(real: Any) -> None:
            table, reading = BrokenOnce(real), Reading()
            await reading.warm(table)
            for tries in (1, 2, 2):
                reading._loaded_at = float("-inf")
                reading._complete_soon(table, await named(table))
                assert reading._loading is not None
                await reading._loading
                assert table.tried == tries
            await reading.close()

        await index._handle.use(load)


async def test_rows_in_memory_are_used_for_their_own_version_only(
    storage: ObjectStorage, far: SlowStorage
) -> None:
    place = storage.new_uri()
    async with opened(place, storage) as writer, opened(place, far.storage) as reader:
        for turn in range(5):
            await writer.stage([entry(EMBEDDER, "page", f"word1 in state {turn}")])
            await writer.commit()
            # Warm for every second state, and so with rows of an older one for the others.
            if turn % 2 == 0:
                await reader.warm()
            assert await ask(reader, "word1", Audience.everyone()) == [f"word1 in state {turn}"]


async def test_rows_are_kept_again_in_the_background_after_a_commit(
    uri: str, far: SlowStorage
) -> None:
    async with opened(uri, far.storage) as index:
        await index.warm()
        index._reading._kept = None
        index._reading._loaded_at = float("-inf")
        far.taken()
        assert await ask(index, "word1 word2")
        assert len(far.taken()) > 1
        loading = index._reading._loading
        assert loading is not None
        await loading
        far.taken()
        assert await ask(index, "word1 word2")
        assert len(far.taken()) == 1


async def test_an_index_made_anew_with_as_many_versions_is_another_index(
    storage: ObjectStorage,
) -> None:
    place = storage.new_uri()
    async with opened(place, storage) as warm:

        async def sync_anew(text: str, readers: frozenset[str]) -> int:
            async with opened(place, storage) as writer:
                await writer.stage([entry(EMBEDDER, "page", text, readers=readers)])
                return await writer.commit()

        old = await sync_anew("word1 for one person", frozenset({PERSON.id}))
        await warm.warm()
        room = Audience.of([PERSON])
        assert await ask(warm, "word1", room) == ["word1 for one person"]
        client = storage.client()
        prefix = place.removeprefix(f"s3://{storage.bucket}/")
        listed = client.list_objects_v2(Bucket=storage.bucket, Prefix=prefix)["Contents"]
        for one in listed:
            client.delete_object(Bucket=storage.bucket, Key=one["Key"])
        assert await sync_anew("word1 for nobody", frozenset({GROUPS[0].id})) == old
        assert await ask(warm, "word1", room) == []
        assert await ask(warm, "word1") == ["word1 for nobody"]
        client.close()


@pytest.mark.parametrize("numbers", [[3, 1, 2], [7]])
def test_rows_in_memory_are_found_by_their_numbers(numbers: list[int]) -> None:
    rows = pa.table({"text": [f"row {n}" for n in (9, 1, 3, 2)], "_rowid": ids([9, 1, 3, 2])})
    kept = KeptRows.sorted((frozenset({"index"}), 1), [rows[:1], rows[1:]])
    found = kept.numbered(np.array(numbers, np.uint64))
    if numbers == [7]:
        assert found is None
        return
    assert found is not None
    assert found.to_pydict() == {"text": ["row 3", "row 1", "row 2"]}


def ids(numbers: list[int]) -> pa.Array:
    return pa.array(numbers, pa.uint64())


async def test_a_warm_up_of_nothing_leaves_a_usable_index(
    storage: ObjectStorage, far: SlowStorage
) -> None:
    async with opened(storage.new_uri(), far.storage) as index:
        await index.warm()
        with pytest.raises(IndexMissing):
            await ask(index, "word1")
        await index.stage([entry(EMBEDDER, "a", "word1", readers=frozenset({GROUPS[0].id}))])
        await index.commit()
        await index.warm()
        assert await ask(index, "word1") == ["word1"]


async def test_rows_are_not_served_when_nobody_can_tell_that_they_are_the_newest(
    uri: str, far: SlowStorage
) -> None:
    async with opened(uri, far.storage) as index:
        await index.warm()
        assert await ask(index, "word1")
        far.refuse = asks_for_version
        with pytest.raises(IndexUnavailable):
            await ask(index, "word1")
        far.refuse = lambda request: False
        assert await ask(index, "word1")


async def test_no_search_shows_what_was_revoked_before_it_began(
    storage: ObjectStorage, far: SlowStorage
) -> None:
    place = storage.new_uri()
    secret = frozenset({PERSON.id})
    room = Audience.of([PERSON])
    async with opened(place, storage) as writer, opened(place, far.storage) as reader:
        shown = hidden = 0
        for turn in range(12):
            await writer.stage([entry(EMBEDDER, "page", "word1 here", readers=secret)])
            await writer.commit()
            if turn % 3 == 0:
                await reader.warm()
            assert await ask(reader, "word1", room) == ["word1 here"]
            searches = [asyncio.create_task(ask(reader, "word1", room)) for _ in range(3)]
            if turn % 2:
                await writer.stage([entry(EMBEDDER, "page", "word1 here")])
                await writer.commit()
            else:
                ref = entry(EMBEDDER, "page").document.ref
                await writer.remove([ref.id])
            for later in await asyncio.gather(*(ask(reader, "word1", room) for _ in range(4))):
                hidden += 1
                assert later == []
            shown += sum(map(len, await asyncio.gather(*searches)))
        assert hidden == 48
        assert shown > 0


FENCED: list[tuple[str, Callable[[LanceIndex], object]]] = [
    ("commit", lambda index: index.commit()),
    ("remove", lambda index: index.remove([entry(EMBEDDER, "kept").document.ref.id])),
    ("maintain", lambda index: index.maintain(force=True)),
]


@pytest.mark.parametrize(("name", "change"), FENCED)
async def test_a_writer_that_is_told_to_stop_changes_nothing(
    tmp_path: Path, name: str, change: Callable[[LanceIndex], "asyncio.Future[object]"]
) -> None:
    place = str(tmp_path / "index")
    stop = False

    async def ask_first() -> None:
        if stop:
            raise PermissionError("the lease is lost")

    index = LanceIndex(
        place,
        embedder=EMBEDDER.name,
        dimensions=EMBEDDER.dimensions,
        before_change=ask_first,
    )
    await index.stage([entry(EMBEDDER, "kept", "word1")])
    version = await index.commit()
    await index.stage([entry(EMBEDDER, "new", "word2")])
    stop = True
    with pytest.raises(PermissionError):
        await change(index)
    assert await index.version() == version
    assert await index.documents() == 1
    stop = False
    await index.commit()
    assert await index.documents() == 2
    await index.close()


WITHOUT_CLIENT = """
import asyncio, sys
from index.lance_import import PACKAGE, spare_rest_client
spare_rest_client()
from index.audience import Audience
from index.lance import LanceIndex
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder

async def main():
    embedder = HashingEmbedder()
    index = LanceIndex(sys.argv[1], embedder=embedder.name, dimensions=embedder.dimensions)
    await index.stage([entry(embedder, "a", "one two")])
    await index.commit()
    await index.maintain(force=True)
    await index.warm()
    found = await index.search(embedder.embed_query("one"), "one", Audience.everyone(), 5)
    assert [one.chunk.text for one in found] == ["one two"]
    await index.close()

asyncio.run(main())
print(sorted(name for name in sys.modules if name.startswith(PACKAGE + ".api")))
"""


def test_the_engine_works_without_the_client_of_its_rest_catalogue(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_CLIENT, str(tmp_path / "index")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
