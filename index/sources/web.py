"""A website: what its sitemaps name and its links lead to, on hosts that were named."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator, Field, field_validator, model_validator

from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable, FetchFailed, SourceUnavailable
from index.sources.catalog import Given, Kind, Options
from index.sources.website.locations import Scope, host_of, location

if TYPE_CHECKING:
    from index.fetching import Fetcher, Patience
    from index.gate import Resolve
    from index.sources.website.cache import PageCache, Visited
    from index.sources.website.politeness import Persistence, Visitor

_RECIPE = "web-1"
"""Raise it whenever the same answers give other links, versions or documents."""


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Several = Annotated[tuple[str, ...], BeforeValidator(_several)]
"""One text, or a list of them."""


class WebOptions(Options):
    """Where a website begins, how far it goes, and what one listing of it may take.

    ``start`` are pages to begin at, ``sitemap`` sitemaps or indexes of them; at least one is
    needed. ``crawl`` follows links: by default if there is no sitemap. ``hosts`` are all that is
    ever asked; by default those of ``start`` and ``sitemap``. ``include`` and ``exclude`` are
    patterns of paths as in robots.txt, of which the longest that fits decides.

    ``max_pages`` counts addresses, ``max_bytes`` what they hold, inflated. ``max_seconds`` is for
    the whole listing; by default it leaves a third of the time in which a function on AWS is ended
    (15 minutes) to reading and committing the pages. ``per_second`` are requests to a host; a site
    may ask for fewer (Crawl-delay).
    ``trust_lastmod`` asks only for pages whose ``lastmod`` in the sitemap has changed.

    ``allow_private`` opens hosts that are not public: ``wiki.corp.example``, or with a port that is
    neither 80 nor 443 ``wiki.corp.example:8443``. ``cache_bytes`` bounds what is kept of pages,
    packed, so that they need not be sent twice.
    """

    start: Several = ()
    sitemap: Several = ()
    crawl: bool | None = None
    hosts: Several = ()
    include: Several = ()
    exclude: Several = ()
    max_pages: int = Field(10_000, ge=1, le=1_000_000)
    max_bytes: int = Field(4_000_000_000, ge=1)
    max_seconds: float = Field(600, gt=0, le=86_400)
    per_second: float = Field(4, gt=0, le=1_000)
    user_agent: str = Field("Footnote/1", pattern=r"^[A-Za-z_-]+(/[ -~]*)?$", max_length=200)
    trust_lastmod: bool = False
    allow_private: Several = ()
    cache_bytes: int = Field(500_000_000, ge=0)

    @field_validator("start", "sitemap")
    @classmethod
    def _are_addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not location(url):
                raise ValueError(f"{url!r} must be an address such as https://docs.example/")
        return tuple(map(location, urls))

    @field_validator("hosts", "allow_private")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not location(f"http://{host}/") or set(host) & set("/?#@"):
                raise ValueError(f"{host!r} must be a host such as docs.example")
        return tuple(host_of(location(f"http://{host}/")) for host in hosts)

    @field_validator("include", "exclude")
    @classmethod
    def _are_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if not pattern.startswith(("/", "*")) or "#" in pattern or not pattern.isprintable():
                raise ValueError(f"{pattern!r} must be the beginning of a path, such as /docs/")
        return patterns

    @model_validator(mode="after")
    def _begins_somewhere(self) -> WebOptions:
        places = (*self.start, *self.sitemap)
        if not places:
            raise ValueError("start or sitemap must name where the website begins")
        foreign = [url for url in places if self.hosts and host_of(url) not in self.hosts]
        if foreign:
            raise ValueError(f"hosts must hold {host_of(foreign[0])}, where it begins")
        scope = Scope(frozenset(map(host_of, self.start)), self.include, self.exclude)
        outside = [url for url in self.start if not scope.holds(url)]
        if outside:
            raise ValueError(f"include and exclude must let the start page {outside[0]} in")
        return self


class WebSource:
    """The Source port on a website; the location of a document is its address, in one form.

    ``list`` visits every page that it may, politely; a page that has not changed is not sent again.
    ``fetch`` gives what ``list`` got, and asks the website only if that is no longer kept.
    ``notes`` says in sentences what an operator should know about the latest listing.

    ``work`` is the folder of the cache. The other arguments are seams: how names are resolved,
    whose certificates are believed, and how long and how often to wait for an answer.
    """

    def __init__(
        self,
        options: WebOptions,
        *,
        name: str,
        readers: frozenset[str],
        work: Path,
        resolve: Resolve | None = None,
        trust: ssl.SSLContext | None = None,
        patience: Patience | None = None,
        persistence: Persistence | None = None,
    ) -> None:
        """Describe the source; nothing is asked before it is listed."""
        from index.sources.website.politeness import Pace

        self.notes: tuple[str, ...] = ()
        self._options = options
        self._name = name
        self._readers = readers
        self._work = work
        self._resolve = resolve
        self._trust = trust
        self._patience = patience
        self._persistence = persistence
        self._pace = Pace(options.per_second)
        self._unanswered = 0
        places = (*options.start, *options.sitemap)
        hosts = frozenset(options.hosts or map(host_of, places))
        self._scope = Scope(hosts, options.include, options.exclude)
        self._agent = options.user_agent.partition("/")[0]

    @property
    def name(self) -> str:
        """Name in the catalog."""
        return self._name

    @property
    def readers(self) -> frozenset[str]:
        """Who may read every page of the website."""
        return self._readers

    @property
    def paced(self) -> bool:
        """True: a website is asked by one visitor, at the pace it wants."""
        return True

    async def list(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every page; its version is a hash of its type and content.

        A page that does not answer is listed with a version of its own, so that it is fetched, and
        named if it still does not. Raises SourceUnavailable if the start page or a sitemap gives no
        answer, or too many pages: half a listing would look like deleted pages.
        """
        from index.sources.website.crawl import Budget, Crawl

        options = self._options
        with self._cache() as cache:
            async with self._fetcher() as fetcher:
                crawl = Crawl(
                    start=options.start,
                    sitemaps=options.sitemap,
                    follow=not options.sitemap if options.crawl is None else options.crawl,
                    trust_lastmod=options.trust_lastmod,
                    scope=self._scope,
                    budget=Budget(options.max_pages, options.max_bytes, options.max_seconds),
                    visitor=self._visitor(fetcher, cache),
                    cache=cache,
                )
                found = await crawl.listing()
        self.notes = found.notes
        for place, version in found.versions:
            yield DocumentRef(self._name, place, version)

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        """Return the bytes of a page: those that were listed, if they are kept, else those of now.

        Raises DocumentUnreadable if it vanished, moved, is too large or does not answer;
        SourceUnavailable if page after page does not answer.
        """
        url = location(ref.location)
        if ref.source != self._name or url != ref.location or not self._scope.holds(url):
            raise DocumentUnreadable(f"{ref.location!r} is not a page of this website.")
        with self._cache() as cache:
            kept = await asyncio.to_thread(cache.one, url)
            visited, body = kept or (None, None)
            # What is kept may be damaged, or of another visit than the listed one.
            if visited is None or body is None or _version(visited, body) != ref.version:
                async with self._fetcher() as fetcher:
                    visited, body = await self._ask(self._visitor(fetcher, cache), url)
        return RawDocument(
            ref=DocumentRef(self._name, url, visited.version),
            content=body,
            media_type=visited.media_type,
            url=url,
            readers=self._readers,
            updated_at=_time(visited.last_modified),
        )

    async def _ask(self, visitor: Visitor, url: str) -> tuple[Visited, bytes]:
        """Return what is at a listed page now. What robots.txt says was heeded by the listing."""
        from index.sources.website.crawl import IN_A_ROW
        from index.sources.website.visiting import Gone, visit

        try:
            found = await visit(visitor, url, None, self._scope)
        except FetchFailed as error:
            self._unanswered += error.retryable
            if self._unanswered >= IN_A_ROW:
                raise SourceUnavailable(str(error)) from error
            raise DocumentUnreadable(f"{error} The page stays as it was.") from error
        self._unanswered = 0
        if isinstance(found, Gone):
            raise DocumentUnreadable(f"{url} {found.why}; sync again if it should be.")
        visited, body = found
        if body is None:
            raise DocumentUnreadable(f"{url} has moved or asks not to be found; sync again.")
        await asyncio.to_thread(visitor.cache.put, url, visited)
        return visited, body

    def _cache(self) -> PageCache:
        from index.sources.website.cache import PageCache

        given = self._options
        scope = (given.start, given.sitemap, given.hosts, given.include, given.exclude)
        recipe = repr((_RECIPE, *scope, given.crawl, given.user_agent))
        return PageCache(
            self._work,
            recipe=hashlib.sha256(recipe.encode()).hexdigest(),
            largest=given.cache_bytes,
            began=time.time(),
        )

    def _fetcher(self) -> Fetcher:
        from index.fetching import Fetcher
        from index.gate import system_addresses

        return Fetcher(
            self._options.user_agent,
            private=self._options.allow_private,
            patience=self._patience,
            resolve=self._resolve or system_addresses,
            trust=self._trust,
        )

    def _visitor(self, fetcher: Fetcher, cache: PageCache) -> Visitor:
        from index.sources.website.politeness import Persistence, Visitor

        persistence = self._persistence or Persistence()
        return Visitor(fetcher, self._pace, persistence, cache, self._agent)


def _made(given: Given, options: WebOptions) -> WebSource:
    return WebSource(options, name=given.name, readers=given.readers, work=given.work)


KIND: Final = Kind(WebOptions, _made, has_paths=False)
"""``kind = "web"``."""


def _version(visited: Visited, body: bytes) -> str:
    from index.sources.website.visiting import version_of

    return version_of(visited.media_type, body)


def _time(http_date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(http_date).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
