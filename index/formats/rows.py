"""Tables of data: each row says what its values are, since a reader may see it alone."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from index.formats import Refused
from index.formats.outline import Outline, one_line

MOST_CELLS: Final = 200_000
"""Cells with something in them, in one file."""

_NUMBER = re.compile(r"[-+(]?[\d.,'%\s€$£-]+\)?")


class Rows:
    """Writes the tables of one file into its outline, and counts their cells."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._cells = 0

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        """Add a table. Below a row of names, each row becomes ``name: value | name: value``.

        Raises Refused if the file holds more than ``MOST_CELLS`` cells.
        """
        names: Sequence[str] | None = None
        close = False
        for row in rows:
            cells = [one_line(cell) for cell in row]
            filled = [cell for cell in cells if cell]
            self._cells += len(filled)
            if self._cells > MOST_CELLS:
                raise Refused(
                    f"holds more than {MOST_CELLS:,} cells; save the part that people ask about"
                )
            if not filled:
                continue
            if names is None:
                names = cells if _are_names(filled) else ()
                line = " | ".join(filled)
            else:
                line = " | ".join(_named(names, cells))
            self._outline.paragraph(line, close=close)
            close = True


def _are_names(cells: Sequence[str]) -> bool:
    """Tell whether a first row names its columns: several different words, no figures."""
    return len(cells) > 1 and len(set(cells)) == len(cells) and not any(map(_is_figure, cells))


def _is_figure(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _named(names: Sequence[str], cells: Sequence[str]) -> Iterable[str]:
    for column, cell in enumerate(cells):
        if cell:
            name = names[column] if column < len(names) else ""
            yield f"{name}: {cell}" if name else cell
