"""The keys of JSON with their depths and places, found in one pass, however deep it is nested."""

import re
from collections.abc import Iterator
from typing import Final

from index.formats import Refused

DEEPEST: Final = 200
"""Objects and lists inside each other."""

_MARK = re.compile(r'"(?P<string>(?:[^"\\]++|\\.)*+)"(?P<key>\s*:)?|[\[{]|[\]}]', re.DOTALL)


def keys(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each key with its depth (1 for those of the outermost object) and its offset.

    Raises Refused if ``text`` is nested more than ``DEEPEST`` levels deep.
    """
    depth = 0
    for mark in _MARK.finditer(text):
        symbol = mark[0]
        if symbol in ("{", "["):
            depth += 1
            if depth > DEEPEST:
                raise Refused(f"is nested more than {DEEPEST} levels deep; simplify it")
        elif symbol in ("}", "]"):
            depth -= 1
        elif mark["key"] is not None:
            yield mark["string"], depth, mark.start()


def check_depth(text: str) -> None:
    """Raise Refused if ``text`` is nested more than ``DEEPEST`` levels deep."""
    for _ in keys(text):
        pass
