"""The parts of index.sources.website that need no website: addresses, pages, the cache, options."""

import json
import random
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from index.errors import CatalogInvalid
from index.inflating import PIECE, Inflater
from index.sources import web
from index.sources.catalog import Given, read_catalog
from index.sources.website.cache import PageCache, Visited
from index.sources.website.locations import LONGEST, Scope, location
from index.sources.website.pages import MOST_LINKS, header_words, read_page
from tests.doubles.web_sources import READERS

PAGE = "https://docs.test/guide/page.html?v=2"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("HTTPS://Docs.Test:443/a/../b/./c#part", "https://docs.test/b/c"),
        ("http://docs.test:80", "http://docs.test/"),
        ("https://docs.test:8443/x", "https://docs.test:8443/x"),
        ("https://docs.test./x", "https://docs.test/x"),
        ("https://bücher.test/ü?q=ü", "https://xn--bcher-kva.test/%C3%BC?q=%C3%BC"),
        ("https://docs.test/%7euser/%e2%82%ac", "https://docs.test/~user/%E2%82%AC"),
        ("https://docs.test/a b", "https://docs.test/a%20b"),
        (" \thttps://docs.\ntest/a\r ", "https://docs.test/a"),
        ("https://docs.test/?utm_source=x&id=7&GCLID=y&b", "https://docs.test/?id=7&b"),
        ("https://docs.test/a;jsessionid=1A2B?x=1", "https://docs.test/a?x=1"),
        ("https://docs.test/a?&", "https://docs.test/a"),
        ("https://docs.test//a//b", "https://docs.test//a//b"),
        ("next.html", "https://docs.test/guide/next.html"),
        ("../", "https://docs.test/"),
        ("?v=3", "https://docs.test/guide/page.html?v=3"),
        ("//other.test/x", "https://other.test/x"),
        ("#only", PAGE),
        ("", PAGE),
    ],
)
def test_each_address_has_one_form(written: str, expected: str) -> None:
    assert location(written, PAGE) == expected
    assert location(expected) == expected


@pytest.mark.parametrize(
    "written",
    [
        *("mailto:a@b.test", "javascript:alert(1)", "data:text/html,x", "ftp://docs.test/"),
        *("file:///etc/passwd", "https://user@docs.test/", "https://u:p@docs.test/"),
        *("http://[::1", "http://127.1/", "http://0x7f.1/", "http://a..b/", "http://docs.test:x/"),
        *("http://good.test\\@evil.test/", "http://docs.test/" + "x" * LONGEST),
    ],
)
def test_what_is_no_address_of_a_page_has_none(written: str) -> None:
    assert location(written, PAGE) == ""


def test_patterns_are_those_of_robots_txt_and_the_longest_decides() -> None:
    scope = Scope(
        frozenset({"docs.test"}), ("/docs/", "*.md$", "/docs/new/old"), ("/docs/new/", "/*?print")
    )
    held = ("/docs/a", "/x/readme.md", "/docs/new/old/b")
    for path in held:
        assert scope.holds(f"https://docs.test{path}"), path
    for path in ("/", "/docs", "/docs/new/x", "/x/readme.mdx", "/docs/a?print=1"):
        assert not scope.holds(f"https://docs.test{path}"), path
    assert not scope.holds("https://docs.test:8443/docs/a")
    assert not scope.holds("https://other.test/docs/a")


def test_what_looks_like_no_document_is_not_asked_for() -> None:
    scope = Scope(frozenset({"docs.test"}), (), ())
    for name in ("a.png", "a.JPG", "a.css", "a.js", "a.woff2", "a.mp4", "a.zip", "a.tar.gz"):
        assert not scope.holds(f"https://docs.test/{name}"), name
    for name in ("", "a", "a.html", "a.php", "a.pdf", "a.md", "v1.2", "a.txt?file=b.png"):
        assert scope.holds(f"https://docs.test/{name}"), name


