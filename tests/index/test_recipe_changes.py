"""Another recipe builds another index beside the old one, which answers until that is complete."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import lancedb
import pytest

from index.audience import Audience, Principal
from index.errors import EmbedderMismatch, SuspiciousDeletion
from index.lance import TABLE, LanceIndex
from index.lance_rows import table_schema
from index.lance_tables import Tables
from index.sync import SyncReport, sync
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser
from tests.doubles.stored_rows import stored_rows

OLD, NEW = TextParser("text-1"), TextParser("text-2")
EMBEDDER, OTHER = HashingEmbedder(), HashingEmbedder(32, "other-words-1")
HOUR = 3_600

Open = Callable[..., LanceIndex]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return str(tmp_path / "index")


@pytest.fixture
async def opened(uri: str) -> AsyncIterator[Open]:
    """Open the index, as often as asked: each handle is another process's view."""
    indexes: list[LanceIndex] = []

    def open_one(embedder: HashingEmbedder = EMBEDDER) -> LanceIndex:
        index = LanceIndex(
            uri,
            embedder=embedder.name,
            dimensions=embedder.dimensions,
            before_change=lambda: asyncio.sleep(0),
        )
        indexes.append(index)
        return index

    yield open_one
    for index in indexes:
        await index.close()


def source(name: str = "docs", count: int = 6) -> MemorySource:
    pages = {f"{n}.txt": f"Page {n}\n\n{name} says word{n}" for n in range(count)}
    return MemorySource(pages, name=name)


async def texts(index: LanceIndex, embedder: HashingEmbedder = EMBEDDER) -> list[str]:
    vector = embedder.embed_query("says")
    found = await index.search(vector, "says", Audience.everyone(), 100)
    return sorted(one.chunk.text.rpartition("\n")[2] for one in found)


async def run(
    index: LanceIndex,
    place: MemorySource,
    parser: TextParser = OLD,
    embedder: HashingEmbedder = EMBEDDER,
    **options: object,
) -> SyncReport:
    return await sync(place, parser, embedder, index, **options)  # type: ignore[arg-type]


async def tables(uri: str, later: float = 0.0) -> Tables:
    connection = await lancedb.connect_async(uri)
    return Tables(
        uri,
        lambda: asyncio.sleep(0, connection),
        first=TABLE,
        clock=lambda: time.time() + later,
    )


async def test_another_parser_makes_a_new_index_that_warm_readers_follow_at_once(
    opened: Open, uri: str
) -> None:
    place = source()
    await run(opened(), place)
    reader = opened()
    await reader.warm()
    before = await texts(reader)
    report = await run(opened(), place, NEW)
    assert (report.added, report.unchanged, report.awaited) == (6, 0, ())
    assert (report.chunks_embedded, report.chunks_reused) == (0, 6), "the vectors fit still"
    assert await texts(reader) == before
    place.pages["0.txt"] = "Page 0\n\ndocs says another thing"
    await run(opened(), place, NEW)
    assert "docs says another thing" in await texts(reader)
    assert len(await (await tables(uri)).names()) == 2


async def test_the_old_index_answers_until_every_source_was_brought_in(
    opened: Open, uri: str
) -> None:
    places = [source(name) for name in ("docs", "wiki", "notes")]
    for place in places:
        await run(opened(), place)
    reader, writer = opened(), opened()
    everything = await texts(reader)
    for number, place in enumerate(places[:2]):
        report = await run(writer, place, NEW)
        assert report.awaited == tuple(sorted(one.name for one in places[number + 1 :]))
        assert await texts(reader) == everything
    # Another process goes on, and finds what was brought in.
    last = opened()
    again = await run(last, places[0], NEW)
    assert (again.unchanged, again.chunks_embedded, again.awaited) == (6, 0, ("notes",))
    assert (await run(last, places[2], NEW)).awaited == ()
    assert await texts(reader) == everything
    assert {row["fingerprint"] for row in await stored_rows(uri)} == {
        fingerprint
        for place in places
        for fingerprint in (await last.fingerprints(place.name)).values()
    }


async def test_a_source_that_left_the_catalog_holds_up_nothing(opened: Open) -> None:
    for name in ("docs", "gone"):
        await run(opened(), source(name))
    report = await run(opened(), source("docs"), NEW, catalog=["docs"])
    assert report.awaited == ()
    assert all(text.startswith("docs") for text in await texts(opened()))


