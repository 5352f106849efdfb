"""Embeds in one call what many questions need at the same time.

    question 1 ─ 20 sentences ─┐
    question 2 ─ 17 sentences ─┼─▶ 60 different ones, sorted by length ─▶ the embedder
    question 3 ─ 31 sentences ─┘   meanwhile the next questions gather

An embedder fills up what is short to the length of the longest text beside it. Among many texts
each finds neighbours of its own length: 1,500 sentences of ClapNQ took 13 CPU-seconds in one call,
and 29 in calls of 20. So a call lingers for what the next questions need, as long as it is small.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import numpy as np

from index.ports import Embedder, Vector, Vectors

ENOUGH_TEXTS = 256
"""With so many a call begins at once."""

LINGER_SECONDS = 0.15
"""How long a call waits for more, at most. Nobody who waits here is timed."""

_LOOK_SECONDS = 0.01


class GatheringEmbedder:
    """An Embedder for many threads: they wait while one thread embeds for all of them."""

    def __init__(self, embedder: Embedder, *, linger: float = LINGER_SECONDS) -> None:
        """Embed with ``embedder``, which is called by one thread of its own for documents.

        ``linger`` is in seconds.
        """
        self._embedder = embedder
        self._linger_seconds = linger
        self.name = embedder.name
        self.dimensions = embedder.dimensions
        self.waiting: list[tuple[Sequence[str], Future[Vectors]]] = []
        """What is to be embedded with the next call."""
        self._list = Lock()
        # Always the same thread, for torch sets up its team of threads anew in each that calls it.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gathering")

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        return self._embedder.embed_query(text)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, in order. What the embedder raises, all raise who gathered."""
        mine: Future[Vectors] = Future()
        with self._list:
            self.waiting.append((texts, mine))
        self._thread.submit(self._embed_waiting)
        return mine.result()

    def close(self) -> None:
        """End the thread after the call it is at; who waits for another one is cancelled."""
        with self._list:
            calls, self.waiting = self.waiting, []
        for _, future in calls:
            future.cancel()
        self._thread.shutdown()

    def _embed_waiting(self) -> None:
        self._linger()
        with self._list:
            calls, self.waiting = self.waiting, []
        if calls:
            self._embed(calls)

    def _linger(self) -> None:
        until = time.monotonic() + self._linger_seconds
        while time.monotonic() < until:
            with self._list:
                texts = sum(len(texts) for texts, _ in self.waiting)
            if not 0 < texts < ENOUGH_TEXTS:
                return
            time.sleep(_LOOK_SECONDS)

    def _embed(self, calls: Sequence[tuple[Sequence[str], Future[Vectors]]]) -> None:
        different = list(dict.fromkeys(text for texts, _ in calls for text in texts))
        try:
            vectors = self._embedder.embed_documents(different)
        except Exception as error:
            for _, future in calls:
                future.set_exception(error)
            return
        row = {text: at for at, text in enumerate(different)}
        for texts, future in calls:
            rows = np.array([row[text] for text in texts], dtype=np.intp)
            future.set_result(vectors[rows])
