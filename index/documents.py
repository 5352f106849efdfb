"""The nouns of the index: what was read, how it was cut, and what answered.

Everything here is frozen and pure. Ids are opaque lower-case hex, so that they are safe inside a
LanceDB filter string, whatever a document or a person is called.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


def stable_id(*parts: str) -> str:
    """Return 32 hex digits that depend on every part and on the borders between the parts."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """Where a document is, and which version of it was seen there.

    ``source`` is the name of the source in the catalog, ``location`` is unique inside it (a
    relative path, a URL), ``version`` changes whenever the content may have changed (a content
    hash, an ETag).
    """

    source: str
    location: str
    version: str

    @property
    def id(self) -> str:
        """32 hex digits, the same for every version of the document."""
        return stable_id(self.source, self.location)


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document as its source gave it: bytes, not yet text."""

    ref: DocumentRef
    content: bytes
    media_type: str
    url: str
    readers: frozenset[str]
    updated_at: datetime | None


class Opens(StrEnum):
    """What the address of a document can name, so that a link opens the right place of it."""

    HEADING = "heading"
    """The anchor of a heading, if it has one."""
    TEXT = "text"
    """The anchor of a heading; else a browser finds the words themselves (``#:~:text=``)."""
    PAGE = "page"
    """A page (``#page=3``)."""
    LINE = "line"
    """A line (``#L10``): each line of the text is a line of the file, counted from 1."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a document; ``start`` is the character offset of its first character.

    Of source code, whose headings are its definitions, ``start`` is where the first line begins
    that belongs to one, such as its comment.
    """

    text: str
    level: int
    start: int
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a paged document; ``start`` is the character offset at which it begins."""

    number: int
    start: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document as text. Every offset counts characters of ``text``."""

    ref: DocumentRef
    title: str
    url: str
    text: str
    readers: frozenset[str]
    headings: tuple[Heading, ...] = ()
    pages: tuple[Page, ...] = ()
    updated_at: datetime | None = None
    opens: Opens = Opens.HEADING


ANY_TEXT = ":~:text="
"""The anchor of a chunk that only its own words lead to; whoever quotes it appends them."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a document: ``document.text[start:end] == text``, exactly.

    ``heading_path`` lists the headings above it, outermost first. ``anchor`` is the fragment that
    opens the chunk in its document: that of the innermost heading, ``page=3``, ``L10`` for the line
    it begins in, ``ANY_TEXT``, or empty.
    """

    id: str
    document_id: str
    ordinal: int
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    page: int | None = None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that answered a query, with what a reader needs to judge it.

    ``score`` is the fused score in [0, 1]; ``similarity`` is the cosine between query and chunk.
    ``url`` is the address of the document, or empty when it has none that a browser can open.
    """

    chunk: Chunk
    source: str
    title: str
    url: str
    score: float
    similarity: float
    readers: frozenset[str]
    updated_at: datetime | None = None


def fingerprint(version: str, readers: Iterable[str], recipe: str) -> str:
    """Return what must be equal for an indexed document to be left alone.

    ``recipe`` names parser, chunker and embedder: changing one of them re-indexes by itself.
    Readers are part of it, so that a revoked right reaches the index even if the text is unchanged.
    """
    return stable_id(version, recipe, *sorted(readers))
