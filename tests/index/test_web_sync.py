"""A website through a sync: the index is in step with it, whatever happened before."""

import random
from pathlib import Path

import pytest

from index.audience import Audience
from index.errors import SourceUnavailable
from index.lance import LanceIndex
from index.parsing import DocumentParser
from index.sources.web import WebSource
from index.sync import SyncReport, sync
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.web_sources import refs, source_on
from tests.doubles.website import Page, Website, links


async def run(source: WebSource, embedder: HashingEmbedder, index: LanceIndex) -> SyncReport:
    return await sync(source, DocumentParser(), embedder, index)


async def urls(index: LanceIndex, embedder: HashingEmbedder, word: str) -> set[str]:
    vector = embedder.embed_query(word)
    found = await index.search(vector, word, Audience.everyone(), 100)
    return {one.url for one in found if one.keyword > 0}


async def test_a_page_that_fails_stays_searchable_and_is_named(
    tmp_path: Path, index: LanceIndex, embedder: HashingEmbedder
) -> None:
    pages = {"/": links("/a", "/b"), "/a": links(text="zebra"), "/b": links(text="okapi")}
    async with Website(dict(pages)) as site:
        source = source_on(site, tmp_path)
        assert (await run(source, embedder, index)).added == 3
        site.pages["/a"] = Page(status=503)
        del site.pages["/b"]
        report = await run(source, embedder, index)
        assert (report.added, report.changed, report.removed, report.unchanged) == (0, 0, 1, 1)
        assert [one.location for one in report.skipped] == [site.url("/a")]
        assert "503" in report.skipped[0].reason
        assert await urls(index, embedder, "zebra") == {site.url("/a")}
        assert await urls(index, embedder, "okapi") == set()
        site.pages["/a"] = pages["/a"]
        report = await run(source, embedder, index)
        assert (report.unchanged, report.skipped) == (2, ())
        site.pages["/"] = Page(status=503)
        with pytest.raises(SourceUnavailable):
            await run(source, embedder, index)
        assert await urls(index, embedder, "zebra") == {site.url("/a")}


async def test_a_link_says_where_its_heading_is(
    tmp_path: Path, index: LanceIndex, embedder: HashingEmbedder
) -> None:
    html = "<main><h1>Guide</h1><h2 id=leave>Leave</h2><p>Twenty walrus days.</p></main>"
    async with Website({"/": Page(html)}) as site:
        await run(source_on(site, tmp_path), embedder, index)
        (found,) = await index.search(
            embedder.embed_query("walrus"), "walrus", Audience.everyone(), 1
        )
        assert (found.url, found.chunk.anchor) == (site.url("/"), "leave")


@pytest.mark.parametrize("seed", range(6))
async def test_after_any_history_a_listing_equals_one_from_scratch(
    seed: int, tmp_path: Path
) -> None:
    """What the cache remembers saves requests, and changes nothing."""
    chance = random.Random(seed)
    paths = [f"/{number}" for number in range(12)]

    def leading(text: str) -> Page:
        own = chance.choice(["", "", f'<link rel=canonical href="{chance.choice(paths)}">'])
        hidden = chance.choice(["", "", "", "<meta name=robots content=noindex>"])
        return links(*chance.sample(paths, chance.randint(0, 4)), head=own + hidden, text=text)

    async with Website({"/": links("/0", "/1")}) as site:
        for step in range(25):
            for _ in range(chance.randint(0, 3)):
                path = chance.choice(paths)
                match chance.randint(0, 5):
                    case 0:
                        site.pages.pop(path, None)
                    case 1:
                        target = chance.choice([*paths, "https://elsewhere.test/"])
                        site.pages[path] = Page(status=302, headers={"Location": target})
                    case 2:
                        site.pages[path] = Page("the same", "text/plain")
                    case 3:
                        site.pages["/"] = links(*chance.sample(paths, 6), text="start")
                    case _:
                        site.pages[path] = leading(f"{path} {step}")
            kept = source_on(site, tmp_path / "kept")
            listed = await refs(kept)
            assert listed == await refs(source_on(site, tmp_path / f"fresh-{step}"))
            for path, ref in listed.items():
                raw = await kept.fetch(ref)
                assert raw.ref == ref and raw.content == site.pages[path].content
