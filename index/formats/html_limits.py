"""HTML -> tree, unless building the tree would take quadratic time.

The parser looks up the whole stack of open elements for most tags, and compares each attribute of
an element with all others: 100,000 nested ``<div>`` took 35 s, 100,000 attributes 170 s. One pass
over the tags, at the speed of a regular expression, finds such pages first.
"""

import re
from collections import Counter
from typing import Final

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

DEEPEST: Final = 2_000
MOST_ATTRIBUTES: Final = 200

_TAG = re.compile(
    r"<!--(?P<comment>-?>)?"
    r"|<(?P<closing>/?)(?P<name>[A-Za-z][^\s/>]*+)"
    r"(?P<rest>(?:[^\"'>]++|\"[^\"]*+\"|'[^']*+'|[\"'])*+)"
)
_COMMENT_END = re.compile(r"--!?>")
_QUOTED = re.compile(r"\"[^\"]*+\"|'[^']*+'")
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/\"']+")
_RAW_TEXT = frozenset("script style textarea title xmp iframe noembed noframes".split())
_NEVER_DEEP = frozenset(
    "a area base br col embed hr img input link meta source track wbr p li dt dd tr td th thead"
    " tbody tfoot option optgroup colgroup caption rp rt".split()
)
"""Elements that hold nothing, or that the next one of their kind closes."""


def parsed(text: str) -> LexborHTMLParser:
    """Return the tree of ``text``.

    Raises ValueError if more than ``DEEPEST`` elements are open inside each other, or if one has
    more than ``MOST_ATTRIBUTES`` attributes. Raises MemoryError.
    """
    open_elements: Counter[str] = Counter()
    depth = 0
    found = _TAG.search(text)
    while found is not None:
        end = found.end()
        name = (found["name"] or "").lower()
        if not name:
            end = end if found["comment"] else _after(_COMMENT_END, text, end)
        elif found["closing"]:
            if open_elements[name]:
                open_elements[name] -= 1
                depth -= 1
        else:
            _check_attributes(found["rest"])
            foreign = open_elements["svg"] or open_elements["math"]
            if name in _RAW_TEXT and not foreign:
                end = _after(re.compile(rf"</{name}", re.IGNORECASE), text, end)
            elif name not in _NEVER_DEEP:
                open_elements[name] += 1
                depth += 1
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST:,} elements are open inside each other")
        found = _TAG.search(text, end)
    try:
        return LexborHTMLParser(text)
    except SelectolaxError as error:
        # Any text is HTML; only memory can be lacking.
        raise MemoryError from error


def _after(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.search(text, start)
    return found.end() if found else len(text)


def _check_attributes(rest: str) -> None:
    if len(rest) <= MOST_ATTRIBUTES:
        return
    if len(_BETWEEN_ATTRIBUTES.split(_QUOTED.sub(" ", rest))) > MOST_ATTRIBUTES:
        raise ValueError(f"an element has more than {MOST_ATTRIBUTES} attributes")
