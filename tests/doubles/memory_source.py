"""A source and a parser that live in memory, and fail where a test tells them to."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from index.audience import EVERYONE
from index.documents import Document, DocumentRef, RawDocument
from index.errors import DocumentUnreadable, SourceUnavailable

UPDATED = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


class MemorySource:
    """A Source. ``pages`` maps location to text and may be changed between two syncs.

    A location in ``unreadable`` can be listed but not fetched; with ``broken`` nothing can be read.
    """

    def __init__(
        self,
        pages: dict[str, str],
        *,
        name: str = "memory",
        readers: frozenset[str] = frozenset({EVERYONE.id}),
    ) -> None:
        self.pages = pages
        self.readers = readers
        self.unreadable: set[str] = set()
        self.broken = False
        self.fetched: list[str] = []
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    async def list(self) -> AsyncIterator[DocumentRef]:
        if self.broken:
            raise SourceUnavailable("The memory is out of order.")
        for location in list_of(self.pages):
            yield self.ref(location)

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        await asyncio.sleep(0)
        if self.broken:
            raise SourceUnavailable("The memory is out of order.")
        if ref.location in self.unreadable:
            raise DocumentUnreadable("The page is locked with a password.")
        if ref.location not in self.pages or ref.source != self._name:
            raise DocumentUnreadable(f"{ref.location!r} is not a page of this memory.")
        self.fetched.append(ref.location)
        return RawDocument(
            ref=self.ref(ref.location),
            content=self.pages[ref.location].encode(),
            media_type="text/plain",
            url=f"https://docs.example/{ref.location}",
            readers=self.readers,
            updated_at=UPDATED,
        )

    def ref(self, location: str) -> DocumentRef:
        version = hashlib.sha256(self.pages[location].encode()).hexdigest()
        return DocumentRef(self._name, location, version)


class TextParser:
    """A Parser. The first line is the title; a text that begins with ``!`` trips it over."""

    def __init__(self, name: str = "text-1") -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def parse(self, raw: RawDocument) -> Document:
        text = raw.content.decode()
        if text.startswith("!"):
            raise RuntimeError("the parser did not expect that")
        return Document(
            ref=raw.ref,
            title=text.split("\n", 1)[0],
            url=raw.url,
            text=text,
            readers=raw.readers,
            updated_at=raw.updated_at,
        )


def list_of(pages: dict[str, str]) -> list[str]:
    """Return the locations as they are now, so that a listing survives a change."""
    return sorted(pages)
