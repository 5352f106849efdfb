"""Which paths a pattern of the catalog or of a rule file means. Pure."""

import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

LONGEST_PATTERN = 300
"""Characters; whoever needs more needs several patterns."""

ANY_DEPTH = "**"


class PathPattern:
    """A pattern as in ``.gitignore``: ``hr/**``, ``*.draft.md``, ``**/private/``.

    ``*``, ``?`` and ``[a-z]`` stand for characters of one part of a path, ``**`` for any number of
    parts. With a slash at its beginning or inside it starts at the root; without, it is looked for
    at every depth. A pattern that means a folder means all that is below, and one that ends in a
    slash means a folder only. Case counts, as in Git; the ways in which Unicode writes the same
    letter do not.

    ``fnmatch`` of the standard library translates each part without backtracking, so that a pattern
    which anybody may write into a repository is done in time linear in the path. pathspec, made for
    such patterns, backtracks: twelve stars and a name of 40 characters took it 45 s.
    """

    def __init__(self, text: str) -> None:
        """Read a pattern. Raises ValueError with a sentence that begins with the pattern."""
        problem = _problem(text)
        if problem:
            raise ValueError(f"{text[:LONGEST_PATTERN]!r} {problem}")
        self.text = text
        self._folders_only = text.endswith("/")
        parts = _normal(text).removesuffix("/").split("/")
        if len(parts) == 1:
            parts = [ANY_DEPTH, *parts]
        elif parts[0] == "":
            del parts[0]
        if parts[-1] == ANY_DEPTH:
            parts.append("*")  # what is below a folder, and not the folder itself
        self._parts = [
            None if part == ANY_DEPTH else re.compile(fnmatch.translate(part)) for part in parts
        ]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PathPattern) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"PathPattern({self.text!r})"

    def matches(self, path: str) -> bool:
        """Tell whether the pattern means this document; ``path`` has ``/`` between its parts."""
        parts = _parts(path)
        first = self._parts[0]
        if first is not None and not first.match(parts[0]):
            return False  # how most end, without a walk
        reached = set(self._with_empty_depth([0]))
        for number, part in enumerate(parts, start=1):
            reached = set(self._with_empty_depth(self._after(part, reached)))
            if len(self._parts) in reached:
                return number < len(parts) or not self._folders_only
        return False

    def _after(self, part: str, reached: Iterable[int]) -> Iterator[int]:
        for at in reached:
            if at == len(self._parts):
                continue
            wanted = self._parts[at]
            if wanted is None:
                yield at
            elif wanted.match(part):
                yield at + 1

    def _with_empty_depth(self, reached: Iterable[int]) -> Iterator[int]:
        for at in reached:
            yield at
            while at < len(self._parts) and self._parts[at] is None:
                at += 1
                yield at


def _problem(text: str) -> str:
    if not text.strip("/").strip():
        return "is empty; write a path such as hr/**."
    if len(text) > LONGEST_PATTERN:
        return f"is longer than {LONGEST_PATTERN} characters; write several patterns."
    if text.startswith("!"):
        return "begins with !, which would exclude; the first pattern that fits decides instead."
    if "\\" in text:
        return "holds a backslash; write / between folders, and [*] for a plain star."
    if text.startswith("//") or {".", ".."} & set(text.split("/")):
        return "is no path below the root; write it from there, such as hr/**."
    return ""


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=1)
def _parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path, which is held against one pattern after the other."""
    return tuple(_normal(path).split("/"))


def _readable(text: str) -> str:
    PathPattern(text)
    return text


PatternText = Annotated[str, AfterValidator(_readable)]
"""A field of Options that holds a pattern."""
