"""Builds a large index in few commits, and then changes it in very many."""

import random
import sys
import time
from dataclasses import dataclass
from typing import Any

from index.chunking import chunk, searchable_text
from index.lance import LanceIndex
from index.parsing import DocumentParser
from index.ports import IndexEntry
from tests.benchmarks.remixed import RemixedSource, read_pool
from tests.benchmarks.remixed_vectors import Kind, sentence_vectors
from tests.doubles.object_storage import ObjectStorage

CHUNKS_A_COMMIT = 20_000
SHOWN_EVERY = 100


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: documents are numbered from 0. ``seconds`` include those of maintenance."""

    documents: int
    chunks: int
    seconds: float
    maintaining: float


class LargeWriter:
    """The only writer of an index of mixed documents, behind a fence as in production."""

    def __init__(self, uri: str, storage: ObjectStorage, vectors: Kind) -> None:
        """Write to ``uri``; nothing is read or written yet."""
        self._pool = read_pool()
        self._embedder = sentence_vectors(self._pool, vectors)
        self._parser = DocumentParser()
        self._revisions: dict[int, int] = {}
        self._source = RemixedSource(self._pool, sys.maxsize, revisions=self._revisions)
        self.index = LanceIndex(
            uri,
            embedder=self._embedder.name,
            dimensions=self._embedder.dimensions,
            storage_options=storage.storage_options,
            before_change=_may_write,
        )

    async def build(self, chunks: int) -> Built:
        """Write documents until there are so many chunks, and bring the index into shape."""
        began = time.monotonic()
        documents = written = waiting = 0
        while written < chunks:
            entry = self._entry(documents)
            await self.index.stage([entry])
            documents, written = documents + 1, written + len(entry.chunks)
            waiting += len(entry.chunks)
            if waiting >= CHUNKS_A_COMMIT:
                await self.index.commit()
                waiting = 0
                print(f"built {written} of {chunks} chunks", file=sys.stderr, flush=True)
        await self.index.commit()
        written_at = time.monotonic()
        await self.index.maintain(force=True)
        ended = time.monotonic()
        return Built(documents, await self.index.count(), ended - began, ended - written_at)

    async def change(self, built: Built, commits: int) -> dict[str, Any]:
        """Replace, add and remove one document in turn, each in a commit; return the seconds."""
        rng = random.Random(7)
        there, added = list(range(built.documents)), built.documents
        seconds: dict[str, list[float]] = {"replaced": [], "added": [], "removed": []}
        for turn in range(commits):
            kind = [*seconds][turn % len(seconds)]
            if kind == "added":
                number, added = added, added + 1
                there.append(number)
            else:
                place = rng.randrange(len(there))
                number = there[place]
            entry = None
            if kind == "replaced":
                self._revisions[number] = self._revisions.get(number, 0) + 1
            if kind == "removed":
                there[place] = there[-1]
                there.pop()
            else:
                entry = self._entry(number)
            began = time.monotonic()
            if entry is None:
                await self.index.remove([self._source.ref(number).id])
            else:
                await self.index.stage([entry])
                await self.index.commit()
            seconds[kind].append(time.monotonic() - began)
            if (turn + 1) % SHOWN_EVERY == 0:
                print(f"{turn + 1} of {commits} commits", file=sys.stderr, flush=True)
        return {
            name: {"commits": len(all_of_them), "seconds": round(sum(all_of_them), 2)}
            for name, all_of_them in seconds.items()
        }

    def _entry(self, number: int) -> IndexEntry:
        document = self._parser.parse(self._source.raw(number))
        chunks = tuple(chunk(document))
        texts = [searchable_text(document.title, one) for one in chunks]
        vectors = self._embedder.embed_documents(texts)
        return IndexEntry(document, document.ref.version, chunks, vectors)


async def _may_write() -> None:
    """Nobody else writes here."""
