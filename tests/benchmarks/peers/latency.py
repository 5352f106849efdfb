"""Warm latency of one question, all contenders taking turns on the same machine.

The chunks are those of the judged sets, and mixtures of them: the first half of one and the second
half of another, with the mean of their vectors and a little noise, so that 200,000 different texts
need no embedding. Each page is open to two of 50 groups, and every second one to everybody; who
asks is one of everybody and in five groups. A question is asked with its vector; embedding it is no
part of any figure.
"""

import random
import sys
import time
from collections.abc import Sequence

import numpy as np

from index.audience import EVERYONE
from index.documents import Chunk, Document, DocumentRef, stable_id
from tests.benchmarks.peers.contender import Contender
from tests.benchmarks.peers.corpus import Asked, Corpus, Judged
from tests.benchmarks.reader_groups import GROUPS

LIMIT = 10
"""Chunks that a peer is asked for. Footnote always reads 100 of each arm, and fuses all."""

CHUNKS_A_PAGE = 5
BLOCK = 10
WARMING = 2
HELD = sorted([EVERYONE.id, *(one.id for one in GROUPS[:5])])
NOISE = 0.02
"""Standard deviation of each of the 384 numbers that are added to a mixed vector."""

PATIENCE_MS = 60_000.0
"""After this much time a contender is asked no further question; the slowest answer only a few."""


def mixed(sets: Sequence[Judged], size: int) -> Corpus:
    """Return ``size`` chunks on pages of ``CHUNKS_A_PAGE``; the first ones are real."""
    texts = [text for one in sets for text in one.corpus.texts]
    vectors = np.concatenate([one.corpus.vectors for one in sets])
    chance, draw = np.random.default_rng(7), random.Random(7)
    order = chance.permutation(len(texts))
    pairs = [(int(one), int(one)) for one in order[:size]]
    pairs += [(int(a), int(b)) for a, b in chance.integers(0, len(texts), (size - len(pairs), 2))]
    blended = np.stack([vectors[a] + vectors[b] for a, b in pairs])
    blended[len(texts) :] += chance.normal(0, NOISE, blended[len(texts) :].shape)
    blended /= np.linalg.norm(blended, axis=1, keepdims=True)
    bodies = [_blend(texts[a], texts[b]) for a, b in pairs]
    documents, chunks = [], []
    for start in range(0, size, CHUNKS_A_PAGE):
        page = Document(
            DocumentRef("mixed", str(start), "1"),
            "",
            "",
            "",
            frozenset(
                [one.id for one in draw.sample(GROUPS, 2)]
                + ([EVERYONE.id] if draw.random() < 0.5 else [])
            ),
        )
        documents.append(page)
        for number in range(start, min(start + CHUNKS_A_PAGE, size)):
            chunk_id = stable_id("mixed", str(number))
            text = bodies[number]
            chunks.append(Chunk(chunk_id, page.ref.id, number - start, (), text, 0, len(text)))
    return Corpus(
        f"{size} chunks",
        tuple(documents),
        tuple(chunks),
        tuple(bodies),
        np.asarray(blended, dtype=np.float32),
    )


def questions(sets: Sequence[Judged], count: int) -> list[Asked]:
    """Return ``count`` of the judged questions, in random order."""
    everything = [asked for one in sets for asked in one.questions]
    return random.Random(3).sample(everything, count)


def in_turns(contenders: Sequence[Contender], asked: Sequence[Asked]) -> dict[str, list[float]]:
    """Return name -> milliseconds of each question.

    A block of questions goes to one contender after the other, so that whatever else the machine
    does hits all alike. Each block begins with another one, and each turn with ``WARMING``
    questions that are not counted.
    """
    taken: dict[str, list[float]] = {one.name: [] for one in contenders}
    blocks = [asked[start : start + BLOCK] for start in range(0, len(asked), BLOCK)]
    for number, block in enumerate(blocks):
        turn = number % len(contenders)
        for one in (*contenders[turn:], *contenders[:turn]):
            readers = HELD if one.filters else None
            for warming in asked[-WARMING:] if sum(taken[one.name]) < PATIENCE_MS else ():
                one.search(warming, LIMIT, readers)
            for question in block:
                if sum(taken[one.name]) < PATIENCE_MS:
                    began = time.perf_counter()
                    one.search(question, LIMIT, readers)
                    taken[one.name].append((time.perf_counter() - began) * 1000)
        print(f"latency: {number + 1}/{len(blocks)}", file=sys.stderr, flush=True)
    return taken


def leaks(contender: Contender, corpus: Corpus, asked: Sequence[Asked]) -> int:
    """Return how many chunks came that the one who asks may not read."""
    readers = corpus.readers
    return sum(
        not set(readers[number]) & set(HELD)
        for one in asked
        for number in contender.search(one, LIMIT, HELD)
    )


def _blend(one: str, other: str) -> str:
    if one is other:
        return one
    first, second = one.split(), other.split()
    return " ".join(first[: len(first) // 2] + second[len(second) // 2 :])
