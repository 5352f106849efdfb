"""index.sources.website.crawl: whatever a website does, a listing ends, and never lists half."""

import asyncio
import itertools
import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from index.documents import DocumentRef
from index.errors import SourceUnavailable
from index.fetching import Patience
from tests.doubles.web_sources import refs, source_on
from tests.doubles.website import Page, Website, links


def numbered(count: int) -> dict[str, Page]:
    """Return a start page and ``count`` others, each of which leads to the next ten."""
    pages = {"/": links("/0")}
    for number in range(count):
        more = range(number * 10 + 1, min(number * 10 + 11, count))
        pages[f"/{number}"] = links(*(f"/{one}" for one in more), text=str(number))
    return pages


async def endless(request: web.Request) -> web.StreamResponse:
    """A calendar: every page leads to two that nobody has seen."""
    path = request.path.rstrip("/")
    body = links(f"{path}/next", f"{path}/previous?month=1", text=request.path_qs).body
    return web.Response(text=str(body), content_type="text/html")


async def test_an_endless_website_ends_with_the_budget_of_pages(tmp_path: Path) -> None:
    async with Website(fallback=endless) as site:
        source = source_on(site, tmp_path, max_pages=30)
        first = await refs(source)
        assert len(first) == 30 and len(site.paths()) == 30
        assert "More than 30 pages" in source.notes[0]
        # The second time the same pages are known, and there is no room for others.
        assert await refs(source) == first


@pytest.mark.parametrize("budget", [{"max_seconds": 0.5}, {"max_bytes": 20_000}], ids=str)
async def test_an_endless_website_ends_with_the_budget_of_seconds_or_bytes(
    tmp_path: Path, budget: dict[str, float]
) -> None:
    async with Website(fallback=endless) as site:
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match="more are there than a sync may take"):
            await refs(source_on(site, tmp_path, max_pages=1_000_000, per_second=200, **budget))
        assert time.monotonic() - began < 10
        assert 5 < len(site.paths()) < 400


async def test_sitemaps_that_lead_in_circles_or_never_end_are_given_up(tmp_path: Path) -> None:
    numbers = itertools.count()

    def index_of(*names: str) -> str:
        return f"<sitemapindex>{''.join(f'<sitemap><loc>{n}</loc></sitemap>' for n in names)}"

    async def more(request: web.Request) -> web.StreamResponse:
        body = f"{index_of(*(site.url(f'/{next(numbers)}.xml') for _ in range(2)))}</sitemapindex>"
        return web.Response(text=body, content_type="application/xml")

    async with Website(fallback=more) as site:
        site.pages["/robots.txt"] = Page(status=404)
        circle = index_of(site.url("/b.xml"), site.url("/c.txt"))
        site.pages["/a.xml"] = Page(f"{circle}</sitemapindex>", "application/xml")
        site.pages["/b.xml"] = Page(
            f"{index_of(site.url('/a.xml'))}</sitemapindex>", "application/xml"
        )
        site.pages["/c.txt"] = Page(site.url("/page"), "text/plain")
        site.pages["/page"] = Page("A page.")
        source = source_on(site, tmp_path / "circle", sitemap=site.url("/a.xml"))
        assert list(await refs(source)) == ["/page"]
        site.asked.clear()
        for budget, most in ({"max_bytes": 10_000}, 150), ({}, 1_001):
            work = tmp_path / str(most)
            source = source_on(site, work, sitemap=site.url("/endless.xml"), **budget)
            with pytest.raises(SourceUnavailable, match="go on and on"):
                await refs(source)
            assert 50 < len(site.paths()) <= most
            site.asked.clear()


async def test_sessions_in_links_end_with_the_budget(tmp_path: Path) -> None:
    numbers = itertools.count()

    async def page(request: web.Request) -> web.StreamResponse:
        body = links(f"/?visit={next(numbers)}", f"/a;jsessionid={next(numbers)}?utm_id=3").body
        return web.Response(text=str(body), content_type="text/html")

    async with Website(fallback=page) as site:
        source = source_on(site, tmp_path, max_pages=20)
        first = await refs(source)
        assert len(first) == 20 and "/a" in first and not any("jsession" in one for one in first)
        second = await refs(source)
        assert second.keys() == first.keys()