def test_links_are_resolved_as_a_browser_does() -> None:
    page = read_page(
        b"<base href=/docs/><a href='a'>1</a> <A HREF=' b#x '>2</A> <area href=../c>"
        b"<a rel='noopener nofollow' href=d>3</a> <a href='mailto:x'>4</a> <a>5</a>"
        b"<!-- <a href=e>6</a> --> <script>'<a href=f>'</script> <a href=b>again</a>",
        "",
        PAGE,
        "Footnote",
    )
    assert page.links == tuple(f"https://docs.test/{path}" for path in ("docs/a", "docs/b", "c"))


def test_links_are_read_in_the_charset_of_the_page() -> None:
    html = "<a href='/größe'>x</a>".encode("utf-16")
    assert read_page(html, "", PAGE, "F").links == ("https://docs.test/gr%C3%B6%C3%9Fe",)
    html = "<a href='/größe'>x</a>".encode("cp1252")
    assert read_page(html, "iso-8859-1", PAGE, "F").links == ("https://docs.test/gr%C3%B6%C3%9Fe",)


def test_a_page_that_would_take_long_to_read_has_few_links_or_none() -> None:
    began = time.process_time()
    assert read_page(b"<div>" * 100_000 + b"<a href=x>", "", PAGE, "F").links == ()
    assert read_page(b"\0\1\2", "", PAGE, "F").links == ()
    many = b"".join(b"<a href=/%d>" % number for number in range(50_000))
    assert len(read_page(many, "", PAGE, "F").links) <= MOST_LINKS + 1
    long = b"".join(b"<a href=/%d%s>" % (number, b"x" * 900) for number in range(2_000))
    assert sum(map(len, read_page(long, "", PAGE, "F").links)) < 250_000
    assert time.process_time() - began < 2


def test_headers_for_others_mean_nothing_to_us() -> None:
    said = [
        "otherbot: noindex",
        "unavailable_after: 25 Jun 2030 15:00:00 PST",
        "NoFollow, noarchive",
    ]
    assert header_words(said, "Footnote") & {"noindex", "none", "nofollow"} == {"nofollow"}
    assert "noindex" in header_words(["FOOTNOTE: noindex"], "Footnote")


def visited(path: str, at: float = 1.0) -> Visited:
    return Visited(f"https://docs.test/{path}", at, version=path, links=("https://docs.test/x",))


def test_the_cache_gives_back_what_it_was_given(tmp_path: Path) -> None:
    one = visited("a")
    with PageCache(tmp_path, recipe="r", largest=1_000_000) as cache:
        cache.put(one.url, one, b"body")
        cache.put("file:https://docs.test/robots.txt", Visited("x", 1.0), b"robots")
        cache.note_gone("https://docs.test/gone")
    with PageCache(tmp_path, recipe="r", largest=1_000_000) as cache:
        assert cache.visited() == {one.url: one}
        assert cache.one(one.url) == (one, b"body")
        assert cache.gone() == {"https://docs.test/gone"}
        cache.end_round()
        assert cache.gone() == set() and cache.round() == 2
    with PageCache(tmp_path, recipe="other", largest=1_000_000) as cache:
        assert cache.visited() == {} and cache.one(one.url) is None and cache.round() == 1


def test_the_oldest_bodies_make_way_and_those_of_this_listing_stay(tmp_path: Path) -> None:
    noise = [random.Random(number).randbytes(1_000) for number in range(6)]
    with PageCache(tmp_path, recipe="r", largest=2_500, began=10.0) as cache:
        for number, body in enumerate(noise[:4]):
            at = 5.0 + number if number < 2 else 10.0 + number
            cache.put(f"https://docs.test/{number}", visited(str(number), at), body)
        kept = [n for n in range(4) if (cache.one(f"https://docs.test/{n}") or (0, None))[1]]
        assert 3 in kept and 0 not in kept
        cache.put("https://docs.test/4", visited("4", 20.0), noise[4])
        cache.put("https://docs.test/5", visited("5", 20.0), noise[5])
        assert cache.one("https://docs.test/5") == (visited("5", 20.0), None)
        assert (cache.one("https://docs.test/3") or (0, None))[1] == noise[3]
        assert len(cache.visited()) == 6


