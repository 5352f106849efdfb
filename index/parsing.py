"""Bytes -> text with headings, pages and offsets, for the formats of ``index.formats``."""

import unicodedata
from collections.abc import Mapping
from email.message import Message
from importlib import import_module
from pathlib import PurePosixPath
from types import MappingProxyType

from index.documents import Document, Opens, RawDocument
from index.errors import DocumentUnreadable
from index.formats import LARGEST_BYTES, MEDIA_TYPES, SOURCE_CODE, TO_SAVE_AS, Refused
from index.formats.decoding import Undecodable, decoded
from index.formats.outline import Outline

_OF_TEXT: Mapping[str, str] = MappingProxyType(
    {
        "text/markdown": "markdown",
        "text/x-markdown": "markdown",
        "text/html": "html",
        "application/xhtml+xml": "html",
        "text/plain": "plain",
        "text/x-rst": "rst",
        "text/prs.fallenstein.rst": "rst",
        "text/csv": "delimited",
        "text/tab-separated-values": "delimited",
        "application/x-ipynb+json": "notebook",
        "application/json": "json_text",
        "application/yaml": "yaml_text",
        "application/x-yaml": "yaml_text",
        "text/yaml": "yaml_text",
        "text/x-yaml": "yaml_text",
        SOURCE_CODE: "code",
    }
)
_OF_BYTES: Mapping[str, str] = MappingProxyType(
    {
        MEDIA_TYPES[".pdf"]: "pdf",
        MEDIA_TYPES[".docx"]: "docx",
        MEDIA_TYPES[".pptx"]: "pptx",
        MEDIA_TYPES[".xlsx"]: "xlsx",
        MEDIA_TYPES[".epub"]: "epub",
        MEDIA_TYPES[".eml"]: "mail",
    }
)
"""Media type -> module of ``index.formats`` whose ``read`` reads it, from text or from bytes.

A module is imported when it is needed, for some bring a large library along.
"""

_UNSAID = frozenset(("", "application/octet-stream", "binary/octet-stream"))
_LONGEST_TITLE = 300


class DocumentParser:
    """The Parser port for the formats of ``index.formats``, in this very process.

    Documents that somebody else wrote belong into ``index.sandbox``, which runs this one.
    """

    @property
    def name(self) -> str:
        """Name and version; raise the version whenever the same bytes give another text."""
        return "formats-1"

    def parse(self, raw: RawDocument) -> Document:
        """Return the document as text.

        Raises DocumentUnreadable if it is empty, larger than ``LARGEST_BYTES``, protected, damaged
        or of another format.
        """
        where = raw.ref.location
        if len(raw.content) > LARGEST_BYTES:
            raise DocumentUnreadable(
                f"{where} has {len(raw.content):,} bytes; split it into files of at most"
                f" {LARGEST_BYTES:,} bytes."
            )
        media_type, charset = _media_type(raw)
        try:
            outline = _outline(raw.content, media_type, charset)
        except Undecodable as error:
            raise DocumentUnreadable(f"{where} {error}; save it as UTF-8 text.") from error
        except Refused as error:
            raise DocumentUnreadable(f"{where} {error}.") from error
        except ValueError as error:
            raise DocumentUnreadable(f"{where} cannot be read: {error}; simplify it.") from error
        except MemoryError:
            raise
        except Exception as error:
            # Whatever a library trips over is one broken document, and no reason to stop.
            raise DocumentUnreadable(
                f"{where} is broken ({type(error).__name__}); open it and save it anew."
            ) from error
        return Document(
            ref=raw.ref,
            title=(outline.title or _file_title(where))[:_LONGEST_TITLE],
            url=raw.url,
            text=outline.text,
            readers=raw.readers,
            headings=tuple(outline.headings),
            pages=tuple(outline.pages),
            updated_at=raw.updated_at,
            opens=_opens(outline, where),
        )


def _outline(content: bytes, media_type: str, charset: str) -> Outline:
    name = _OF_BYTES.get(media_type)
    given: bytes | str = content
    if name is None:
        name = _OF_TEXT.get(media_type)
        if name is None:
            raise Refused(
                f"is {media_type or 'of no known format'}; save it as one of {TO_SAVE_AS}"
            )
        given = decoded(content, charset=charset, markup=name == "html")
    outline = import_module(f"index.formats.{name}").read(given)
    assert isinstance(outline, Outline)
    return outline


def _opens(outline: Outline, location: str) -> Opens:
    """Return what a link can open; lines only of files, not of a message or a row somewhere."""
    if outline.opens is Opens.LINE and _suffix(location) not in MEDIA_TYPES:
        return Opens.HEADING
    return outline.opens


def _media_type(raw: RawDocument) -> tuple[str, str]:
    """Return media type and charset; the suffix of the location decides where no type is given."""
    header = Message()
    header["content-type"] = raw.media_type.replace("\n", " ").replace("\r", " ")
    named = raw.media_type.partition(";")[0].strip().lower()
    by_suffix = MEDIA_TYPES.get(_suffix(raw.ref.location))
    if by_suffix and (named in _UNSAID or _says_less(named, by_suffix)):
        named = by_suffix
    return named, str(header.get_content_charset() or "")


def _says_less(named: str, by_suffix: str) -> bool:
    """Tell whether a type says less of a text than its suffix, as servers do of source code."""
    if by_suffix not in _OF_TEXT or named in _OF_BYTES:
        return False
    if named in _OF_TEXT:
        return named == "text/plain"
    return named.startswith("text/") or by_suffix == SOURCE_CODE


def _suffix(location: str) -> str:
    return PurePosixPath(location.lower()).suffix


def _file_title(location: str) -> str:
    name = PurePosixPath(location.rstrip("/")).name or location
    stem = PurePosixPath(name).stem if PurePosixPath(name).suffix.lower() in MEDIA_TYPES else name
    return unicodedata.normalize("NFC", " ".join(stem.replace("_", " ").split())) or location