async def test_endless_redirects_and_dead_links_end(tmp_path: Path) -> None:
    numbers = itertools.count()

    async def on(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"/r/{next(numbers)}"})

    async with Website(fallback=on) as site:
        site.pages |= {"/": links("/r/x"), "/robots.txt": Page(status=404)}
        assert list(await refs(source_on(site, tmp_path / "a", max_pages=10))) == ["/"]
        assert len(site.paths()) == 10
    dead = [f"/dead/{number}" for number in range(500)]
    async with Website({"/": links(*dead)}) as site:
        assert list(await refs(source_on(site, tmp_path / "b", max_pages=10))) == ["/"]
        assert len(site.paths()) <= 31


async def test_known_pages_stay_when_new_ones_exceed_the_budget(tmp_path: Path) -> None:
    async with Website(dict(numbered(10))) as site:
        before = await refs(source_on(site, tmp_path, max_pages=12))
        assert len(before) == 11
        site.pages["/"] = links(*(f"/new/{number}" for number in range(9)), "/0")
        site.pages |= {f"/new/{number}": Page(f"new {number}") for number in range(9)}
        after = await refs(source_on(site, tmp_path, max_pages=12))
        assert before.keys() <= after.keys() and len(after) == 12
        # Where one goes, another one has room.
        del site.pages["/9"], site.pages["/8"]
        await refs(source_on(site, tmp_path, max_pages=12))
        third = await refs(source_on(site, tmp_path, max_pages=12))
        assert len(third) == 12 and not {"/8", "/9"} & third.keys()


async def test_links_beyond_what_is_remembered_are_taken_when_the_budget_grows(
    tmp_path: Path,
) -> None:
    many = [f"/{number}" for number in range(100)]
    async with Website({"/": links(*many), **{path: Page(path) for path in many}}) as site:
        assert len(await refs(source_on(site, tmp_path, max_pages=2))) == 2
        assert len(await refs(source_on(site, tmp_path, max_pages=500))) == 101


async def slow(request: web.Request) -> web.StreamResponse:
    """One byte at a time, and a great many of them."""
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    for _ in range(10_000):
        await response.write(b"x")
        await asyncio.sleep(0.05)
    return response


async def test_a_website_of_slow_pages_is_given_up(tmp_path: Path) -> None:
    async with Website({"/": links(*(f"/{n}" for n in range(100)))}, fallback=slow) as site:
        began = time.monotonic()
        source = source_on(site, tmp_path, patience=Patience(0.2, 0.2, 0.2))
        with pytest.raises(SourceUnavailable, match="did not answer within"):
            await refs(source)
        assert time.monotonic() - began < 5 and len(site.paths()) < 20


async def test_time_that_runs_out_before_all_was_seen_once_raises_and_goes_on_next_time(
    tmp_path: Path,
) -> None:
    async with Website(dict(numbered(30))) as site:
        site.pages["/0"] = links(*(f"/{n}" for n in range(1, 11)), "/dead", "/deader")
        attempts = 0
        listed: dict[str, DocumentRef] = {}
        while not listed and attempts < 10:
            attempts += 1
            with suppress(SourceUnavailable):
                listed = await refs(source_on(site, tmp_path, max_seconds=0.5, per_second=25))
        assert len(listed) == 31 and attempts >= 3
        # Cut short are at most as many requests as are made at once.
        assert len(site.paths()) <= 33 + 4 * (attempts - 1)
        assert site.paths().count("/dead") + site.paths().count("/deader") <= 3


async def test_time_that_runs_out_later_keeps_what_was_listed(tmp_path: Path) -> None:
    async with Website(dict(numbered(30))) as site:
        before = await refs(source_on(site, tmp_path))
        site.pages["/29"] = links(text="changed")
        hurried = source_on(site, tmp_path, max_seconds=0.5, per_second=20)
        during = await refs(hurried)
        assert during == before and "ran out" in hurried.notes[0]
        seen = len(site.paths())
        for _ in range(9):
            during = await refs(source_on(site, tmp_path, max_seconds=0.5, per_second=20))
            if during != before:
                break
        assert during["/29"] != before["/29"] and during.keys() == before.keys()
        assert len(site.paths()) - seen <= 30


