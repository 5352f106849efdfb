"""Where a website begins, as its sitemaps say."""

import asyncio
from collections import deque
from typing import Final

from index.errors import FetchFailed, SourceUnavailable
from index.sources.website.locations import Scope, host_of, location
from index.sources.website.politeness import Visitor
from index.sources.website.sitemaps import LARGEST, Sitemap, read_sitemap

MOST_SITEMAPS: Final = 1_000


async def read_roots(
    sitemaps: tuple[str, ...], visitor: Visitor, scope: Scope, *, most: int, most_bytes: int
) -> dict[str, str]:
    """Return the locations that sitemaps name, each with the time of its change or "".

    Sitemaps of sitemaps are followed on the hosts of ``scope``. No more than ``most`` locations are
    returned. Raises SourceUnavailable if a sitemap cannot be read, or if they go on and on.
    """
    roots: dict[str, str] = {}
    waiting = deque(sitemaps)
    read: set[str] = set()

    def is_own(url: str) -> bool:
        place = location(url)
        return bool(place) and host_of(place) in scope.hosts

    while waiting and len(roots) < most:
        url = waiting.popleft()
        if url in read:
            continue
        read.add(url)
        if len(read) > MOST_SITEMAPS or visitor.received >= most_bytes:
            raise SourceUnavailable(
                f"The sitemaps of {sitemaps[0]} go on and on; name fewer of them."
            )
        try:
            body = await visitor.file(url, largest=LARGEST, admits=is_own)
        except FetchFailed as error:
            raise SourceUnavailable(str(error)) from error
        if body is None:
            raise SourceUnavailable(f"The sitemap {url} is not there; name another.")
        sitemap = await _read(url, body)
        waiting.extend(filter(is_own, (location(place, url) for place in sitemap.sitemaps)))
        for place, changed in sitemap.pages:
            page = location(place, url)
            if scope.holds(page) and len(roots) < most:
                roots.setdefault(page, changed)
    return roots


async def _read(url: str, body: bytes) -> Sitemap:
    try:
        return await asyncio.to_thread(read_sitemap, body)
    except ValueError as error:
        raise SourceUnavailable(f"The sitemap {url} {error}; correct it.") from error
