"""Which page a chunk is on, and which fragment of an address opens it there. Pure."""

from bisect import bisect_right

from index.documents import ANY_TEXT, Document, Opens


class Fragments:
    """Answers for one document, for offsets in the order of its text."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._counted = 0
        self._line = 1

    def page(self, offset: int) -> int | None:
        """Return the number of the page that ``offset`` is on, or None if there are no pages."""
        pages = self._document.pages
        after = bisect_right(pages, offset, key=lambda page: page.start)
        return pages[after - 1].number if after else None

    def anchor(self, offset: int, heading: str) -> str:
        """Return the anchor of the chunk that begins at ``offset``.

        ``heading`` is the anchor of the innermost heading above it, or empty.
        """
        match self._document.opens:
            case Opens.LINE:
                return f"L{self._line_at(offset)}"
            case Opens.PAGE:
                page = self.page(offset)
                return f"page={page}" if page is not None else ""
            case Opens.TEXT:
                return heading or ANY_TEXT
            case Opens.HEADING:
                return heading

    def _line_at(self, offset: int) -> int:
        """Count each line break once, however many chunks there are."""
        self._line += self._document.text.count("\n", self._counted, offset)
        self._counted = offset
        return self._line
