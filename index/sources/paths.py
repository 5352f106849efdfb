"""What the path of a file tells, wherever the file is: a folder, a repository, a bucket. Pure."""

from pathlib import PurePosixPath
from typing import Final

from index.documents import DocumentRef
from index.errors import DocumentUnreadable
from index.formats import LARGEST_BYTES, MEDIA_TYPES, TO_SAVE_AS

NOT_YET_READ: Final = frozenset(
    ".doc .odt .rtf .ppt .odp .xls .xlsb .ods .mobi .azw3 .djvu .xps .adoc .asciidoc .org .tex"
    " .pages .key .numbers .msg .mdx .wpd .one .vsdx".split()
)
"""Suffixes of documents that people would expect to find but no reader understands."""


def is_document(path: str) -> bool:
    """Tell whether a path is one of a document, and no part of it is hidden.

    Documents are what has a suffix of ``MEDIA_TYPES``, and what has one of ``NOT_YET_READ``, so
    that a sync names it with the reason. Parts that are empty or begin with a dot are hidden.
    """
    if any(not part or part.startswith(".") for part in path.split("/")):
        return False
    suffix = PurePosixPath(path).suffix.lower()
    return suffix in MEDIA_TYPES or suffix in NOT_YET_READ


def media_type(path: str) -> str:
    """Return the media type that the suffix stands for.

    Raises DocumentUnreadable for a suffix that no reader understands.
    """
    suffix = PurePosixPath(path).suffix.lower()
    known = MEDIA_TYPES.get(suffix)
    if known is None:
        raise DocumentUnreadable(
            f"{path} is a {suffix} file, which cannot be read yet; save it as one of {TO_SAVE_AS}."
        )
    return known


def refuse_too_large(path: str, size: int) -> None:
    """Raise DocumentUnreadable for a file of more than ``LARGEST_BYTES`` bytes."""
    if size > LARGEST_BYTES:
        raise DocumentUnreadable(
            f"{path} has {size:,} bytes; split it into files of at most {LARGEST_BYTES:,} bytes."
        )


def printable(path: bytes) -> str:
    """Return a path that any store can hold: bytes that are no UTF-8 become ``%XX``."""
    return "".join(
        f"%{ord(character) - 0xDC00:02X}" if "\udc80" <= character <= "\udcff" else character
        for character in path.decode("utf-8", "surrogateescape")
    )


def vanished(ref: DocumentRef) -> DocumentUnreadable:
    """Return the error about a document that was listed and is gone."""
    return DocumentUnreadable(
        f"{ref.location} vanished after it was listed; sync again if it should be there."
    )
