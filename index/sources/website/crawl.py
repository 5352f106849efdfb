"""One listing of a website: from its sitemaps and links to its documents, within budgets.

    sitemaps, start pages, what was known -> visit -> links -> visit ... -> what is reachable

What is found is kept as it comes, in a *round*: a listing that runs out of seconds or bytes, or
dies, is continued by the next one, which asks again only for what this round has not seen. How a
listing ends, so that half of one never looks like deleted pages:

    all visited                      what links lead to is listed; what else was known is gone
    more pages than the budget       known pages stay, new ones get the room that is left
    out of seconds or bytes          known pages stay if a round was ever completed, else it raises
    no answer from the start page,
    from a sitemap, five in a row,
    or too many                      it raises
    closed to us (401, 403), or
    leading to another host          gone: who may no longer read a page must not find it
    no answer from a single page     listed as ``UNANSWERED``: fetching it tries again, and names it
                                     if that fails; what the index holds of it stays
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from index.errors import AnswerTooLarge, FetchFailed, SourceUnavailable
from index.sources.website.cache import PageCache, Visited
from index.sources.website.listing import documents, onwards, reached
from index.sources.website.locations import Scope
from index.sources.website.politeness import Visitor
from index.sources.website.roots import read_roots
from index.sources.website.visiting import Gone, visit

UNANSWERED: Final = "unanswered"
"""The version of a page that gave no answer: it equals no other, so the page is fetched."""

AT_ONCE: Final = 4
IN_A_ROW: Final = 5
MANY: Final = 5
REQUESTS_A_PAGE: Final = 3
LINKS_A_PAGE: Final = 20
"""New addresses that are asked for, and that are remembered, for each page of the budget."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one listing may take; ``bytes`` counts bodies, inflated."""

    pages: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Listing:
    """Locations with their versions, and sentences on what an operator should know."""

    versions: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Crawl:
    """One listing. ``start`` and ``sitemaps`` are locations; use it once."""

    start: tuple[str, ...]
    sitemaps: tuple[str, ...]
    follow: bool
    trust_lastmod: bool
    scope: Scope
    budget: Budget
    visitor: Visitor
    cache: PageCache
    known: dict[str, Visited] = field(default_factory=dict)
    """What earlier listings knew, as they knew it."""
    visited: dict[str, Visited] = field(default_factory=dict)
    """The same, overwritten by what this round finds."""
    gone: set[str] = field(default_factory=set)
    """Where this round has found no document."""
    roots: dict[str, str] = field(default_factory=dict)
    """Where links begin, each with the time that the sitemap says it was changed."""
    waiting: deque[str] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)
    troubles: set[str] = field(default_factory=set)
    """Documents, or what may be one, that gave no answer."""
    tried: int = 0
    failed: int = 0
    failed_in_a_row: int = 0
    taken: int = 0
    """How much of the page budget is taken: known pages, and new ones."""
    asked: int = 0
    """New addresses that were asked for, whatever they held."""
    round: int = 1
    cut: set[str] = field(default_factory=set)

    async def listing(self) -> Listing:
        """List the website. Raises SourceUnavailable rather than list half of it."""
        rows = await asyncio.to_thread(self.cache.visited)
        self.gone = await asyncio.to_thread(self.cache.gone)
        self.known = {url: one for url, one in rows.items() if self.scope.holds(url)}
        self.visited = dict(self.known)
        self.taken = len(self.known)
        self.round = await asyncio.to_thread(self.cache.round)
        try:
            async with asyncio.timeout(self.budget.seconds):
                await self._discover()
        except TimeoutError:
            self.cut.add("seconds")
        finally:
            await self.visitor.close()
        self._check()
        found = await self._settle()
        return Listing(tuple(sorted(found.items())), tuple(self._notes(len(found))))

    async def _discover(self) -> None:
        self._add(self.start)
        self.roots.update(dict.fromkeys(self.start, ""))
        most = LINKS_A_PAGE * self.budget.pages
        self.roots |= await read_roots(
            self.sitemaps, self.visitor, self.scope, most=most, most_bytes=self.budget.bytes
        )
        if len(self.roots) >= most:
            self.cut.add("pages")
        self._add(self.roots)
        if self.follow:
            self._add(self.known)
        running: set[asyncio.Task[None]] = set()
        try:
            while self.waiting or running:
                while self.waiting and len(running) < AT_ONCE and self._has_bytes():
                    work = self._next()
                    if work is not None:
                        running.add(asyncio.ensure_future(work))
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.gather(*done)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _has_bytes(self) -> bool:
        if self.visitor.received >= self.budget.bytes:
            self.cut.add("bytes")
            self.waiting.clear()
        return bool(self.waiting)

    def _next(self) -> Coroutine[None, None, None] | None:
        """Return the work on the next address, if there is any."""
        url = self.waiting.popleft()
        known = self.known.get(url)
        if url in self.gone:
            return None
        if known is not None and self._is_fresh(known):
            self._add(onwards(known, crawl=self.follow))
            return None
        if known is None:
            most = REQUESTS_A_PAGE * self.budget.pages
            if self.taken >= self.budget.pages or self.asked >= most:
                self.cut.add("pages")
                return None
            self.asked += 1
            self.taken += 1
        return self._visit(url, known)

    def _is_fresh(self, known: Visited) -> bool:
        if known.round == self.round:
            return True
        said = self.roots.get(known.url, "")
        return self.trust_lastmod and bool(said) and said == known.lastmod

    async def _visit(self, url: str, known: Visited | None) -> None:
        self.tried += 1
        try:
            if await self.visitor.may_ask(url):
                found = await visit(self.visitor, url, known, self.scope)
            else:
                found = Gone("may not be read, says its robots.txt")
        except FetchFailed as error:
            self._failed(url, known, error)
            return
        self.failed_in_a_row = 0
        if isinstance(found, Gone):
            if url in self.start:
                raise SourceUnavailable(f"The start page {url} {found.why}; name another.")
            self.taken -= 1
            self.visited.pop(url, None)
            await asyncio.to_thread(self.cache.note_gone, url)
            return
        one, body = found
        self._add(onwards(one, crawl=self.follow))
        links = tuple(link for link in one.links if link in self.seen)
        if self.follow and len(links) < len(one.links):
            # Not all links were taken, so that the page must be sent in full the next time.
            one = replace(one, etag="", last_modified="")
        changed = self.roots.get(url, "")
        one = replace(one, links=links, lastmod=changed, round=self.round)
        self.visited[url] = one
        await asyncio.to_thread(self.cache.put, url, one, body)

    def _failed(self, url: str, known: Visited | None, error: FetchFailed) -> None:
        if known is None:
            self.taken -= 1
        if known is None or known.version:
            self.troubles.add(url)
        if isinstance(error, AnswerTooLarge):
            return
        self.failed += 1
        self.failed_in_a_row += 1
        if url in self.start or self.failed_in_a_row >= IN_A_ROW:
            raise SourceUnavailable(str(error)) from error

    def _add(self, urls: Iterable[str]) -> None:
        most = LINKS_A_PAGE * self.budget.pages + len(self.known)
        for url in urls:
            if url in self.seen or not self.scope.holds(url):
                continue
            if len(self.seen) >= most and url not in self.known:
                self.cut.add("pages")
                continue
            self.seen.add(url)
            self.waiting.append(url)

    def _check(self) -> None:
        """Raise SourceUnavailable if this listing would pass for deleted pages."""
        if self.failed > MANY and self.failed * 10 > self.tried:
            raise SourceUnavailable(
                f"{self.failed} of {self.tried} pages did not answer; see what troubles the site."
            )
        if self.cut & {"bytes", "seconds"} and self.round == 1:
            raise SourceUnavailable(
                f"{len(self.visited)} pages were read, and more are there than a sync may take; the"
                " next one goes on from here. Raise max_seconds, per_second or max_bytes."
            )

    async def _settle(self) -> dict[str, str]:
        """Return location -> version of what is listed, and end the round if it is complete."""
        among = set(reached(self.visited, self.roots, crawl=self.follow))
        if self.cut:
            among |= self.visited.keys() & self.known.keys()
        if not self.cut & {"bytes", "seconds"}:
            await asyncio.to_thread(self.cache.drop, self.visited.keys() - among)
            await asyncio.to_thread(self.cache.end_round)
        listed = {one.url: one.version for one in documents(self.visited, among)}
        return listed | dict.fromkeys(self.troubles, UNANSWERED)

    def _notes(self, listed: int) -> Iterator[str]:
        if "pages" in self.cut:
            yield f"More than {self.budget.pages:,} pages are there; {listed:,} are listed."
        if self.cut & {"bytes", "seconds"}:
            yield "Time or bytes ran out; pages that were not looked at are listed as they were."
        if self.troubles:
            yield f"{len(self.troubles):,} pages gave no usable answer; they stay as they were."
