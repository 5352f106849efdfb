"""Collects the text of a document block by block and remembers where its headings begin."""

import re
from dataclasses import dataclass, field

from index.documents import Heading

_SPACE = re.compile(r"[\s\u200b\ufeff\u00ad]+")
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\ufeff]")


LONGEST_HEADING = 300


@dataclass
class Outline:
    """The text so far: blocks with an empty line between them, rows with a line break.

    ``title`` is what the document calls itself, empty if it does not say.
    """

    title: str = ""
    headings: list[Heading] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _size: int = 0

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

    def _add(self, text: str, gap: str) -> int:
        if self._parts:
            text = gap + text
        else:
            gap = ""
        self._parts.append(text)
        self._size += len(text)
        return self._size - len(text) + len(gap)


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space and no invisible characters."""
    return _SPACE.sub(" ", _HIDDEN.sub(lambda m: " " if m.group() < "\x20" else "", text)).strip()
