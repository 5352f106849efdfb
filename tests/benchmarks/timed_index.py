"""An index that tells how long its writer was busy, and with what."""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from index.lance import LanceIndex
from index.ports import Vector


class TimedIndex(LanceIndex):
    """A LanceIndex. ``spent`` holds seconds by what was done, since it was last cleared.

    "commit" includes the compaction that a commit does when it finds the table scattered.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.spent: Counter[str] = Counter()

    async def commit(self) -> int:
        with self._timed("commit"):
            return await super().commit()

    async def maintain(self, *, force: bool = False) -> None:
        with self._timed("maintain"):
            await super().maintain(force=force)

    async def fingerprints(self, source: str) -> Mapping[str, str]:
        with self._timed("fingerprints"):
            return await super().fingerprints(source)

    async def vectors(self, text_ids: Collection[str]) -> Mapping[str, Vector]:
        with self._timed("look_up"):
            return await super().vectors(text_ids)

    def taken(self) -> dict[str, float]:
        """Return the seconds since the last call."""
        spent, self.spent = self.spent, Counter()
        return {name: round(seconds, 2) for name, seconds in spent.items()}

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.spent[name] += time.monotonic() - began
