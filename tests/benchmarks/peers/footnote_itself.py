"""Footnote: LanceIndex on a folder, warm, and the fusion of retrieval."""

import asyncio
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from index.audience import EVERYONE, Audience
from index.lance import LanceIndex
from index.ports import Embedder, IndexEntry, Vector, Vectors
from index.retrieval import ARM_LIMIT, Retriever
from tests.benchmarks.peers.corpus import Asked, Corpus, Judged

DOCUMENTS_A_COMMIT = 2_000
EMBEDDER = "cached"


class Footnote:
    """Footnote's own search. It reads ``ARM_LIMIT`` chunks an arm whatever ``limit`` says."""

    filters = True

    def __init__(
        self, folder: Path, judged: Judged | None = None, *, follows: bool = False
    ) -> None:
        """Keep the index in ``folder``. With ``follows`` the turns before a question count too."""
        self.name = "Footnote, with the conversation" if follows else "Footnote"
        self._index = LanceIndex(str(folder), embedder=EMBEDDER, dimensions=384)
        self._spoken = _Spoken(dict(judged.spoken) if judged else {})
        self._retriever = Retriever(self._index, self._spoken)
        self._follows = follows
        self._runner = asyncio.Runner()
        self._numbers: dict[str, int] = {}

    def build(self, corpus: Corpus) -> None:
        """Index the corpus unless the folder holds it, and warm up as a worker does."""
        self._numbers = {one.id: number for number, one in enumerate(corpus.chunks)}
        self._runner.run(self._build(corpus))

    async def _build(self, corpus: Corpus) -> None:
        if await self._index.count() != len(corpus.chunks):
            for number, entry in enumerate(_entries(corpus), start=1):
                await self._index.stage([entry])
                if number % DOCUMENTS_A_COMMIT == 0:
                    await self._index.commit()
            await self._index.commit()
            await self._index.maintain(force=True)
        await self._index.warm()

    def search(self, asked: Asked, limit: int, readers: list[str] | None) -> list[int]:
        """Return what a question would find, best first."""
        self._spoken.vectors[asked.text] = asked.vector
        audience = Audience((frozenset(readers or [EVERYONE.id]),))
        earlier = asked.earlier if self._follows else ()
        ranked = self._runner.run(
            self._retriever.rank(asked.text, audience, limit=max(limit, ARM_LIMIT), earlier=earlier)
        )
        return [self._numbers[one.chunk.id] for one in ranked]

    def close(self) -> None:
        """Let go of the index."""
        self._runner.run(self._index.close())
        self._runner.close()


class _Spoken(Embedder):
    """The embedder of questions whose vectors are known already."""

    name = EMBEDDER
    dimensions = 384

    def __init__(self, vectors: dict[str, Vector]) -> None:
        self.vectors = vectors

    def embed_documents(self, texts: object) -> Vectors:
        raise AssertionError("the vectors of documents come with the corpus")

    def embed_query(self, text: str) -> Vector:
        return self.vectors[text]


def _entries(corpus: Corpus) -> Iterator[IndexEntry]:
    documents = {one.ref.id: one for one in corpus.documents}
    numbered = groupby(enumerate(corpus.chunks), key=lambda pair: pair[1].document_id)
    for document_id, group in numbered:
        numbers, chunks = zip(*group, strict=True)
        vectors = corpus.vectors[list(numbers)]
        yield IndexEntry(documents[document_id], "f1", tuple(chunks), vectors)
