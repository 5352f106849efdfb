"""index.sources.web: a website is listed whole or not at all, and asked no more than needed."""

import gzip
import hashlib
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from index.documents import DocumentRef
from index.errors import DocumentUnreadable, SourceUnavailable
from index.formats import LARGEST_BYTES
from index.sources.web import WebSource
from index.sources.website.crawl import UNANSWERED
from tests.doubles.web_sources import READERS, refs, source_on
from tests.doubles.website import Page, Website, certified, dialled, links, resolving


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    """Three pages and what surrounds them."""
    pages = {
        "/": links("/a", "b/", "/logo.png", "mailto:x@y.test", "https://elsewhere.test/"),
        "/a": links("/", "/b/?utm_source=x#part", text="A"),
        "/b/": links("c.txt", "../a#top", text="B"),
        "/b/c.txt": Page("plain", "text/plain; charset=utf-8"),
    }
    async with Website(dict(pages)) as one:
        yield one


def sitemap(*entries: str, kind: str = "url") -> bytes:
    root = {"url": "urlset", "sitemap": "sitemapindex"}[kind]
    inner = "".join(f"<{kind}><loc>{entry}</loc></{kind}>" for entry in entries)
    return f'<?xml version="1.0"?><{root} xmlns="http://x">{inner}</{root}>'.encode()


XML = "application/xml"


async def test_links_are_followed_and_each_page_is_listed_once(
    site: Website, tmp_path: Path
) -> None:
    source = source_on(site, tmp_path)
    assert sorted(await refs(source)) == ["/", "/a", "/b/", "/b/c.txt"]
    assert sorted(site.paths()) == ["/", "/a", "/b/", "/b/c.txt"]


async def test_a_listing_without_change_is_sent_no_body(site: Website, tmp_path: Path) -> None:
    site.pages["/map.xml"] = Page(sitemap(site.url("/extra")), XML)
    site.pages["/extra"] = Page("<p>extra")
    site.pages["/robots.txt"] = Page("User-agent: *\nDisallow: /private", "text/plain")
    options = {"start": site.url(), "sitemap": site.url("/map.xml"), "crawl": True}
    first = await refs(source_on(site, tmp_path, **options))
    site.asked.clear()
    assert await refs(source_on(site, tmp_path, **options)) == first
    assert len(site.asked) == 7 and site.sent() == 0
    assert {asked.status for asked in site.asked} == {304}


async def test_a_page_that_changed_is_sent_and_no_other(site: Website, tmp_path: Path) -> None:
    first = await refs(source_on(site, tmp_path))
    site.pages["/a"] = links("/", text="A, anew")
    site.asked.clear()
    second = await refs(source_on(site, tmp_path))
    assert [one.path for one in site.asked if one.sent and one.status == 200] == ["/a"]
    assert {path for path in first if first[path] != second[path]} == {"/a"}


async def test_what_was_listed_is_fetched_without_asking_again(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/a"] = Page(
        "Ä".encode("cp1252"),
        "text/html; charset=windows-1252",
        headers={"Last-Modified": "Wed, 21 Oct 2026 07:28:00 GMT"},
    )
    source = source_on(site, tmp_path)
    ref = (await refs(source))["/a"]
    site.asked.clear()
    raw = await source.fetch(ref)
    assert site.asked == []
    assert (raw.ref, raw.url, raw.readers) == (ref, site.url("/a"), READERS)
    assert (raw.content, raw.media_type) == (b"\xc4", "text/html; charset=windows-1252")
    assert raw.updated_at == datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


async def test_without_its_folder_pages_have_the_same_versions_and_are_asked_for_again(
    site: Website, tmp_path: Path
) -> None:
    source = source_on(site, tmp_path / "work")
    first = await refs(source)
    shutil.rmtree(tmp_path / "work")
    raw = await source.fetch(first["/a"])
    assert (raw.ref, raw.content) == (first["/a"], site.pages["/a"].content)
    shutil.rmtree(tmp_path / "work")
    assert await refs(source) == first


async def test_what_is_fetched_bears_the_version_of_its_bytes(
    site: Website, tmp_path: Path
) -> None:
    source = source_on(site, tmp_path, cache_bytes=0)
    ref = (await refs(source))["/a"]
    site.pages["/a"] = links("/b/", text="newer")
    raw = await source.fetch(ref)
    assert b"newer" in raw.content and raw.ref.version != ref.version
    assert (await refs(source))["/a"] == raw.ref


