"""Lines of print -> which of them are headings, and which only repeat on every page."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.formats.pdf_lines import Line

_LARGER = 1.15
"""How much larger than the body the type of a heading is."""

_LONGEST = 200
_LONGEST_BOLD = 100
_MOST_LEVELS = 6
_FEWEST_PAGES = 4
"""Pages from which on it shows what repeats."""

_FEWEST_BOOKMARKS = 3
"""Bookmarks that make a table of contents; fewer may leave out most headings."""

_NOT_WORDS = re.compile(r"[\W_]+")
_LEADERS = re.compile(r"(?:\. ?){4}")
"""Dots that lead to the number of a page, in a table of contents."""

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the file's own table of contents; ``page`` counts from 0, ``level`` from 1."""

    title: str
    level: int
    page: int


Levels = dict[tuple[int, int], int]
"""(Page, line), both from 0 -> level of the heading."""


def without_furniture(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Return the lines without those at the top and the bottom that repeat on half of the pages."""
    seen: Counter[tuple[str, str]] = Counter()
    for lines in pages:
        for edge, line in zip(("top", "bottom"), (lines[:1], lines[-1:]), strict=True):
            seen.update((edge, _furniture(one)) for one in line)
    often = max(3, len(pages) // 2)
    kept: list[list[Line]] = []
    for lines in pages:
        rest = list(lines)
        if len(pages) >= _FEWEST_PAGES:
            if rest and seen[("top", _furniture(rest[0]))] >= often:
                rest.pop(0)
            if rest and seen[("bottom", _furniture(rest[-1]))] >= often:
                rest.pop()
        kept.append(rest)
    return kept


def headings(pages: Sequence[Sequence[Line]], bookmarks: Sequence[Bookmark]) -> Levels:
    """Return the headings: where the file's bookmarks lead, else what is set larger or bold."""
    found = _bookmarked(pages, bookmarks)
    if len(found) >= max(_FEWEST_BOOKMARKS, len(bookmarks) // 2):
        return found
    return _by_type(pages)


def _bookmarked(pages: Sequence[Sequence[Line]], bookmarks: Iterable[Bookmark]) -> Levels:
    found: Levels = {}
    for mark in bookmarks:
        wanted = _letters(mark.title)
        if not wanted or not 0 <= mark.page < len(pages):
            continue
        for number, line in enumerate(pages[mark.page]):
            place = (mark.page, number)
            if place not in found and _letters(line.text) == wanted:
                found[place] = mark.level
                break
    return found


def _by_type(pages: Sequence[Sequence[Line]]) -> Levels:
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[line.size] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    large: dict[tuple[int, int], float] = {}
    bold: list[tuple[int, int]] = []
    for page, lines in enumerate(pages):
        for number, line in enumerate(lines):
            if not any(map(str.isalpha, line.text)) or len(line.text) > _LONGEST:
                continue
            if _LEADERS.search(line.text):
                continue
            if line.size >= body * _LARGER:
                large[(page, number)] = line.size
            elif _stands_out(lines, number, body):
                bold.append((page, number))
    order = sorted(set(large.values()), reverse=True)
    ranks = {size: min(rank, _MOST_LEVELS - 1) for rank, size in enumerate(order, start=1)}
    levels = {place: ranks[size] for place, size in large.items()}
    below = min(len(order) + 1, _MOST_LEVELS)
    return levels | dict.fromkeys(bold, below)


def _stands_out(lines: Sequence[Line], number: int, body: float) -> bool:
    """Tell whether a line is bold among others that are not."""
    line = lines[number]
    if not line.bold or line.size < body * 0.95 or len(line.text) > _LONGEST_BOLD:
        return False
    if len(line.cells) > 1 or line.text.endswith((".", ",", ";", ":")):
        return False
    near = [*lines[max(0, number - 1) : number], *lines[number + 1 : number + 2]]
    return not any(one.bold and one.size == line.size for one in near) and bool(near)


def _furniture(line: Line) -> str:
    return f"{round(line.top / 4)} {_DIGITS.sub('#', line.text)}"


def _letters(text: str) -> str:
    return _NOT_WORDS.sub("", text).casefold()
