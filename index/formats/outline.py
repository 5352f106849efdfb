"""Collects the text of a document block by block and remembers where its headings begin."""

import re
from dataclasses import dataclass, field

from index.documents import Heading, Opens, Page
from index.formats import Refused

_SPACE = re.compile(r"[\s\u200b\ufeff\u00ad]+")
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\ufeff]")


LONGEST_HEADING = 300

LARGEST_TEXT = 20_000_000
"""Characters; what holds more was made to exhaust whoever reads it."""


@dataclass
class Outline:
    """The text so far: blocks with an empty line between them, rows with a line break.

    ``title`` is what the document calls itself, empty if it does not say. ``opens`` is what its
    address can name.
    """

    title: str = ""
    opens: Opens = Opens.HEADING
    headings: list[Heading] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _size: int = 0
    _page: int | None = None

    @property
    def text(self) -> str:
        """What was collected."""
        return "".join(self._parts)

    @property
    def size(self) -> int:
        """How many characters were collected."""
        return self._size

    def heading(self, text: str, level: int, anchor: str = "") -> None:
        """Add a heading as a block of its own; one without text is dropped.

        What is too long to be one, such as all that follows an unclosed tag, is a paragraph:
        headings are copied into every chunk below them.
        """
        text = one_line(text)
        if len(text) > LONGEST_HEADING:
            self.paragraph(text)
        elif text:
            start = self._add(text, "\n\n")
            self.headings.append(Heading(text, level, start, anchor))

    def paragraph(self, text: str, *, mark: str = "", close: bool = False) -> None:
        """Add running text as one line; ``close`` sets it right under the line before."""
        text = one_line(text)
        if text:
            self._add(mark + text, "\n" if close else "\n\n")

    def verbatim(self, text: str, *, close: bool = False) -> None:
        """Add text whose line breaks and indentation mean something, such as code."""
        lines = [line.rstrip() for line in _HIDDEN.sub("", text).split("\n")]
        body = "\n".join(lines).strip("\n")
        if body.strip():
            self._add(body, "\n" if close else "\n\n")

    def continued(self, text: str) -> None:
        """Go on with the paragraph before, which a page break cut."""
        text = one_line(text)
        if text:
            self._add(text, " ")

    def lines(self, text: str) -> None:
        """Add a whole file whose lines stay what they are, so that ``Opens.LINE`` is true.

        ``text`` has line feeds for line ends; blanks at the ends of lines are dropped.
        """
        self.opens = Opens.LINE
        self._add("\n".join(line.rstrip() for line in _HIDDEN.sub("", text).split("\n")), "")

    def line_heading(self, text: str, level: int, start: int) -> None:
        """Note a heading that is part of the lines, at an offset of what was collected."""
        text = one_line(text)[:LONGEST_HEADING]
        if text:
            self.headings.append(Heading(text, level, start))

    def page(self, number: int) -> None:
        """Let a page begin with whatever is added next; a page without text is left out."""
        self._page = number

    def first_page(self) -> None:
        """Let page 1 begin where the text does, now that it is known to have pages."""
        self.pages.insert(0, Page(1, 0))

    def _add(self, text: str, gap: str) -> int:
        if self._parts:
            text = gap + text
        else:
            gap = ""
        self._parts.append(text)
        self._size += len(text)
        if self._size > LARGEST_TEXT:
            raise Refused(f"holds more than {LARGEST_TEXT:,} characters of text; split it")
        start = self._size - len(text) + len(gap)
        if self._page is not None:
            self.pages.append(Page(self._page, start))
            self._page = None
        return start


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space and no invisible characters."""
    return _SPACE.sub(" ", _HIDDEN.sub(lambda m: " " if m.group() < "\x20" else "", text)).strip()