async def test_a_page_that_is_gone_or_no_longer_linked_is_not_listed(
    site: Website, tmp_path: Path
) -> None:
    await refs(source_on(site, tmp_path))
    del site.pages["/b/c.txt"]
    site.pages["/"] = links("/b/")
    site.pages["/b/"] = links("c.txt")
    assert sorted(await refs(source_on(site, tmp_path))) == ["/", "/b/"]
    site.asked.clear()
    await refs(source_on(site, tmp_path))
    assert "/a" not in site.paths()


@pytest.mark.parametrize("location", ["gone", "/a", "https://elsewhere.test/", "file:///etc/x"])
async def test_what_is_no_page_of_the_website_is_refused(
    location: str, site: Website, tmp_path: Path
) -> None:
    with pytest.raises(DocumentUnreadable, match="not a page of this website"):
        await source_on(site, tmp_path).fetch(DocumentRef("web", location, "1"))
    assert site.asked == []


async def test_what_vanished_moved_or_hid_after_it_was_listed_is_unreadable(
    site: Website, tmp_path: Path
) -> None:
    source = source_on(site, tmp_path, cache_bytes=0)
    ref = (await refs(source))["/a"]
    for page in (
        Page(status=404),
        Page(status=403),
        Page(status=302, headers={"Location": "/b/"}),
        Page("<meta name=robots content=noindex>x"),
        Page("x", "image/png"),
        Page(b"x" * (LARGEST_BYTES + 1)),
        Page(status=503),
    ):
        site.pages["/a"] = page
        with pytest.raises(DocumentUnreadable, match=r"\.$"):
            await source.fetch(ref)


async def test_a_network_that_fails_ends_the_fetching(site: Website, tmp_path: Path) -> None:
    source = source_on(site, tmp_path, cache_bytes=0)
    ref = (await refs(source))["/a"]
    site.fallback, site.pages = Page(status=500), {}
    for _ in range(4):
        with pytest.raises(DocumentUnreadable):
            await source.fetch(ref)
    with pytest.raises(SourceUnavailable):
        await source.fetch(ref)