async def test_another_embedder_answers_when_it_is_complete_and_the_old_one_until_then(
    opened: Open,
) -> None:
    places = [source("docs"), source("wiki")]
    for place in places:
        await run(opened(), place)
    before = await texts(opened())
    report = await run(opened(OTHER), places[0], embedder=OTHER)
    assert (report.awaited, report.chunks_embedded) == (("wiki",), 6)
    assert await texts(opened()) == before
    with pytest.raises(EmbedderMismatch):
        await texts(opened(OTHER), OTHER)
    old = opened()
    assert await texts(old) == before
    await run(opened(OTHER), places[1], embedder=OTHER)
    assert await texts(opened(OTHER), OTHER) == before
    with pytest.raises(EmbedderMismatch):
        await texts(old)


async def test_what_is_deleted_or_changed_meanwhile_is_not_quoted_by_the_old_index(
    opened: Open,
) -> None:
    docs, wiki = source("docs"), source("wiki")
    for place in (docs, wiki):
        await run(opened(), place)
    del docs.pages["0.txt"]
    docs.pages["1.txt"] = "Page 1\n\ndocs says what is new"
    docs.pages["new.txt"] = "Page new\n\ndocs says more"
    reader, writer = opened(), opened()
    await run(writer, docs, NEW)
    ours = [text for text in await texts(reader) if text.startswith("docs")]
    assert ours == [f"docs says word{n}" for n in range(2, 6)]
    wiki.readers = frozenset({Principal("group", "team").id})
    await run(writer, wiki, NEW)
    now = await texts(reader)
    assert len(now) == 6
    assert "docs says what is new" in now and "docs says more" in now


async def test_a_lost_listing_is_refused_before_the_old_index_loses_anything(opened: Open) -> None:
    place = source(count=30)
    await run(opened(), place)
    place.pages = {}
    with pytest.raises(SuspiciousDeletion, match="30 of 30"):
        await run(opened(), place, NEW)
    assert len(await texts(opened())) == 30


async def test_an_index_from_before_recipes_were_written_down_is_rebuilt_by_the_next_sync(
    opened: Open, uri: str
) -> None:
    connection = await lancedb.connect_async(uri)
    schema = table_schema(EMBEDDER.name, EMBEDDER.dimensions)
    bare = schema.with_metadata({b"footnote.embedder": EMBEDDER.name.encode()})
    await connection.create_table(TABLE, schema=bare)
    index = opened()
    await index.stage([entry(EMBEDDER, "1.txt", "docs says word1", source="docs")])
    await index.commit()
    assert await texts(index) == ["docs says word1"]
    assert (await run(index, source())).added == 6
    assert len(await texts(index)) == 6


async def test_an_index_that_nobody_builds_any_more_is_dropped_and_so_is_an_old_one(
    opened: Open, uri: str
) -> None:
    docs, wiki = source("docs"), source("wiki")
    for place in (docs, wiki):
        await run(opened(), place)
    await run(opened(), docs, NEW)
    assert (await run(opened(), docs)).unchanged == 6, "the old recipe came back"
    begun, answering = await (await tables(uri)).names()
    await (await tables(uri)).drop_old(None)
    await (await tables(uri, 2 * HOUR)).drop_old(begun)
    assert await (await tables(uri)).names() == [begun, answering]
    await (await tables(uri, 2 * HOUR)).drop_old(None)
    assert await (await tables(uri)).names() == [answering]
    reader = opened()
    assert len(await texts(reader)) == 12
    for place in (docs, wiki):
        await run(opened(), place, NEW)
    await (await tables(uri)).drop_old(None)
    assert len(await (await tables(uri)).names()) == 2, "somebody may still be reading it"
    await (await tables(uri, 2 * HOUR)).drop_old(None)
    assert len(await (await tables(uri)).names()) == 1
    assert len(await texts(reader)) == 12, "a reader that slept meanwhile opens the new one"


async def test_versions_only_grow_when_another_index_takes_over(opened: Open) -> None:
    place = source()
    before = (await run(opened(), place)).index_version
    after = (await run(opened(), place, NEW)).index_version
    assert after > before + 100_000
    assert (await run(opened(), place, TextParser("text-3"))).index_version > after + 100_000


async def test_a_source_that_is_no_longer_wanted_is_named_and_removed(opened: Open) -> None:
    index = opened()
    assert await index.held() == {}
    for place in (source("docs"), source("wiki", 2)):
        await run(index, place)
    assert await index.held() == {"docs": 6, "wiki": 2}
    await index.remove_source("docs")
    assert await index.held() == {"wiki": 2}
    assert all(text.startswith("wiki") for text in await texts(opened()))
