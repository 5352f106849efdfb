"""Plain text, left as it is but for line ends and invisible characters."""

import re

from index.formats.outline import Outline

_GAPS = re.compile(r"\n{3,}")


def read(text: str) -> Outline:
    """Return the outline of a plain text: its lines, and no headings."""
    outline = Outline()
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    outline.verbatim(_GAPS.sub("\n\n", lines))
    return outline
