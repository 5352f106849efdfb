"""Plain text, left as it is but for line ends and invisible characters."""

from index.formats.outline import Outline


def read(text: str) -> Outline:
    """Return the outline of a plain text: its lines, and no headings."""
    outline = Outline()
    outline.lines(with_line_feeds(text))
    return outline


def with_line_feeds(text: str) -> str:
    """Return ``text`` with one kind of line end, and none at its end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