def test_of_a_page_that_is_gone_no_byte_stays_in_the_file(tmp_path: Path) -> None:
    body = random.Random(4).randbytes(40_000)
    packed = zlib.compress(body, 1)
    pieces = [packed[place : place + 64] for place in range(0, len(packed), 1_000)]

    def there() -> int:
        stored = [path.read_bytes() for path in tmp_path.iterdir()]
        return sum(piece in content for content in stored for piece in pieces)

    gone, stays = visited("gone"), visited("stays")
    with PageCache(tmp_path, recipe="r", largest=1_000_000) as cache:
        cache.put(gone.url, gone, body)
        cache.put(stays.url, stays, b"stays")
    assert there() > 30
    with PageCache(tmp_path, recipe="r", largest=1_000_000) as cache:
        cache.note_gone(gone.url)
    assert there() == 0
    with PageCache(tmp_path, recipe="r", largest=1_000_000) as cache:
        assert cache.one(stays.url) == (stays, b"stays")


def test_gzip_is_inflated_piece_by_piece() -> None:
    packed = zlib.compress(b"\0" * 10_000_000, 9)
    sizes = [len(piece) for piece in Inflater().feed(packed)]
    assert sum(sizes) == 10_000_000 and max(sizes) <= PIECE


def declared(**options: object) -> web.WebOptions:
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
    text = f'[[source]]\nname = "docs"\nkind = "web"\nreaders = ["everyone"]\n{lines}'
    (one,) = read_catalog(text, {"web": web.KIND})
    assert isinstance(one.options, web.WebOptions)
    return one.options


def test_the_catalog_declares_a_website(tmp_path: Path) -> None:
    options = declared(start="https://Docs.test", allow_private=["Wiki.test:8443"], max_pages=5)
    assert options.start == ("https://docs.test/",)
    assert options.allow_private == ("wiki.test:8443",)
    given = Given("docs", READERS, tmp_path, tmp_path / "work", lambda name: "")
    source = web.KIND.make(given, options)
    assert (source.name, source.readers) == ("docs", READERS)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({}, "start or sitemap"),
        ({"start": "docs.test"}, "must be an address"),
        ({"start": "https://user:pw@docs.test/"}, "must be an address"),
        ({"start": "https://docs.test/", "hosts": ["other.test"]}, "hosts must hold docs.test"),
        ({"start": "https://docs.test/", "hosts": ["https://docs.test"]}, "must be a host"),
        ({"start": "https://docs.test/", "allow_private": ["10.0.0.0/8"]}, "must be a host"),
        ({"start": "https://docs.test/", "allow_private": ["127.1"]}, "must be a host"),
        ({"start": "https://docs.test/", "include": ["docs"]}, "beginning of a path"),
        ({"start": "https://docs.test/", "exclude": ["/a\nAllow: /"]}, "beginning of a path"),
        ({"start": "https://docs.test/", "include": ["/docs/"]}, "let the start page"),
        ({"start": "https://docs.test/", "max_pages": 0}, "max_pages"),
        ({"start": "https://docs.test/", "user_agent": "a\nb"}, "user_agent"),
    ],
)
def test_a_website_that_cannot_be_meant_is_refused(options: dict[str, object], word: str) -> None:
    with pytest.raises(CatalogInvalid, match=word):
        declared(**options)


def test_the_catalog_loads_no_http_client() -> None:
    code = "import index.sources.web, sys; print(*{n.partition('.')[0] for n in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert not {"aiohttp", "selectolax", "sqlite3"} & set(done.stdout.split())
