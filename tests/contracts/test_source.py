"""What every Source promises, wherever its documents come from."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from index.documents import DocumentRef
from index.errors import DocumentUnreadable
from index.parsing import DocumentParser
from index.ports import Source
from index.sources.files import FolderSource
from index.sources.judged import JudgedSet
from tests.doubles.memory_source import MemorySource
from tests.doubles.web_sources import source_on
from tests.doubles.website import Page, Website

Pages = dict[str, str]


@dataclass
class Place:
    """A place whose documents a test may replace; ``open`` gives a fresh source on it."""

    fill: Callable[[Pages], None]
    open: Callable[[], Source]
    # Where a page lies in the words of the source, and what must run while it is asked.
    location: Callable[[str], str] = str
    serving: AbstractAsyncContextManager[object] = field(default_factory=nullcontext)


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


def web_place(root: Path) -> Place:
    site = Website()

    def path(name: str) -> str:
        return f"/{quote(name)}"

    def fill(pages: Pages) -> None:
        site.pages = {
            path(name): Page(text, "text/plain; charset=utf-8") for name, text in pages.items()
        }
        names = "".join(f"<url><loc>{site.url(path(name))}</loc></url>" for name in pages)
        site.pages["/sitemap.xml"] = Page(f"<urlset>{names}</urlset>", "application/xml")

    return Place(
        fill,
        lambda: source_on(site, root, sitemap=site.url("/sitemap.xml")),
        lambda name: site.url(path(name)),
        site,
    )


PLACES = {
    "folder": folder_place,
    "judged set": judged_place,
    "memory double": memory_place,
    "web": web_place,
}
PAGES = {"a leave.txt": "Twenty days.", "b größe.txt": "Ça va? 東京", "c #1?.txt": "x = {1}"}


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    place: Place = PLACES[request.param](tmp_path)
    async with place.serving:
        place.fill(PAGES)
        yield place


async def refs(place: Place, source: Source | None = None) -> dict[str, DocumentRef]:
    """Return what a source lists, by the names of the pages."""
    names = {place.location(name): name for name in PAGES}
    return {names[ref.location]: ref async for ref in (source or place.open()).list()}


async def test_it_lists_each_document_once_under_its_own_name(place: Place) -> None:
    source = place.open()
    listed = [ref async for ref in source.list()]
    assert sorted(ref.location for ref in listed) == sorted(map(place.location, PAGES))
    assert {ref.source for ref in listed} == {source.name}
    assert len({ref.id for ref in listed}) == len(PAGES)


async def test_a_version_changes_exactly_when_the_content_does(place: Place) -> None:
    before = await refs(place)
    assert await refs(place) == before
    place.fill(PAGES | {"a leave.txt": "Thirty days."})
    after = await refs(place)
    assert after["a leave.txt"].version != before["a leave.txt"].version
    assert after["a leave.txt"].id == before["a leave.txt"].id
    assert after["b größe.txt"] == before["b größe.txt"]


async def test_what_was_listed_can_be_fetched_and_read(place: Place) -> None:
    source = place.open()
    for name, ref in (await refs(place, source)).items():
        raw = await source.fetch(ref)
        assert raw.ref == ref and raw.readers
        assert DocumentParser().parse(raw).text == PAGES[name]
        assert raw.updated_at is None or raw.updated_at.utcoffset() == timedelta(0)


async def test_a_document_that_is_not_there_is_unreadable_not_fatal(place: Place) -> None:
    source = place.open()
    if isinstance(source, MemorySource):
        source.unreadable.add("gone.txt")
    with pytest.raises(DocumentUnreadable, match=r"\.$"):
        await source.fetch(DocumentRef(source.name, "gone.txt", "1"))
