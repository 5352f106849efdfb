"""Vectors of mixed texts without a model: each sentence was embedded once, a text is their mean."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from index.documents import stable_id
from index.embedding import SentenceTransformerEmbedder
from index.ports import Embedder, Vector, Vectors
from index.weights import PUBLISHED_DIMENSIONS, PUBLISHED_NAME
from tests.benchmarks.remixed import Pool, split
from tests.doubles.hashing_embedder import HashingEmbedder

CACHE = Path(__file__).resolve().parents[2] / "build" / "benchmarks"

Kind = Literal["hashing", "packaged"]


class SentenceVectors:
    """An Embedder of texts that were mixed from a pool; it bears the name of the packaged model.

    What no sentence of the pool stands in gets the vector of one that its text chooses.
    """

    def __init__(self, pool: Pool, vectors: Vectors) -> None:
        """``vectors`` hold one row a sentence of the pool."""
        self._rows = {sentence: row for row, sentence in enumerate(pool.sentences)}
        self._vectors = vectors
        self.embedded = 0

    @property
    def name(self) -> str:
        return PUBLISHED_NAME

    @property
    def dimensions(self) -> int:
        return PUBLISHED_DIMENSIONS

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        found = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for number, text in enumerate(texts):
            rows = [self._rows[one] for one in split(text) if one in self._rows]
            chosen = int(stable_id(text)[:8], 16) % len(self._vectors)
            found[number] = self._vectors[rows or [chosen]].mean(axis=0)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(lengths, np.float32(1e-12)), dtype=np.float32)

    def embed_query(self, text: str) -> Vector:
        return np.asarray(self.embed_documents([text])[0], dtype=np.float32)


def sentence_vectors(pool: Pool, kind: Kind, cache: Path = CACHE) -> SentenceVectors:
    """Embed the sentences of a pool; with the packaged model once, and then read from ``cache``."""
    if kind == "hashing":
        made = HashingEmbedder(PUBLISHED_DIMENSIONS).embed_documents(pool.sentences)
        # Without what all sentences share, or their means lie too near each other to be parted.
        return SentenceVectors(pool, made - made.mean(axis=0))
    digest = hashlib.sha256("\n".join(pool.sentences).encode()).hexdigest()[:16]
    kept = cache / f"sentences-{PUBLISHED_NAME}-{digest}.npy"
    if not kept.exists():
        made = _embedded(SentenceTransformerEmbedder(), pool.sentences)
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".unfinished.npy")
        np.save(unfinished, made)
        unfinished.replace(kept)
    return SentenceVectors(pool, np.load(kept))


def _embedded(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    # Neighbours in length share a batch, or short ones are padded to the longest.
    order = sorted(range(len(texts)), key=lambda one: len(texts[one]))
    rows = embedder.embed_documents([texts[one] for one in order])
    vectors = np.empty_like(rows)
    vectors[order] = rows
    return vectors
