"""The judged sets as all contenders get them: the same chunks, the same vectors, cached on disk."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from index.chunking import chunk, searchable_text
from index.documents import Chunk, Document
from index.parsing import DocumentParser
from index.ports import Embedder, Vector, Vectors
from index.sources.judged import JudgedQuery, JudgedSet

ROOT = Path(__file__).resolve().parents[3]
SETS = ROOT.parent / "shared" / "data"
NAMES = (
    "anthropic-docs",
    "codebase",
    "hotpot100",
    "clapnq",
    "squad2-dev",
    "mtrag-dev",
    "pubmedqa",
)

MakeEmbedder = Callable[[], Embedder]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents with their chunks, and one vector for each chunk.

    ``texts`` is what was embedded and what the peers search by words: title, headings and text.
    ``readers`` has the ids of who may read each document.
    """

    name: str
    documents: tuple[Document, ...]
    chunks: tuple[Chunk, ...]
    texts: tuple[str, ...]
    vectors: Vectors

    @property
    def readers(self) -> list[list[str]]:
        """The ids of those who may read each chunk."""
        by_document = {one.ref.id: sorted(one.readers) for one in self.documents}
        return [by_document[one.document_id] for one in self.chunks]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its vector; ``earlier`` are the user's turns before it, oldest first."""

    id: str
    text: str
    vector: Vector
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A corpus, its questions, and the gain of each document (by id) for each of them.

    ``spoken`` has the vectors of all questions and earlier turns by their text.
    """

    corpus: Corpus
    questions: tuple[Asked, ...]
    gold: Mapping[str, Mapping[str, int]]
    spoken: Mapping[str, Vector]

    def of(self, most: int) -> "Judged":
        """Return the same with ``most`` questions at most, spread evenly over all."""
        count = min(most, len(self.questions))
        chosen = [self.questions[n * len(self.questions) // count] for n in range(count)]
        return replace(self, questions=tuple(chosen))


async def load(name: str, cache: Path, embedder: MakeEmbedder) -> Judged:
    """Read and cut one judged set; embed it unless ``cache`` holds the vectors of these texts."""
    judged = JudgedSet.load(SETS / name)
    documents, chunks, texts = await _cut(judged)
    spoken = list(
        dict.fromkeys(
            turn
            for query in judged.queries
            if judged.qrels.get(query.id)
            for turn in (*_earlier(query), query.text)
        )
    )
    vectors = _embedded([*texts, *spoken], cache / name, embedder)
    by_text = dict(zip(spoken, vectors[len(texts) :], strict=True))
    ids = {one.ref.location: one.ref.id for one in documents}
    return Judged(
        Corpus(name, tuple(documents), tuple(chunks), tuple(texts), vectors[: len(texts)]),
        tuple(
            Asked(query.id, query.text, by_text[query.text], _earlier(query))
            for query in judged.queries
            if judged.qrels.get(query.id)
        ),
        {
            query: {ids[one]: int(gain) for one, gain in gains.items() if one in ids}
            for query, gains in judged.qrels.items()
        },
        by_text,
    )


async def _cut(judged: JudgedSet) -> tuple[list[Document], list[Chunk], list[str]]:
    documents: list[Document] = []
    chunks: list[Chunk] = []
    texts: list[str] = []
    source, parser = judged.source(), DocumentParser()
    async for ref in source.list():
        document = parser.parse(await source.fetch(ref))
        documents.append(document)
        for one in chunk(document):
            chunks.append(one)
            texts.append(searchable_text(document.title, one))
    return documents, chunks, texts


def _earlier(query: JudgedQuery) -> tuple[str, ...]:
    return tuple(turn.text for turn in query.earlier if turn.by_user)


def _embedded(texts: Sequence[str], cache: Path, embedder: MakeEmbedder) -> Vectors:
    key = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    file = cache.with_name(f"{cache.name}-{key}.npy")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, embedder().embed_documents(texts))
    return np.asarray(np.load(file), dtype=np.float32)
