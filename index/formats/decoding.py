"""Bytes -> text, when nobody says in which encoding they were written."""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.I
)
_HEAD = 2_048
"""Bytes in which a page has to declare its encoding; the HTML rules ask for 1,024."""


class Undecodable(ValueError):
    """The bytes are no text in any encoding that was tried."""


def decoded(content: bytes, *, charset: str = "", markup: bool = False) -> str:
    """Return ``content`` as text.

    Tried are byte order mark, ``charset``, the declaration of a page, UTF-8, Windows-1252.

    Raises Undecodable with half a sentence that says what is wrong.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _strict(content, name)
    if b"\0" in content:
        raise Undecodable("holds binary data")
    found = _DECLARED.search(content[:_HEAD]) if markup else None
    for name in (charset, found.group(1).decode("ascii", "replace") if found else ""):
        encoding = _known(name)
        if encoding and encoding != "utf-8":
            return _strict(content, encoding)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(content, error.start)


def _strict(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Undecodable(f"is broken at byte {error.start:,} as {encoding}") from error
    if "\0" in text:
        raise Undecodable("holds binary data")
    return text


def _known(name: str) -> str:
    """Return the codec for a declared name; web pages that say Latin-1 mean Windows-1252."""
    try:
        encoding = codecs.lookup(name).name if name else ""
    except LookupError:
        return ""
    if encoding in ("iso8859-1", "ascii"):
        return "cp1252"
    return "" if encoding.startswith(("utf-16", "utf-32")) or encoding in _NOT_TEXT else encoding


_NOT_TEXT = frozenset(
    "base64 bz2 hex quopri rot13 uu zlib idna punycode unicode_escape raw_unicode_escape"
    " utf-7".split()
)


def _not_utf8(content: bytes, position: int) -> str:
    """Read as Windows-1252, unless most of it is UTF-8 after all and merely damaged."""
    readable = content.decode("utf-8", "replace")
    damaged = readable.count("\ufffd")
    if sum(c > "\x7f" for c in readable) - damaged > damaged:
        raise Undecodable(f"is broken at byte {position:,} as UTF-8")
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise Undecodable(f"is neither UTF-8 nor Windows-1252 (byte {error.start:,})") from error
    controls = sum(c < " " and c not in "\t\n\r\f" for c in text)
    if controls > len(text) // 200:
        raise Undecodable("holds binary data")
    return text
