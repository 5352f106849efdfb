"""What stands beside the rows that searches have read, since it is asked for next.

Chunks of a document mostly stand in a table as they stand in the document, so the neighbour of a
row has the number before or after. Where it has not, the storage must be asked.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from index.lance_packed import Unpacked

MOST = 8_000
"""Values that are kept, 2 kB each: those of about 10 questions that are answered at once."""

Place = tuple[str, int]

_IN_FILE = np.uint64((1 << 32) - 1)
"""The bits of a row's number that say where in its file it stands."""


def with_neighbours(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return these numbers of rows, and those of what stands before and after each in its file."""
    one = np.uint64(1)
    return np.unique(
        np.concatenate([numbers, numbers[numbers & _IN_FILE > 0] - one, numbers + one])
    )


class Beside:
    """Packed values of rows of one version, by their numbers, and the places of those found."""

    def __init__(self, of: object) -> None:
        """Keep nothing yet; ``of`` names the version."""
        self.of = of
        self._values: dict[int, bytes | None] = {}
        self._found: dict[Place, tuple[int, int]] = {}

    def keep(self, values: Mapping[int, bytes | None], found: Mapping[int, Unpacked]) -> None:
        """Keep values that were read, some of them of rows that were ``found``."""
        if len(self._values) + len(values) > MOST:
            self._values, self._found = {}, {}
        self._values |= values
        self._found |= {one.place: (number, one.chunks) for number, one in found.items()}

    def at(self, places: Iterable[Place], dimensions: int) -> dict[Place, Unpacked | None]:
        """Return what stands at ``places``, where that is known; None for nothing."""
        known: dict[Place, Unpacked | None] = {}
        for place in places:
            document, ordinal = place
            for step in (-1, 0, 1):
                number, chunks = self._found.get((document, ordinal + step), (-1, 0))
                if number < 0:
                    continue
                if ordinal >= chunks:
                    known[place] = None
                    break
                row = Unpacked.of(self._values.get(number - step), dimensions)
                if row is not None and row.place == place:
                    known[place] = row
                    break
        return known
