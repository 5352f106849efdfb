"""Comma-separated values, and those separated by semicolons, tabs or bars."""

import csv
from collections.abc import Iterator, Sequence

from index.formats import Refused
from index.formats.outline import Outline
from index.formats.rows import Rows

_SEPARATORS = ",;\t|"
_LOOKED_AT = 20
"""Lines that decide about the separator."""

_LONGEST_CELL = 1_000_000


def read(text: str) -> Outline:
    """Return the outline of a table as text. Raises Refused."""
    outline = Outline()
    csv.field_size_limit(_LONGEST_CELL)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    Rows(outline).write(_records(lines, _separator(lines)))
    return outline


def _records(lines: Sequence[str], separator: str) -> Iterator[list[str]]:
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator)
    try:
        yield from reader
    except csv.Error as error:
        raise Refused(f"is broken at line {reader.line_num:,}; save it anew as CSV") from error


def _separator(lines: Sequence[str]) -> str:
    """Return what splits the first lines into the most columns, equally many in each."""
    some = [line for line in lines[:_LOOKED_AT] if line.strip()]
    best, most = ",", 1
    for separator in _SEPARATORS:
        try:
            widths = [len(row) for row in csv.reader(some, delimiter=separator)]
        except csv.Error:
            continue
        usual = max(set(widths), key=widths.count, default=0)
        score = usual * widths.count(usual)
        if usual > 1 and score > most:
            best, most = separator, score
    return best
