"""YAML as a file that people open by line, with its outer keys as headings."""

import re

from index.formats import Refused
from index.formats.json_text import HEADING_DEPTH, MOST_HEADINGS
from index.formats.outline import Outline
from index.formats.plain import with_line_feeds

_KEY = re.compile(
    r"^(?P<indent> *)(?:- +)?(?P<name>[\w$./][\w $./@-]{0,99}|\"[^\"\n]{1,100}\"|'[^'\n]{1,100}'):"
    r"(?=\s|$)",
    re.MULTILINE,
)
_BLOCK = re.compile(r"^(?P<indent> *)[^\n#]*?(?::|-)[ \t]+[|>][-+\d]*[ \t]*(?:#[^\n]*)?$")
_LONGEST_LINE = 20_000


def read(text: str) -> Outline:
    """Return the outline of a YAML text, which is never expanded. Raises Refused."""
    outline = Outline()
    text = with_line_feeds(text)
    if any(len(line) > _LONGEST_LINE for line in text.split("\n")):
        raise Refused(f"has a line of more than {_LONGEST_LINE:,} characters; break it up")
    outline.lines(text)
    levels: list[int] = []
    start, block = 0, -1
    for line in outline.text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        if line.strip() and indent <= block:
            block = -1
        if block < 0 and len(outline.headings) < MOST_HEADINGS:
            found = _KEY.match(line)
            if found:
                while levels and levels[-1] >= indent:
                    levels.pop()
                levels.append(indent)
                if len(levels) <= HEADING_DEPTH:
                    outline.line_heading(found["name"].strip("\"'"), len(levels), start)
            if _BLOCK.match(line):
                block = indent
        start += len(line) + 1
    return outline
