"""JSON as a file that people open by line, with its outer keys as headings."""

import json
from typing import Final

from index.formats import Refused
from index.formats.json_shape import keys
from index.formats.outline import Outline
from index.formats.plain import with_line_feeds

HEADING_DEPTH: Final = 2
"""Keys that are headings: those of the outermost object, and those right below."""

MOST_HEADINGS: Final = 2_000
LONGEST_LINE: Final = 2_000
"""Characters of a line above which nobody wrote it, so that it is laid out anew."""


def read(text: str) -> Outline:
    """Return the outline of a JSON text. Raises Refused.

    What has comments or trailing commas, as configuration may, is read as well.
    """
    outline = Outline()
    text = with_line_feeds(text)
    for _ in keys(text):
        pass
    by_line = max(map(len, text.split("\n"))) <= LONGEST_LINE
    if not by_line:
        try:
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError as error:
            raise Refused("is broken JSON; save it anew") from error
        outline.verbatim(text)
    else:
        outline.lines(text)
    found = [one for one in keys(outline.text) if one[1] <= HEADING_DEPTH][:MOST_HEADINGS]
    for name, depth, start in found:
        outline.line_heading(name, depth, start)
    return outline
