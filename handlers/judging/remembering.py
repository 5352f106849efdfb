"""Embeds each text once, however many questions it is compared with, and keeps it between runs.

The sentences of a passage are embedded for every question that it is offered for, which is nearly
all the work of an evaluation. Times are told only of questions for which nothing was remembered
(``judge.Desk.timed``).
"""

import os
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from index.documents import stable_id
from index.ports import Embedder, Vector, Vectors


class RememberingEmbedder:
    """An Embedder that gives each text the vector it got the first time."""

    def __init__(
        self,
        embedder: Embedder,
        *,
        documents: Embedder | None = None,
        place: Path | None = None,
    ) -> None:
        """Embed with ``embedder``; begin with what ``keep`` once wrote to ``place``.

        ``documents`` embeds documents in its stead, into the same space. A file that is missing,
        broken or of another embedder is no error: it is begun afresh.
        """
        self._embedder = embedder
        self._documents = documents or embedder
        self._place = place
        self._known = _read(place, embedder) if place is not None else {}
        self._kept = len(self._known)

    @property
    def name(self) -> str:
        """The vector space of the embedder."""
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        key = stable_id("question", text)
        if key not in self._known:
            self._known[key] = self._embedder.embed_query(text)
        return self._known[key]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, in order."""
        keys = [_key(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if new:
            vectors = self._documents.embed_documents(list(new.values()))
            self._known.update(zip(new, vectors, strict=True))
        if not keys:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.stack([self._known[key] for key in keys])

    def note(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Remember what somebody else has embedded."""
        self._known.update(zip(map(_key, texts), vectors, strict=True))

    def keep(self) -> None:
        """Write all vectors to ``place``, if there is one and any is new.

        Raises OSError; what was there before is then there still.
        """
        if self._place is None or len(self._known) == self._kept:
            return
        self._place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._place.with_suffix(f".{os.getpid()}.npz")
        try:
            np.savez(
                unfinished,
                embedder=np.array(self.name),
                keys=np.array(list(self._known)),
                vectors=np.stack(list(self._known.values())),
            )
            os.replace(unfinished, self._place)
        finally:
            unfinished.unlink(missing_ok=True)
        self._kept = len(self._known)


class NotingEmbedder:
    """An Embedder that embeds everything afresh, and lets another one remember it."""

    def __init__(self, embedder: Embedder, memory: RememberingEmbedder) -> None:
        """Embed with ``embedder``, and tell ``memory``."""
        self._embedder = embedder
        self._memory = memory
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        return self._embedder.embed_query(text)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, in order."""
        vectors = self._embedder.embed_documents(texts)
        self._memory.note(texts, vectors)
        return vectors


def _key(text: str) -> str:
    return stable_id("document", text)


def _read(place: Path, embedder: Embedder) -> dict[str, Vector]:
    try:
        # np.load itself would leave a broken file open.
        with place.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            if str(kept["embedder"]) != embedder.name:
                return {}
            vectors = kept["vectors"]
            if vectors.dtype != np.float32 or vectors.shape[1:] != (embedder.dimensions,):
                return {}
            return dict(zip(map(str, kept["keys"]), vectors, strict=True))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}