async def test_bytes_that_run_out_end_the_listing(tmp_path: Path) -> None:
    pages = {f"/{number}": Page(f"{number}" * 10_000, "text/plain") for number in range(50)}
    async with Website({"/": links(*pages), **pages}) as site:
        with pytest.raises(SourceUnavailable, match="max_bytes"):
            await refs(source_on(site, tmp_path, max_bytes=100_000))
        assert site.sent() < 250_000
        listed = await refs(source_on(site, tmp_path))
        assert len(listed) == 51
        pages = {path: Page(f"new {page.body!r}", "text/plain") for path, page in pages.items()}
        site.pages |= pages
        site.asked.clear()
        assert (await refs(source_on(site, tmp_path, max_bytes=100_000))).keys() == listed.keys()
        assert site.sent() < 250_000


async def test_a_listing_that_was_killed_is_continued(tmp_path: Path) -> None:
    async with Website(dict(numbered(20))) as site:
        listing = asyncio.create_task(refs(source_on(site, tmp_path, per_second=30)))
        await asyncio.sleep(0.5)
        listing.cancel()
        await asyncio.gather(listing, return_exceptions=True)
        assert 5 <= len(site.paths()) < 21
        assert len(await refs(source_on(site, tmp_path))) == 21
        assert len(site.paths()) <= 21 + 4


async def test_requests_keep_the_pace_that_was_set_or_asked_for(tmp_path: Path) -> None:
    async with Website(dict(numbered(5))) as site:
        await refs(source_on(site, tmp_path / "a", per_second=20))
        assert gaps(site) >= 0.045
        site.asked.clear()
        site.pages["/robots.txt"] = Page("User-agent: *\nCrawl-delay: 0.2", "text/plain")
        await refs(source_on(site, tmp_path / "b"))
        site.asked.pop(0)
        assert gaps(site) >= 0.19


def gaps(site: Website) -> float:
    """Return the shortest time between two requests, in seconds, leaving room for the network."""
    times = [asked.at for asked in site.asked]
    return (times[-1] - times[0]) / (len(times) - 1)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_website_that_asks_to_wait_is_waited_for(status: int, tmp_path: Path) -> None:
    answers = [Page(status=status, headers={"Retry-After": "1"})]

    async def busy(request: web.Request) -> web.StreamResponse:
        if answers:
            given = answers.pop()
            return web.Response(status=given.status, headers=given.headers)
        return web.Response(text="<p>here</p>", content_type="text/html")

    async with Website({"/": links("/a", "/b"), "/a": busy, "/b": Page("b")}) as site:
        began = time.monotonic()
        assert sorted(await refs(source_on(site, tmp_path))) == ["/", "/a", "/b"]
        assert time.monotonic() - began >= 0.95
        assert site.paths().count("/a") == 2


async def test_a_website_that_asks_to_wait_too_long_is_asked_another_day(tmp_path: Path) -> None:
    page = Page(status=503, headers={"Retry-After": "86400"})
    async with Website({"/": page}) as site:
        with pytest.raises(SourceUnavailable, match="503"):
            await refs(source_on(site, tmp_path))
        assert site.paths() == ["/"]


async def test_what_is_kept_of_pages_is_bounded(tmp_path: Path) -> None:
    noise = {f"/{n}": Page(random.Random(n).randbytes(20_000), "text/plain") for n in range(20)}
    async with Website({"/": links(*noise), **noise}) as site:
        source = source_on(site, tmp_path, cache_bytes=10_000)
        listed = await refs(source)
        assert len(listed) == 21 and size_of(tmp_path) < 300_000
        # What was not kept is asked for, and is what was listed.
        for ref in listed.values():
            assert (await source.fetch(ref)).ref == ref


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
