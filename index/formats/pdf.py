"""PDF: the text of each page in the order of reading, with headings and paragraphs found again."""

from collections.abc import Iterator, Sequence
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium

from index.documents import Opens
from index.formats import Refused
from index.formats.outline import Outline, one_line
from index.formats.pdf_layout import Bookmark, Levels, headings, without_furniture
from index.formats.pdf_lines import Line, lines_of

MOST_PAGES: Final = 5_000
_MOST_BOOKMARKS = 5_000
_DEEPEST_BOOKMARK = 6
_LEADING = 1.65
"""Distance of two lines of one paragraph, in heights of the type; single spacing is 1.2."""

_FULL = 0.8
"""Share of the usual width from which on a line may be followed by another of its paragraph."""

_LONG = 30
"""Characters of a line that tells how wide lines are."""

_NO_TITLE = ("untitled", "(anonymous)", "microsoft word", "microsoft powerpoint", "unknown")
_ENDINGS = (".doc", ".docx", ".indd", ".pdf", ".ppt", ".pptx", ".qxd", ".rtf", ".tex", ".dvi")


def read(content: bytes) -> Outline:
    """Return the outline of a PDF file; its address opens pages. Raises Refused."""
    document = _opened(content)
    try:
        if len(document) > MOST_PAGES:
            raise Refused(f"has more than {MOST_PAGES:,} pages; split it")
        pages = without_furniture([_lines(document, number) for number in range(len(document))])
        if not any(pages):
            raise Refused(
                "holds only pictures of text, if any; run OCR over it and save the result"
            )
        outline = Outline(opens=Opens.PAGE)
        levels = headings(pages, list(_bookmarks(document)))
        for number, lines in enumerate(pages):
            outline.page(number + 1)
            _Page(outline, lines, number, levels).write()
        outline.title = _title(document, outline)
        return outline
    finally:
        document.close()


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise Refused("is protected by a password; save a copy without one") from error
        raise Refused("is no complete PDF file; save it anew") from error


def _lines(document: pypdfium2.PdfDocument, number: int) -> list[Line]:
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        # The other pages may be whole, and their numbers must not shift.
        return []
    try:
        text = page.get_textpage()
        try:
            return list(lines_of(text))
        finally:
            text.close()
    finally:
        page.close()


def _bookmarks(document: pypdfium2.PdfDocument) -> Iterator[Bookmark]:
    for count, mark in enumerate(document.get_toc(max_depth=_DEEPEST_BOOKMARK)):
        if count >= _MOST_BOOKMARKS:
            return
        place = mark.get_dest()
        page = place.get_index() if place is not None else None
        if page is not None:
            yield Bookmark(mark.get_title(), mark.level + 1, page)


def _title(document: pypdfium2.PdfDocument, outline: Outline) -> str:
    named = one_line(document.get_metadata_value("Title"))
    plain = named.lower()
    if named and not plain.startswith(_NO_TITLE) and not plain.endswith(_ENDINGS):
        return named
    first = [h for h in outline.headings if h.start < _first_page_ends(outline)]
    return min(first, key=lambda h: h.level).text if first else ""


def _first_page_ends(outline: Outline) -> int:
    return outline.pages[1].start if len(outline.pages) > 1 else outline.size


class _Page:
    """Writes one page: lines that belong together as one paragraph, cells as rows."""

    def __init__(
        self, outline: Outline, lines: Sequence[Line], number: int, levels: Levels
    ) -> None:
        self._outline = outline
        self._lines = lines
        self._levels = [levels.get((number, index)) for index in range(len(lines))]
        long = [line for line in lines if len(line.text) >= _LONG] or lines
        widths = sorted(line.right - line.left for line in long)
        self._full = _FULL * widths[len(widths) * 2 // 3] if widths else 0.0

    def write(self) -> None:
        start = 0
        while start < len(self._lines):
            end = start + 1
            while end < len(self._lines) and self._goes_on(end):
                end += 1
            self._block(start, end)
            start = end

    def _goes_on(self, index: int) -> bool:
        """Tell whether a line belongs to the block of the line before."""
        before, line = self._lines[index - 1], self._lines[index]
        if self._levels[index] != self._levels[index - 1]:
            return False
        drop = before.base - line.top
        if before.size != line.size or not 0 < drop <= _LEADING * line.size:
            return before.split
        if self._levels[index] is not None:
            return True
        return self._kind(before) == self._kind(line)

    @staticmethod
    def _kind(line: Line) -> str:
        return "code" if line.mono else "row" if len(line.cells) > 1 else "text"

    def _block(self, start: int, end: int) -> None:
        lines = self._lines[start:end]
        level = self._levels[start]
        if level is not None:
            self._outline.heading(_joined(lines), level)
            return
        match self._kind(lines[0]):
            case "code":
                left = min(line.left for line in lines)
                indents = [round((line.left - left) / (line.size * 0.6 or 1)) for line in lines]
                pairs = zip(indents, lines, strict=True)
                self._outline.verbatim("\n".join(" " * min(n, 40) + one.text for n, one in pairs))
            case "row":
                for index, line in enumerate(lines):
                    self._outline.paragraph(" | ".join(line.cells), close=index > 0)
            case _:
                for index, some in enumerate(self._paragraphs(lines)):
                    self._outline.paragraph(_joined(some), close=index > 0)

    def _paragraphs(self, lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
        """Cut where a line ends early, as the last of a paragraph or an item of a list does."""
        start = 0
        for index in range(1, len(lines)):
            before, line = lines[index - 1], lines[index]
            short = before.right - before.left < self._full and not before.split
            indented = line.left - before.left > line.size and not short
            if short or (indented and before.text.endswith((".", "!", "?", ":"))):
                yield lines[start:index]
                start = index
        yield lines[start:]


def _joined(lines: Sequence[Line]) -> str:
    return "".join(line.text if line.split else f"{line.text} " for line in lines)
