"""The last step of a sync: entries are staged, and committed many at a time, in bounded memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from index.ports import IndexEntry, Vector
from index.sync_progress import Telling

COMMIT_DOCUMENTS = 300
COMMIT_CHUNKS = 8_192


class Shelf(Protocol):
    """The part of a VectorIndex that documents are brought to; see ports.py."""

    async def readers(self, document_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return who may read each of these documents, by its id; what is not held is left out."""
        ...

    async def vectors(self, text_ids: Collection[str]) -> Mapping[str, Vector]:
        """Return the vectors of equal texts, by ``stable_id``; other ids are left out."""
        ...

    async def stage(self, entries: Sequence[IndexEntry]) -> None:
        """Keep entries for the next commit."""
        ...

    async def commit(self) -> int:
        """Replace the staged documents, each wholly, in one version. Returns the version."""
        ...

    async def discard(self) -> None:
        """Forget what is staged."""
        ...


@dataclass(frozen=True, slots=True)
class Ready:
    """An entry that can be committed; one without chunks drops its document from the index."""

    entry: IndexEntry
    known_before: bool


class Committing:
    """Brings entries to the index, and counts the documents that are in it by then."""

    def __init__(self, index: Shelf, telling: Telling) -> None:
        """Nothing is staged yet."""
        self._index = index
        self._telling = telling
        self._waiting: list[Ready] = []
        self._chunks = 0

    async def add(self, ready: Sequence[Ready]) -> bool:
        """Stage these; tell whether they and all before them were committed too."""
        await self._index.stage([one.entry for one in ready])
        self._waiting += ready
        self._chunks += sum(len(one.entry.chunks) for one in ready)
        if len(self._waiting) < COMMIT_DOCUMENTS and self._chunks < COMMIT_CHUNKS:
            return False
        await self.flush()
        return True

    async def flush(self) -> None:
        """Commit what is staged, if anything is."""
        if not self._waiting:
            return
        await self._index.commit()
        done = self._telling.done
        for one in self._waiting:
            if one.entry.chunks and one.known_before:
                done.changed += 1
            elif one.entry.chunks:
                done.added += 1
        self._waiting, self._chunks = [], 0
        self._telling.note(committed=done.added + done.changed)
