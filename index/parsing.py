"""Bytes -> text with headings and offsets, for Markdown, HTML and plain text."""

import unicodedata
from collections.abc import Callable, Mapping
from email.message import Message
from pathlib import PurePosixPath
from types import MappingProxyType

from index.documents import Document, RawDocument
from index.errors import DocumentUnreadable
from index.formats import LARGEST_BYTES, MEDIA_TYPES, html, markdown, plain
from index.formats.decoding import Undecodable, decoded
from index.formats.outline import Outline

_READERS: Mapping[str, Callable[[str], Outline]] = MappingProxyType(
    {
        "text/markdown": markdown.read,
        "text/x-markdown": markdown.read,
        "text/html": html.read,
        "application/xhtml+xml": html.read,
        "text/plain": plain.read,
    }
)
_LONGEST_TITLE = 300


class DocumentParser:
    """The Parser port for the formats of ``index.formats``."""

    @property
    def name(self) -> str:
        """Name and version; raise the version whenever the same bytes give another text."""
        return "text-1"

    def parse(self, raw: RawDocument) -> Document:
        """Return the document as text.

        Raises DocumentUnreadable if it is empty, larger than ``LARGEST_BYTES``, binary, damaged or
        of another format.
        """
        where = raw.ref.location
        if len(raw.content) > LARGEST_BYTES:
            raise DocumentUnreadable(
                f"{where} has {len(raw.content):,} bytes; split it into files of at most"
                f" {LARGEST_BYTES:,} bytes."
            )
        media_type, charset = _media_type(raw)
        reader = _READERS.get(media_type)
        if reader is None:
            known = ", ".join(sorted(MEDIA_TYPES))
            raise DocumentUnreadable(
                f"{where} is {media_type or 'of no known format'}; save it as one of {known}."
            )
        try:
            text = decoded(raw.content, charset=charset, markup=reader is html.read)
        except Undecodable as error:
            raise DocumentUnreadable(f"{where} {error}; save it as UTF-8 text.") from error
        try:
            outline = reader(text)
        except ValueError as error:
            raise DocumentUnreadable(f"{where} cannot be read: {error}; simplify it.") from error
        return Document(
            ref=raw.ref,
            title=(outline.title or _file_title(where))[:_LONGEST_TITLE],
            url=raw.url,
            text=outline.text,
            readers=raw.readers,
            headings=tuple(outline.headings),
            updated_at=raw.updated_at,
        )


def _media_type(raw: RawDocument) -> tuple[str, str]:
    """Return media type and charset; the suffix of the location decides where no type is given."""
    header = Message()
    header["content-type"] = raw.media_type.replace("\n", " ").replace("\r", " ")
    named = raw.media_type.partition(";")[0].strip().lower()
    if named in ("", "application/octet-stream"):
        named = MEDIA_TYPES.get(PurePosixPath(raw.ref.location.lower()).suffix, named)
    return named, str(header.get_content_charset() or "")


def _file_title(location: str) -> str:
    name = PurePosixPath(location.rstrip("/")).name or location
    stem = PurePosixPath(name).stem if PurePosixPath(name).suffix.lower() in MEDIA_TYPES else name
    return unicodedata.normalize("NFC", " ".join(stem.replace("_", " ").split())) or location
