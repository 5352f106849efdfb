"""An embedder without weights: texts that share words are near each other. Fast and repeatable."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from index.ports import Vector, Vectors

_WORD = re.compile(r"\w+")


class HashingEmbedder:
    """An Embedder. Each word adds a fixed pseudo-random direction; the sum gets length 1.

    ``embedded`` counts the texts of documents that were embedded, for tests that must know.
    """

    def __init__(self, dimensions: int = 64, name: str = "hashing-words-1") -> None:
        self._dimensions = dimensions
        self._name = f"{name}-{dimensions}"
        self._words: dict[str, Vector] = {}
        self.embedded = 0

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        if not texts:
            return np.zeros((0, self._dimensions), dtype=np.float32)
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vector:
        # A share that all texts have keeps an empty text from being a vector of length 0.
        total = 0.1 * self._direction("")
        for word in _WORD.findall(text.lower()):
            total = total + self._direction(word)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)

    def _direction(self, word: str) -> Vector:
        known = self._words.get(word)
        if known is None:
            digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
            random = np.random.default_rng(int.from_bytes(digest[:8], "big"))
            known = random.standard_normal(self._dimensions).astype(np.float32)
            self._words[word] = known
        return known


class CountingEmbedder(HashingEmbedder):
    """Remembers how often it was given each text since it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: Counter[str] = Counter()

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.texts.update(texts)
        return super().embed_documents(texts)

    def taken(self) -> Counter[str]:
        texts, self.texts = self.texts, Counter()
        return texts
