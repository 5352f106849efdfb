"""A large table holds each row once more as one value, and a search reads nothing else of it."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.audience import EVERYONE, Audience, Principal
from index.errors import WriterConflict
from index.lance import LanceIndex
from index.lance_beside import Beside, with_neighbours
from index.lance_packed import FIELDS, PACKED, Unpacked, packed
from index.lance_packing import FILLED, pack
from index.ports import Candidate
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.object_storage import ObjectStorage, running_object_storage
from tests.doubles.slow_storage import SlowStorage, slowed

EMBEDDER = HashingEmbedder()
EVERYBODY = Audience.everyone()
TEAM = Principal("group", "team")
LONG = " ".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(60))
QUESTION = "word3 text2"

ROW = {
    "id": "1" * 32,
    "doc_id": "2" * 32,
    "fingerprint": "f1",
    "source": "Häuser",
    "title": "Titel 😀",
    "url": "https://docs.example/a",
    "updated_at": datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=timezone(timedelta(hours=2))),
    "readers": ["3" * 32, "4" * 32],
    "heading_path": ["Outer", "in\x1fner"],
    "text": 'Zwei\nZeilen, "ümläut".',
    "start": 7,
    "end": 29,
    "page": None,
    "anchor": "inner",
    "ordinal": 3,
}
VECTOR = np.linspace(-1, 1, 8).astype(np.float16)


@pytest.mark.parametrize("moment", [ROW["updated_at"], datetime(1969, 7, 20, tzinfo=UTC), None])
def test_a_packed_row_comes_back_exactly_as_it_was(moment: datetime | None) -> None:
    row = ROW | {"updated_at": moment}
    value = packed(row, VECTOR, 9)
    unpacked = Unpacked.of(value, len(VECTOR))
    assert unpacked is not None
    assert (unpacked.row, unpacked.chunks, unpacked.place) == (row, 9, ("2" * 32, 3))
    assert np.frombuffer(value[:16], np.float16).tolist() == VECTOR.tolist()
    assert list(ROW) == list(FIELDS)


def test_a_row_that_is_too_long_is_a_value_of_the_same_size_without_fields() -> None:
    value = packed(ROW | {"text": LONG}, VECTOR, 9)
    assert len(value) == len(packed(ROW, VECTOR, 9))
    assert Unpacked.of(value, len(VECTOR)) is None
    assert Unpacked.of(None, len(VECTOR)) is None


def test_neighbours_are_looked_for_in_the_same_file_only() -> None:
    file = 1 << 32
    numbers = np.array([0, 5, file, file + 1], np.uint64)
    assert with_neighbours(numbers).tolist() == [0, 1, 4, 5, 6, file, file + 1, file + 2]


def row_at(document: str, ordinal: int) -> bytes:
    return packed(ROW | {"doc_id": document, "ordinal": ordinal}, VECTOR, 9)


def test_what_stands_beside_a_row_is_known_only_if_it_is_of_that_document_and_place() -> None:
    values = {4: row_at("a", 1), 5: row_at("a", 2), 6: row_at("a", 4), 9: row_at("b", 8)}
    found = {number: Unpacked.of(values[number], len(VECTOR)) for number in (5, 9)}
    beside = Beside("a version")
    beside.keep(values, {number: one for number, one in found.items() if one is not None})
    known = beside.at([("a", 1), ("a", 2), ("a", 3), ("b", 7), ("b", 9), ("c", 1)], len(VECTOR))
    assert {place: one and one.place for place, one in known.items()} == {
        ("a", 1): ("a", 1),
        ("a", 2): ("a", 2),
        # A document of nine chunks has no tenth.
        ("b", 9): None,
    }


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as storage:
        yield storage


@pytest.fixture
def far(storage: ObjectStorage) -> Iterator[SlowStorage]:
    with slowed(storage, read=0, write=0) as far:
        yield far


def opened(uri: str, storage: ObjectStorage | None = None) -> LanceIndex:
    """Open an index whose tables are large from 21 rows on."""

    async def before_change() -> None:
        return None

    index = LanceIndex(
        uri,
        embedder=EMBEDDER.name,
        dimensions=EMBEDDER.dimensions,
        storage_options=None if storage is None else storage.storage_options,
        before_change=before_change,
    )
    writing = index._changes.writing
    writing._indexes = replace(writing._indexes, packed_above=20)
    return index


def page(number: int, *more: str, readers: frozenset[str] = frozenset({EVERYONE.id})) -> Any:
    texts = [f"word{number} text{part} and some more" for part in range(5)]
    return entry(EMBEDDER, f"page {number}", *texts, *more, readers=readers)


async def filled(index: LanceIndex) -> LanceIndex:
    await index.stage([page(number) for number in range(8)])
    await index.stage([page(8, readers=frozenset({TEAM.id})), page(9, f"word3 {LONG}")])
    await index.commit()
    return index


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[LanceIndex]:
    index = await filled(opened(str(tmp_path / "index")))
    yield index
    await index.close()


async def searched(index: LanceIndex, limit: int = 6) -> list[Candidate]:
    vector = EMBEDDER.embed_query(QUESTION)
    return list(await index.search(vector, QUESTION, EVERYBODY, limit))


async def read_of(index: LanceIndex) -> dict[str, Candidate]:
    """Return everything, but for scores of words, which count a row twice that was moved.

    The order of rows decides the last bits of a cosine.
    """
    found = await searched(index, 60)
    return {
        one.chunk.id: replace(one, keyword=0.0, similarity=round(one.similarity, 5))
        for one in found
    }


async def names(index: LanceIndex) -> list[str]:
    schema = await index._handle.use(lambda table: table.schema())
    return list(schema.names)


async def without_value(index: LanceIndex) -> int:
    where = f"{PACKED} IS NULL"
    return int(await index._handle.use(lambda table: table.count_rows(where)))


async def test_a_table_that_has_grown_large_gets_the_column_and_is_read_as_before(
    index: LanceIndex,
) -> None:
    assert PACKED not in await names(index)
    await index.maintain(force=True)
    assert PACKED in await names(index)
    assert await without_value(index) == 0
    # What is kept in memory was read column by column.
    kept = opened(index._uri)
    await kept.warm()
    for limit in (2, 6, 60):
        assert await searched(index, limit) == await searched(kept, limit)
    assert len(await searched(index, 60)) == 46
    await kept.close()


async def test_a_small_table_gets_no_such_column(tmp_path: Path) -> None:
    index = opened(str(tmp_path / "index"))
    await index.stage([page(number) for number in range(4)])
    await index.commit()
    await index.maintain(force=True)
    assert PACKED not in await names(index)
    await index.close()


async def test_what_is_committed_later_has_its_value(index: LanceIndex) -> None:
    await index.maintain(force=True)
    await index.stage([page(11), page(3, "word3 text2 anew")])
    await index.commit()
    assert await without_value(index) == 0
    best = (await searched(index))[0]
    assert best.chunk.text == "word3 text2 anew"


async def test_filling_goes_on_where_it_ended(index: LanceIndex) -> None:
    await index.maintain(force=True)
    before = await read_of(index)

    async def emptied(table: Any) -> None:
        await table.update(updates_sql={PACKED: "NULL"}, where="ordinal < 2")
        await table.update_field_metadata({"path": PACKED, "metadata": {FILLED: None}})

    await index._handle.use(emptied)
    assert await without_value(index) == 20
    assert await read_of(index) == before
    await index.maintain(force=True)
    assert await without_value(index) == 0
    assert await read_of(index) == before


async def test_a_writer_that_was_overtaken_fills_nothing(index: LanceIndex) -> None:
    successor = opened(index._uri)
    await successor.stage([page(12)])
    await successor.commit()
    condition = index._changes.writing._fence.condition_of_target
    with pytest.raises(WriterConflict):
        await successor._handle.use(lambda table: pack(table, condition=condition))
    assert await without_value(successor) == await successor.count()
    await successor.close()


async def test_rows_and_what_stands_beside_them_are_read_at_once(
    storage: ObjectStorage, far: SlowStorage
) -> None:
    index = await filled(opened(storage.new_uri(), storage))
    await index.maintain(force=True)
    await index.close()
    reader = opened(index._uri, far.storage)
    vector = EMBEDDER.embed_query(QUESTION)
    best = (await searched(reader, 1))[0].chunk
    places = [(best.document_id, best.ordinal + step) for step in (1, -1)]
    far.taken()
    beside = await reader.at(places, vector, EVERYBODY)
    assert far.taken() == []
    assert sorted(one.chunk.ordinal for one in beside) == [best.ordinal - 1, best.ordinal + 1]
    assert {one.chunk.document_id for one in beside} == {best.document_id}
    # What lies there is shown to nobody who may not read it.
    assert await reader.at(places, vector, Audience.of([TEAM])) == []
    elsewhere = (page(7).document.ref.id, 0)
    assert [one.chunk.text for one in await reader.at([elsewhere], vector, EVERYBODY)]
    await reader.close()
