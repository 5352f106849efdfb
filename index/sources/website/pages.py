"""What a page says to those who follow links: where it leads, and whether it wants to be found."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from index.formats.decoding import decoded
from index.formats.html_limits import parsed
from index.sources.website.locations import location

MOST_LINKS: Final = 2_000
LONGEST_LINKS: Final = 200_000
"""Links that are followed from one page, the first ones, and characters of all of them."""

LONGEST_PAGE: Final = 2_000_000
"""Characters of a page that are looked at; the tree of a page takes many times its size."""

_FOR_ONE = re.compile(r"\s*([\w.*-]+)\s*:\s*(.*)", re.DOTALL)
_WITH_VALUE = frozenset("unavailable_after max-snippet max-image-preview max-video-preview".split())


@dataclass(frozen=True, slots=True)
class Page:
    """What was read; ``canonical`` is the location that the page says is its own, or empty."""

    links: tuple[str, ...] = ()
    canonical: str = ""
    noindex: bool = False


def read_page(content: bytes, charset: str, url: str, agent: str) -> Page:
    """Read an HTML page at ``url``. One that no parser should be given has no links."""
    try:
        tree = parsed(decoded(content, charset=charset, markup=True)[:LONGEST_PAGE])
    except ValueError:
        return Page()
    beside = url
    words: set[str] = set()
    canonical = ""
    for node in tree.css("base[href], meta[name][content], link[rel][href]"):
        given = {name: value or "" for name, value in node.attributes.items()}
        if node.tag == "base":
            beside = location(given["href"], url) if beside == url else beside
            beside = beside or url
        elif node.tag == "meta" and given["name"].strip().lower() in ("robots", agent.lower()):
            words |= _words(given["content"])
        elif node.tag == "link" and "canonical" in given["rel"].lower().split():
            canonical = canonical or location(given["href"], beside)
    links: dict[str, None] = {}
    size = 0
    if not words & {"nofollow", "none"}:
        for node in tree.css("a[href], area[href]"):
            if "nofollow" not in (node.attributes.get("rel") or "").lower().split():
                link = location(node.attributes.get("href") or "", beside)
                size += len(link) if link not in links else 0
                links[link] = None
            if len(links) > MOST_LINKS or size > LONGEST_LINKS:
                break
    links.pop("", None)
    links.pop(url, None)
    return Page(tuple(links), canonical, bool(words & {"noindex", "none"}))


def header_words(values: Iterable[str], agent: str) -> set[str]:
    """Return what ``X-Robots-Tag`` headers say to everyone or to ``agent``, in lower case."""
    words: set[str] = set()
    for value in values:
        found = _FOR_ONE.match(value)
        if found is not None and found[1].lower() not in _WITH_VALUE:
            if found[1].lower() not in (agent.lower(), "*"):
                continue
            value = found[2]
        words |= _words(value)
    return words


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.lower().split(",")}
