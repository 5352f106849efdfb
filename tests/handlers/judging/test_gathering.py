"""Many questions at once, embedded together, and each gets its own vectors."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np
import pytest

from handlers.judging.gathering import ENOUGH_TEXTS, GatheringEmbedder
from index.errors import EmbedderUnreachable
from index.ports import Vectors
from tests.doubles.hashing_embedder import HashingEmbedder


class SlowEmbedder(HashingEmbedder):
    """Is at its first call until ``go``; keeps what each call was given."""

    def __init__(self) -> None:
        super().__init__(dimensions=64)
        self.calls: list[list[str]] = []
        self.begun = threading.Event()
        self.go = threading.Event()
        self.broken = False

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        self.begun.set()
        assert self.go.wait(10)
        if self.broken:
            raise EmbedderUnreachable("It does not answer.")
        return super().embed_documents(texts)


QUESTIONS = [[f"only {n}", "what all ask", f"only {n}"] for n in range(8)]


def asked_together(slow: SlowEmbedder, pool: ThreadPoolExecutor) -> list[Vectors]:
    """The first is being embedded when all the others come."""
    gathering = GatheringEmbedder(slow)
    first = pool.submit(gathering.embed_documents, ["first"])
    assert slow.begun.wait(10)
    others = [pool.submit(gathering.embed_documents, texts) for texts in QUESTIONS]
    while len(gathering.waiting) < len(QUESTIONS):
        time.sleep(0.001)
    slow.go.set()
    first.result(10)
    given = [other.result(10) for other in others]
    gathering.close()
    return given


def test_what_gathers_while_another_is_embedded_is_embedded_in_one_call() -> None:
    slow = SlowEmbedder()
    with ThreadPoolExecutor(16) as pool:
        given = asked_together(slow, pool)
    assert len(slow.calls) == 2
    assert sorted(slow.calls[1]) == sorted({text for texts in QUESTIONS for text in texts})
    plain = HashingEmbedder(dimensions=64)
    for texts, vectors in zip(QUESTIONS, given, strict=True):
        assert np.array_equal(vectors, plain.embed_documents(texts))


def test_a_small_call_waits_for_what_comes_soon_after() -> None:
    slow = SlowEmbedder()
    slow.go.set()
    gathering = GatheringEmbedder(slow, linger=1.0)
    with ThreadPoolExecutor(4) as pool:
        waiting = []
        for n in range(4):
            waiting.append(pool.submit(gathering.embed_documents, [f"text {n}"]))
            time.sleep(0.02)
        for one in waiting:
            assert one.result(10).shape == (1, 64)
    assert len(slow.calls) == 1
    gathering.close()


def test_a_call_with_enough_texts_begins_at_once() -> None:
    slow = SlowEmbedder()
    slow.go.set()
    gathering = GatheringEmbedder(slow, linger=3600.0)
    texts = [f"text {n}" for n in range(ENOUGH_TEXTS)]
    assert gathering.embed_documents(texts).shape == (ENOUGH_TEXTS, 64)
    gathering.close()


def test_what_the_embedder_raises_reaches_everybody_who_gathered() -> None:
    slow = SlowEmbedder()
    slow.broken = True
    gathering = GatheringEmbedder(slow)
    slow.go.set()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(gathering.embed_documents, ["a"]) for _ in range(4)]
        for one in waiting:
            with pytest.raises(EmbedderUnreachable):
                one.result(10)
    slow.broken = False
    assert gathering.embed_documents(["b"]).shape == (1, 64)
    gathering.close()


def test_who_still_waits_when_it_is_closed_is_not_left_waiting() -> None:
    slow = SlowEmbedder()
    gathering = GatheringEmbedder(slow)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(gathering.embed_documents, ["first"])
        assert slow.begun.wait(10)
        other = pool.submit(gathering.embed_documents, ["other"])
        while not gathering.waiting:
            time.sleep(0.001)
        closing = pool.submit(gathering.close)
        with pytest.raises(CancelledError):
            other.result(10)
        slow.go.set()
        closing.result(10)
        assert first.result(10).shape == (1, 64)
    assert slow.calls == [["first"]]


def test_one_thread_embeds_for_all() -> None:
    class Named(HashingEmbedder):
        def embed_documents(self, texts: Sequence[str]) -> Vectors:
            names.add(threading.current_thread().name)
            return super().embed_documents(texts)

    names: set[str] = set()
    gathering = GatheringEmbedder(Named(dimensions=64))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(gathering.embed_documents, [[f"text {n}"] for n in range(50)]))
    gathering.close()
    assert len(names) == 1


def test_nothing_gives_no_rows() -> None:
    gathering = GatheringEmbedder(HashingEmbedder(dimensions=64))
    assert gathering.embed_documents([]).shape == (0, 64)
    gathering.close()
