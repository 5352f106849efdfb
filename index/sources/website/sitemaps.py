"""Sitemaps (https://www.sitemaps.org/protocol.html): XML or a line an address, packed or not.

What makes XML dangerous, entities, needs a DOCTYPE, and a sitemap with one is refused.
"""

import xml.parsers.expat
from dataclasses import dataclass, field
from typing import Final

from index.inflating import inflated

LARGEST: Final = 52_428_800
MOST_ADDRESSES: Final = 50_000
"""Bytes and addresses of one sitemap, as the protocol allows them."""

_GZIP = b"\x1f\x8b"
_LONGEST_TEXT = 4_096


@dataclass(slots=True)
class Sitemap:
    """What a sitemap names: pages, each with the time it was changed or "", and more sitemaps."""

    pages: list[tuple[str, str]] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)


def read_sitemap(content: bytes) -> Sitemap:
    """Read a sitemap or an index of sitemaps. Raises ValueError, with half a sentence."""
    if content.startswith(_GZIP):
        content = inflated(content, LARGEST)
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _lines(content)
    reader = _Reader()
    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(content, True)
    except xml.parsers.expat.ExpatError as error:
        raise ValueError(f"is no XML (line {error.lineno})") from error
    if not reader.is_sitemap:
        raise ValueError("is XML, but no sitemap")
    return reader.found


def _lines(content: bytes) -> Sitemap:
    lines = content.decode("utf-8-sig", "replace").split()
    if not lines or not all(line.startswith(("http://", "https://")) for line in lines):
        raise ValueError("is neither XML nor a list of addresses")
    if len(lines) > MOST_ADDRESSES:
        raise ValueError(f"names more than {MOST_ADDRESSES:,} addresses")
    return Sitemap([(line, "") for line in lines])


@dataclass(slots=True)
class _Reader:
    """Takes what the XML parser sees; elements are told by their names, whatever the namespace."""

    found: Sitemap = field(default_factory=Sitemap)
    is_sitemap: bool = False
    depth: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    field_name: str = ""

    def refuse(self, *_: object) -> None:
        raise ValueError("declares a DOCTYPE, which no sitemap needs")

    def start(self, name: str, _: object) -> None:
        plain = name.rpartition(" ")[2]
        self.depth += 1
        if self.depth == 1:
            self.is_sitemap = plain in ("urlset", "sitemapindex")
        elif self.depth == 2:
            self.fields.clear()
        self.field_name = plain if self.depth == 3 and plain in ("loc", "lastmod") else ""

    def text(self, text: str) -> None:
        if self.field_name:
            before = self.fields.get(self.field_name, "")
            self.fields[self.field_name] = (before + text)[:_LONGEST_TEXT]

    def end(self, name: str) -> None:
        plain = name.rpartition(" ")[2]
        self.depth -= 1
        self.field_name = ""
        place = self.fields.get("loc", "").strip()
        if self.depth != 1 or not place:
            return
        if plain == "url":
            self.found.pages.append((place, self.fields.get("lastmod", "").strip()))
        elif plain == "sitemap":
            self.found.sitemaps.append(place)
        if len(self.found.pages) + len(self.found.sitemaps) > MOST_ADDRESSES:
            raise ValueError(f"names more than {MOST_ADDRESSES:,} addresses")
