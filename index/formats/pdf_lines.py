"""The lines of a PDF page as PDFium finds them, with what they look like."""

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

_SPACES = " \u00a0\t"
_SPLIT_WORD = "\u0002\ufffe"
"""Either stands for a hyphen at the end of a line, in the middle of a word; PDFium joins both."""

_HYPHENS = re.compile(f"[{_SPLIT_WORD}]")
_GAP = 1.5
"""Blank between two words, in heights of the type, that makes cells of them."""

_NAME_BYTES = 128


@dataclass(frozen=True, slots=True)
class Line:
    """A line of print. Positions are in points, from the lower left corner of the page.

    ``cells`` are the parts between wide gaps; ``split`` tells that the last word goes on. A line
    that PDFium joined with the next, at a hyphen, ends lower (``base``) than it begins (``top``).
    """

    text: str
    cells: tuple[str, ...]
    split: bool
    size: float
    bold: bool
    mono: bool
    left: float
    right: float
    top: float
    base: float


def lines_of(page: Any) -> Iterator[Line]:
    """Yield the lines of a page (its ``PdfTextPage``) in the order of reading."""
    handle = page.raw
    count = max(0, pdfium.FPDFText_CountChars(handle))
    text = _text(handle, count)
    start = 0
    while start < count:
        end = text.find("\n", start)
        end = count if end < 0 else end
        line = _line(handle, text, start, end)
        if line is not None:
            yield line
        start = end + 1


def _text(handle: Any, count: int) -> str:
    """Return exactly one character for each that PDFium counts, so that offsets are its indexes."""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(handle, 0, count, buffer)
    text = bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")
    if len(text) == count:
        return text
    codes = (pdfium.FPDFText_GetUnicode(handle, index) for index in range(count))
    return "".join(chr(code) if 0 < code < 0x110000 else " " for code in codes)


def _line(handle: Any, text: str, start: int, end: int) -> Line | None:
    stretch = text[start:end].rstrip("\r" + _SPACES)
    split = stretch.endswith(tuple(_SPLIT_WORD))
    stretch = stretch.rstrip(_SPLIT_WORD)
    first = start + len(stretch) - len(stretch.lstrip(_SPACES + "\r"))
    last = start + len(stretch) - 1
    if last < first or not stretch.strip():
        return None
    middle = (first + last) // 2
    while middle < last and text[middle] in _SPACES:
        middle += 1
    size = _size(handle, middle)
    name = _font(handle, middle)
    bold = _is_bold(handle, first) and _is_bold(handle, last)
    left, _ = _sides(handle, first)
    _, right = _sides(handle, last)
    words = text[first : last + 1]
    return Line(
        text=_plain(words),
        cells=tuple(_cells(handle, words, first, size)),
        split=split,
        size=size,
        bold=bold,
        mono=any(part in name for part in ("mono", "courier", "consol", "typewriter", "cmtt")),
        left=left,
        right=right,
        top=_base(handle, first),
        base=_base(handle, last),
    )


def _cells(handle: Any, words: str, first: int, size: float) -> Sequence[str]:
    cells, begin = [], 0
    for index, character in enumerate(words):
        if character not in _SPACES or not 0 < index < len(words) - 1:
            continue
        _, before = _sides(handle, first + index - 1)
        after, _ = _sides(handle, first + index + 1)
        if after - before > _GAP * size and words[begin:index].strip():
            cells.append(_plain(words[begin:index]))
            begin = index + 1
    return [*cells, _plain(words[begin:])]


def _plain(words: str) -> str:
    return " ".join(_HYPHENS.sub("", words).split())


def _sides(handle: Any, index: int) -> tuple[float, float]:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(handle, index, left, right, bottom, top)
    return left.value, right.value


def _base(handle: Any, index: int) -> float:
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(handle, index, x, y)
    return y.value


def _size(handle: Any, index: int) -> float:
    """Return the height of the type in points, to the half; many files scale a font of size 1."""
    matrix = pdfium.FS_MATRIX()
    scale = 1.0
    if pdfium.FPDFText_GetMatrix(handle, index, matrix):
        scale = (matrix.c**2 + matrix.d**2) ** 0.5
    return round(2 * scale * float(pdfium.FPDFText_GetFontSize(handle, index))) / 2


def _font(handle: Any, index: int) -> str:
    name, flags = ctypes.create_string_buffer(_NAME_BYTES), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(handle, index, name, _NAME_BYTES, flags)
    return name.value.decode("utf-8", "replace").lower()


def _is_bold(handle: Any, index: int) -> bool:
    if pdfium.FPDFText_GetFontWeight(handle, index) >= 600:
        return True
    name = _font(handle, index)
    return any(part in name for part in ("bold", "black", "heavy", "semibold", "cmbx"))
