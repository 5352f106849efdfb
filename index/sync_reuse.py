"""Which texts of a run need not be embedded: their vectors are in the index, or on their way there.

::

    window 7   the index is asked ───── waits ───── embedded ───── staged ───── committed
    window 8          the index is asked ───── waits ───── knows what 7 embedded ─────

The index is asked early, while earlier windows are still on their way into it, so what those have
embedded is kept until a window was looked up that could find it in the index.
"""

from collections.abc import Collection, Mapping

from index.ports import Vector
from index.sync_committing import Shelf


class Reuse:
    """The known vectors of one run. Windows are numbered in the order in which they pass."""

    def __init__(self, index: Shelf) -> None:
        """Ask this index."""
        self._index = index
        self._committed = -1
        self._asked_after: dict[int, int] = {}
        self._found: dict[int, Mapping[str, Vector]] = {}
        self._made: dict[int, Mapping[str, Vector]] = {}

    async def look_up(self, window: int, text_ids: Collection[str]) -> None:
        """Ask the index which of these it knows."""
        self._asked_after[window] = self._committed
        self._found[window] = await self._index.vectors(text_ids)

    def known(self, window: int, text_ids: Collection[str]) -> dict[str, Vector]:
        """Return all known vectors of these; to be called once for a window, after ``look_up``."""
        committed = self._asked_after.pop(window)
        self._made = {number: made for number, made in self._made.items() if number > committed}
        known = dict(self._found.pop(window))
        for made in self._made.values():
            known |= {one: made[one] for one in text_ids if one in made}
        return known

    def add(self, window: int, made: Mapping[str, Vector]) -> None:
        """Keep what was embedded for a window until the index has it."""
        self._made[window] = made

    def committed(self, window: int) -> None:
        """Note that the index holds all windows up to this one."""
        self._committed = window