async def test_a_redirect_is_followed_within_the_hosts_and_its_end_is_the_document(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/"] = links("/old", "/away", "/loop", "/a")
    site.pages["/old"] = Page(status=301, headers={"Location": "/older"})
    site.pages["/older"] = Page(status=302, headers={"Location": site.url("/b/c.txt#x")})
    site.pages["/away"] = Page(status=302, headers={"Location": "https://elsewhere.test/"})
    site.pages["/loop"] = Page(status=302, headers={"Location": "/pool"})
    site.pages["/pool"] = Page(status=302, headers={"Location": "/loop"})
    del site.pages["/a"]
    listed = await refs(source_on(site, tmp_path))
    assert sorted(listed) == ["/", "/b/c.txt"]
    assert await refs(source_on(site, tmp_path)) == listed


async def test_pages_that_say_which_address_is_theirs_are_one_document(
    site: Website, tmp_path: Path
) -> None:
    own = '<link rel="canonical" href="/print">'
    site.pages["/"] = links("/view?id=1", "/view?id=2", "/alone", "/x", "/y", text="start")
    for path in ("/view?id=1", "/view?id=2"):
        site.pages[path] = links(head=own, text=path)
    site.pages["/print"] = links(head=own, text="the page")
    # The page that it names does not exist; two that name each other.
    site.pages["/alone"] = links(head='<link rel="canonical" href="/nowhere">', text="alone")
    site.pages["/x"] = links(head='<link rel="canonical" href="/y">', text="x")
    site.pages["/y"] = links(head='<link rel="canonical" href="/x">', text="y")
    assert sorted(await refs(source_on(site, tmp_path))) == ["/", "/alone", "/print", "/x", "/y"]


async def test_pages_that_are_the_same_to_the_byte_are_one_document(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/"] = links("/a", "/index.html", "/a?session=17", "/a?session=18")
    site.pages["/index.html"] = site.pages["/"]
    for path in ("/a", "/a?session=17", "/a?session=18"):
        site.pages[path] = links(text="the same")
    assert sorted(await refs(source_on(site, tmp_path))) == ["/", "/a"]


async def test_robots_txt_is_heeded_with_wildcards_and_the_longest_rule(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/"] = links("/a", "/b/", "/b/c.txt", "/x.pdf?print=1", "/footnote-only")
    site.pages["/robots.txt"] = Page(
        "User-agent: *\nDisallow: /\n\n"
        "User-agent: Footnote\nDisallow: /b/\nAllow: /b/c.txt$\nDisallow: /*?print=\n",
        "text/plain",
    )
    assert sorted(await refs(source_on(site, tmp_path))) == ["/", "/a", "/b/c.txt"]
    assert not {"/b/", "/x.pdf?print=1"} & set(site.paths())
    with pytest.raises(SourceUnavailable, match=r"robots\.txt"):
        await refs(source_on(site, tmp_path, user_agent="Other/2"))


async def test_robots_txt_that_fails_stops_and_one_that_is_missing_allows_all(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/robots.txt"] = Page(status=503)
    with pytest.raises(SourceUnavailable, match=r"robots\.txt"):
        await refs(source_on(site, tmp_path))
    assert site.paths() == []
    site.pages["/robots.txt"] = Page(status=403)
    assert len(await refs(source_on(site, tmp_path))) == 4


async def test_noindex_and_nofollow_are_heeded_in_pages_and_headers(
    site: Website, tmp_path: Path
) -> None:
    def tagged(value: str, *targets: str) -> Page:
        return Page(links(*targets, text=value).body, headers={"X-Robots-Tag": value})

    site.pages = {
        "/": links("/hub", "/end", "/head", "/other", "/mine", "/none"),
        "/hub": links("/from-hub", head='<META NAME="Robots" CONTENT="NoIndex">'),
        "/end": links("/from-end", head='<meta name="footnote" content="nofollow">'),
        "/head": tagged("noindex", "/from-head"),
        "/other": tagged("googlebot: noindex, nofollow", "/from-other"),
        "/mine": tagged("footnote: noindex, nofollow", "/from-mine"),
        "/none": tagged("unavailable_after: 1 Jan 2020", "/from-none"),
        **{f"/from-{name}": Page(name) for name in ("hub", "end", "head", "other", "mine", "none")},
    }
    expected = ["/", "/end", "/from-head", "/from-hub", "/from-none", "/from-other"]
    for _ in range(2):
        listed = sorted(await refs(source_on(site, tmp_path)))
        assert listed == sorted([*expected, "/none", "/other"])


async def test_only_paths_that_are_included_and_not_excluded_are_asked_for(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/"] = links("/docs/a", "/docs/old/b", "/docs/old/keep", "/blog")
    for path in ("/docs/a", "/docs/old/b", "/docs/old/keep", "/blog"):
        site.pages[path] = Page(path)
    options = {"include": ["/$", "/docs/", "/docs/old/keep"], "exclude": "/docs/old/"}
    listed = await refs(source_on(site, tmp_path, **options))
    assert sorted(listed) == sorted(site.paths()) == ["/", "/docs/a", "/docs/old/keep"]


async def test_a_sitemap_lists_what_it_names_and_links_are_left_alone(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/index.xml"] = Page(
        sitemap(site.url("/1.xml.gz"), site.url("/2.xml"), "https://x.test/3.xml", kind="sitemap"),
        XML,
    )
    site.pages["/1.xml.gz"] = Page(
        gzip.compress(sitemap(site.url("/a"), "https://elsewhere.test/")), "application/gzip"
    )
    site.pages["/2.xml"] = Page(sitemap(site.url("/b/"), site.url("/gone")), XML)
    source = source_on(site, tmp_path, sitemap=site.url("/index.xml"))
    assert sorted(await refs(source)) == ["/a", "/b/"]
    assert "/" not in site.paths()
    site.pages["/2.xml"] = Page(sitemap(site.url("/b/c.txt")), XML)
    assert sorted(await refs(source)) == ["/a", "/b/c.txt"]


@pytest.mark.parametrize(
    ("page", "word"),
    [
        (Page(status=404), "not there"),
        (Page(status=500), "500"),
        (Page("<html><p>Sorry</p></html>"), "no sitemap"),
        (Page("<urlset><url>", XML), "no XML"),
        (Page("<!DOCTYPE x [<!ENTITY a 'b'>]><urlset/>", XML), "DOCTYPE"),
        (Page(gzip.compress(b"x" * 60_000_000), "application/gzip"), "more than"),
        (Page(b"x" * 60_000_000, XML), "more than"),
        (Page("", "text/plain"), "neither XML nor"),
    ],
)
async def test_a_sitemap_that_cannot_be_read_lists_nothing_at_all(
    page: Page, word: str, site: Website, tmp_path: Path
) -> None:
    site.pages["/ok.xml"] = Page(sitemap(site.url("/a")), XML)
    site.pages["/map.xml"] = page
    maps = [site.url("/ok.xml"), site.url("/map.xml")]
    with pytest.raises(SourceUnavailable, match=word):
        await refs(source_on(site, tmp_path, sitemap=maps))


async def test_a_trusted_lastmod_saves_the_request(site: Website, tmp_path: Path) -> None:
    def dated(**days: str) -> Page:
        entries = "".join(
            f"<url><loc>{site.url('/' + path)}</loc><lastmod>{day}</lastmod></url>"
            for path, day in days.items()
        )
        return Page(f"<urlset>{entries}</urlset>", XML)

    site.pages |= {"/map.xml": dated(a="2026-01-01", c="2026-01-01"), "/c": Page("c")}
    options = {"sitemap": site.url("/map.xml"), "trust_lastmod": True}
    first = await refs(source_on(site, tmp_path, **options))
    site.pages |= {"/map.xml": dated(a="2026-01-01", c="2026-02-02"), "/c": Page("c, anew")}
    site.asked.clear()
    second = await refs(source_on(site, tmp_path, **options))
    assert site.paths() == ["/map.xml", "/c"]
    assert second["/a"] == first["/a"] and second["/c"] != first["/c"]


async def test_a_page_that_fails_stays_as_it_was_and_is_named(
    site: Website, tmp_path: Path
) -> None:
    source = source_on(site, tmp_path)
    first = await refs(source)
    page, site.pages["/b/"] = site.pages["/b/"], Page(status=503)
    second = await refs(source)
    # What it led to is still known, though nobody else links to it.
    assert second.keys() == first.keys() and second["/b/c.txt"] == first["/b/c.txt"]
    assert second["/b/"].version == UNANSWERED
    assert any("no usable answer" in note for note in source.notes)
    with pytest.raises(DocumentUnreadable, match="503"):
        await source.fetch(second["/b/"])
    site.pages["/b/"] = page
    assert (await source.fetch(second["/b/"])).ref == first["/b/"]
    assert await refs(source) == first


@pytest.mark.parametrize("failure", [Page(status=500), Page(status=404), Page(status=403)])
async def test_a_start_page_that_gives_nothing_lists_nothing(
    failure: Page, site: Website, tmp_path: Path
) -> None:
    await refs(source_on(site, tmp_path))
    site.pages["/"] = failure
    with pytest.raises(SourceUnavailable, match=site.host):
        await refs(source_on(site, tmp_path))


async def test_a_start_page_on_another_host_says_which_host_to_name(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/"] = Page(status=301, headers={"Location": "https://www.site.test/"})
    with pytest.raises(SourceUnavailable, match=r"www\.site\.test, which is not among the hosts"):
        await refs(source_on(site, tmp_path))


async def test_a_website_of_which_much_fails_is_not_listed(tmp_path: Path) -> None:
    paths = [f"/{number}" for number in range(40)]
    async with Website({"/": links(*paths)}) as site:
        site.pages |= {path: Page(path) for path in paths}
        first = await refs(source_on(site, tmp_path))
        for path in paths[::3]:
            site.pages[path] = Page(status=500)
        for _ in range(3):
            with pytest.raises(SourceUnavailable):
                await refs(source_on(site, tmp_path))
        site.pages |= {path: Page(path) for path in paths}
        assert await refs(source_on(site, tmp_path)) == first


async def test_a_start_page_that_leads_to_what_is_left_out_says_so(
    site: Website, tmp_path: Path
) -> None:
    site.pages["/"] = Page(status=301, headers={"Location": "/old/home"})
    with pytest.raises(SourceUnavailable, match=r"/old/home, which is not included"):
        await refs(source_on(site, tmp_path, exclude="/old/"))


async def test_a_date_will_do_where_there_is_no_etag(site: Website, tmp_path: Path) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"

    async def dated(request: web.Request) -> web.StreamResponse:
        known = request.headers.get("If-Modified-Since") == date
        body = None if known else "dated"
        return web.Response(
            status=304 if known else 200, text=body, headers={"Last-Modified": date}
        )

    site.pages["/a"] = dated
    first = await refs(source_on(site, tmp_path))
    assert (await source_on(site, tmp_path).fetch(first["/a"])).updated_at is not None
    assert await refs(source_on(site, tmp_path)) == first
    asked = [one.headers.get("If-Modified-Since") for one in site.asked if one.path == "/a"]
    assert asked == [None, date]


@pytest.mark.parametrize(
    "closed",
    [
        Page(status=401),
        Page(status=403),
        Page(status=302, headers={"Location": "https://login.test/"}),
    ],
)
async def test_a_page_that_is_closed_to_us_is_gone(
    closed: Page, site: Website, tmp_path: Path
) -> None:
    await refs(source_on(site, tmp_path))
    site.pages["/a"] = closed
    assert sorted(await refs(source_on(site, tmp_path))) == ["/", "/b/", "/b/c.txt"]


async def test_a_host_that_is_down_ends_the_listing_soon(site: Website, tmp_path: Path) -> None:
    site.pages["/map.xml"] = Page(
        sitemap(*(f"http://down.test/{number}" for number in range(1_000))), XML
    )
    source = source_on(
        site,
        tmp_path,
        sitemap=site.url("/map.xml"),
        hosts=[site.host, "down.test"],
        resolve=resolving({}),
    )
    with pytest.raises(SourceUnavailable, match=r"down\.test"):
        await refs(source)


async def test_page_after_page_that_fails_ends_the_listing_soon(
    site: Website, tmp_path: Path
) -> None:
    urls = [site.url(f"/{number}") for number in range(1_000)]
    site.pages |= {"/map.xml": Page(sitemap(*urls), XML), "/robots.txt": Page(status=404)}
    site.fallback = Page(status=500)
    with pytest.raises(SourceUnavailable, match="500"):
        await refs(source_on(site, tmp_path, sitemap=site.url("/map.xml")))
    assert len(site.paths()) < 30


async def test_over_tls_under_its_name(tmp_path: Path) -> None:
    server, client = certified("docs.test")
    async with Website({"/": links("/a"), "/a": Page("a")}, authority=server) as site:
        place = f"docs.test:{site.port}"
        source = source_on(
            site,
            tmp_path,
            start=f"https://{place}/",
            allow_private=place,
            resolve=resolving({"docs.test": [["127.0.0.1"]]}),
            trust=client,
        )
        listed = await refs(source)
        assert sorted(listed) == ["/", "/a"]
        assert listed["/a"].location == f"https://{place}/a"


async def test_a_private_host_is_not_read_unless_the_catalog_opens_it(
    site: Website, tmp_path: Path
) -> None:
    for opened in ((), "other.test", f"other.test:{site.port}"):
        source = source_on(site, tmp_path, allow_private=opened)
        with pytest.raises(SourceUnavailable, match=r"80 or 443"):
            await refs(source)
    with pytest.raises(SourceUnavailable, match="not public"):
        await refs(source_on(site, tmp_path, start="http://127.0.0.1/"))
    assert site.accepted == 0


async def test_a_link_to_a_host_inside_is_never_followed(site: Website, tmp_path: Path) -> None:
    """A page on the list of hosts is no way into the network, whatever its name resolves to."""
    site.pages["/"] = links("http://docs.test/x", f"http://docs.test:{site.port}/y", "/a")
    source = source_on(
        site,
        tmp_path,
        hosts=[site.host, "docs.test", f"docs.test:{site.port}"],
        resolve=resolving({"docs.test": [["127.0.0.1"]]}),
    )
    with dialled() as addresses, pytest.raises(SourceUnavailable, match="not"):
        await refs(source)
    assert {one.headers["Host"] for one in site.asked} == {site.host}
    assert len(addresses) == site.accepted


async def test_a_damaged_cache_is_begun_anew(site: Website, tmp_path: Path) -> None:
    source = source_on(site, tmp_path)
    first = await refs(source)
    damage(tmp_path)
    assert await refs(source) == first
    assert (await source.fetch(first["/a"])).ref == first["/a"]


async def test_a_folder_that_cannot_be_written_costs_only_requests(
    site: Website, tmp_path: Path
) -> None:
    (tmp_path / "work").write_text("a file where the folder should be")
    source = source_on(site, tmp_path / "work")
    first = await refs(source)
    assert await refs(source) == first
    assert (await source.fetch(first["/a"])).ref == first["/a"]


async def test_versions_tell_type_and_content_apart(site: Website, tmp_path: Path) -> None:
    source: WebSource = source_on(site, tmp_path)
    before = (await refs(source))["/b/c.txt"]
    site.pages["/b/c.txt"] = Page("plain", "text/markdown", headers={"ETag": "other"}, etag=False)
    after = (await refs(source))["/b/c.txt"]
    assert before.version != after.version
    assert len(after.version) == len(hashlib.sha256().hexdigest())


def damage(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"no database" * 1_000)
