"""From what was visited to what is listed: the reachable pages, each once. Pure."""

from collections.abc import Collection, Iterable, Mapping

from index.sources.website.cache import Visited


def reached(
    visited: Mapping[str, Visited], roots: Iterable[str], *, crawl: bool
) -> dict[str, Visited]:
    """Return the visits that links lead to from the roots.

    Without ``crawl`` only redirects count, and the address that a page calls its own.
    """
    found: dict[str, Visited] = {}
    waiting = list(roots)
    while waiting:
        url = waiting.pop()
        one = visited.get(url)
        if one is None or url in found:
            continue
        found[url] = one
        waiting.extend(onwards(one, crawl=crawl))
    return found


def onwards(visited: Visited, *, crawl: bool) -> tuple[str, ...]:
    """Return the addresses that a visit leads to."""
    own = (visited.canonical,) if visited.canonical else ()
    return own + (visited.links if crawl or visited.alias else ())


def documents(visited: Mapping[str, Visited], among: Collection[str]) -> list[Visited]:
    """Return the visits among ``among`` that are documents, one for each page, by address.

    A page that calls another one its own address gives way to it, if that is a document and does
    not give way itself. Of pages that are the same to the byte the shortest address stays, so that
    a session id in each link, or ``index.html``, does not double a site.
    """
    pages = {url: visited[url] for url in among if visited[url].version}
    own = [one for one in pages.values() if not _gives_way(one, pages)]
    unique: dict[str, Visited] = {}
    for one in sorted(own, key=lambda one: (len(one.url), one.url)):
        unique.setdefault(one.version, one)
    return sorted(unique.values(), key=lambda one: one.url)


def _gives_way(one: Visited, pages: Mapping[str, Visited]) -> bool:
    if one.canonical in ("", one.url):
        return False
    other = pages.get(one.canonical)
    return other is not None and other.canonical in ("", other.url)
