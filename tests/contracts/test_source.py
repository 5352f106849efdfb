"""What every Source promises, wherever its documents come from."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from index.documents import DocumentRef
from index.errors import DocumentUnreadable
from index.parsing import DocumentParser
from index.ports import Source
from index.sources.files import FolderSource
from index.sources.judged import JudgedSet
from tests.doubles.memory_source import MemorySource

Pages = dict[str, str]


@dataclass
class Place:
    """A place whose documents a test may replace; ``open`` gives a fresh source on it."""

    fill: Callable[[Pages], None]
    open: Callable[[], Source]


def folder_place(root: Path) -> Place:
    def fill(pages: Pages) -> None:
        for old in root.glob("*.txt"):
            old.unlink()
        for location, text in pages.items():
            (root / location).write_text(text, "utf-8")

    return Place(fill, lambda: FolderSource(root))


def judged_place(root: Path) -> Place:
    def fill(pages: Pages) -> None:
        rows = [json.dumps({"id": i, "title": i, "text": text}) for i, text in pages.items()]
        (root / "corpus.jsonl").write_text("\n".join(rows), "utf-8")
        (root / "queries.jsonl").write_text('{"id": "q", "text": "?"}', "utf-8")
        first = next(iter(pages))
        (root / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\nq\t{first}\t1\n", "utf-8")

    return Place(fill, lambda: JudgedSet.load(root).source())


def memory_place(root: Path) -> Place:
    held: Pages = {}

    def fill(pages: Pages) -> None:
        held.clear()
        held.update(pages)

    return Place(fill, lambda: MemorySource(dict(held)))


PLACES = {"folder": folder_place, "judged set": judged_place, "memory double": memory_place}
PAGES = {"a leave.txt": "Twenty days.", "b größe.txt": "Ça va? 東京", "c #1?.txt": "x = {1}"}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    place: Place = PLACES[request.param](tmp_path)
    place.fill(PAGES)
    return place


async def refs(source: Source) -> dict[str, DocumentRef]:
    return {ref.location: ref async for ref in source.list()}


async def test_it_lists_each_document_once_under_its_own_name(place: Place) -> None:
    source = place.open()
    listed = [ref async for ref in source.list()]
    assert sorted(ref.location for ref in listed) == sorted(PAGES)
    assert {ref.source for ref in listed} == {source.name}
    assert len({ref.id for ref in listed}) == len(PAGES)


async def test_a_version_changes_exactly_when_the_content_does(place: Place) -> None:
    before = await refs(place.open())
    assert await refs(place.open()) == before
    place.fill(PAGES | {"a leave.txt": "Thirty days."})
    after = await refs(place.open())
    assert after["a leave.txt"].version != before["a leave.txt"].version
    assert after["a leave.txt"].id == before["a leave.txt"].id
    assert after["b größe.txt"] == before["b größe.txt"]


async def test_what_was_listed_can_be_fetched_and_read(place: Place) -> None:
    source = place.open()
    for location, ref in (await refs(source)).items():
        raw = await source.fetch(ref)
        assert raw.ref == ref and raw.readers
        assert DocumentParser().parse(raw).text == PAGES[location]
        assert raw.updated_at is None or raw.updated_at.utcoffset() == timedelta(0)


async def test_a_document_that_is_not_there_is_unreadable_not_fatal(place: Place) -> None:
    source = place.open()
    if isinstance(source, MemorySource):
        source.unreadable.add("gone.txt")
    with pytest.raises(DocumentUnreadable, match=r"\.$"):
        await source.fetch(DocumentRef(source.name, "gone.txt", "1"))
