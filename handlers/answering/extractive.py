"""Answers without a model: quotes the sentences that fit best, or says honestly that none does.

A sentence scores the mean of cos(question, sentence) and cos(question, "title: sentence"), plus
half the cosine between question and chunk. On 46 questions with known answers the right sentence
was the best one in .74 and among the best three in .98 of them, so two or three are quoted, with
the neighbour that makes them readable.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from bot.conversation import Answer, Question, Sentence, Verdict
from handlers.answering.citations import CitationChecker, take_marks
from handlers.answering.cleaning import clean
from handlers.answering.lexicon import FUNCTION_WORDS, SOFT_WORDS
from handlers.answering.pages import nearby
from handlers.answering.ports import AnswerEvent, Finished, SentenceReady
from handlers.answering.words import stem
from index.chunking import sentences
from index.documents import Passage
from index.follow_ups import standalone_text, standalone_vector
from index.ports import Embedder

FLOOR = 0.44
"""Below this evidence nothing is quoted.

Measured with the dense arm alone, on 300 questions each of ClapNQ and SQuAD 2.0: answerable
questions kept .99 and .92; questions about other pages refused .92 and .79; adversarial ones, on a
passage made to look right, .29 and .15. At the same share kept, a cosine alone refuses .89 and .70
of those about other pages.
"""

CHUNK_WEIGHT = 0.5
LEXICAL_WEIGHT = 0.25
LIKELIEST = 16
"""Sentences that are embedded with their title as well: three are quoted at most."""

MOST_QUOTED = 3
MARGIN = 0.12
"""A second or third sentence is quoted only if it scores within this of the best."""

MOST_SENTENCES = 120
"""Bounds the work for one question; eight passages of 120 words have about fifty."""

_EMPTY_WORDS = FUNCTION_WORDS | SOFT_WORDS
_SHORTEST_WORDS = 4
_LONGEST = 700
_POINTER = re.compile(
    r"\W*(?:see also|see|read more|learn more|more information|for more (?:information|details)"
    r"|related (?:topics|pages|links)|next steps?|back to|table of contents|siehe auch)\b",
    re.I,
)
_CODE = re.compile(r"^\s*(?:[$>#]|```|\||[{}<>])|[{};]\s*$|=>|::|\(\)|</|^\s*\w+\s*[=:]\s*\S+$")
_ANAPHOR = re.compile(
    r"\W*(?:he|she|it|its|they|their|them|this|these|those|that|such|both|then|however|also"
    r"|otherwise|in (?:this|that) case)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: int
    place: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Quote:
    """Sentences of one passage that stand together, in reading order, under one footnote."""

    passage: int
    spans: tuple[tuple[int, int], ...]


class ExtractiveAnswerer:
    """An Answerer that only quotes."""

    def __init__(self, embedder: Embedder, *, floor: float = FLOOR) -> None:
        """``floor`` is the evidence in [0, 1] below which the answer is "not found"."""
        self._embedder = embedder
        self._floor = floor

    async def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        """Yield quoted sentences, the best first, and Finished last. Raises EmbedderUnavailable."""
        quotes = await asyncio.to_thread(self._quotes, question, passages) if passages else []
        checker = CitationChecker(passages)
        shown: list[Sentence] = []
        known = "\n".join(p.chunk.text for p in passages)
        for quote in quotes:
            text = passages[quote.passage].chunk.text
            readable = [_readable(text[start:end], known) for start, end in quote.spans]
            if not any(readable):
                continue
            number = checker.footnote(quote.passage, quote.spans[0][0], quote.spans[-1][1])
            lead = "\n\n" if shown else ""
            for sentence, (_, end) in zip(readable, quote.spans, strict=True):
                if sentence:
                    shown.append(Sentence(sentence, (number,), lead))
                    yield SentenceReady(shown[-1])
                lead = "\n" if text[end:].lstrip(" ").startswith("\n") else " "
        if shown:
            yield Finished(Answer(Verdict.ANSWERED, tuple(shown), checker.citations))
        else:
            pages = nearby([*passages, *related])
            yield Finished(Answer(Verdict.NOT_FOUND, nearby=pages))

    def _quotes(self, question: Question, passages: Sequence[Passage]) -> list[_Quote]:
        candidates = _candidates(passages)
        if not candidates:
            return []
        earlier = [turn.text for turn in question.history if not turn.by_bot]
        asked = standalone_vector(self._embedder, question.text, earlier)
        plain = self._embedder.embed_documents([c.text for c in candidates]) @ asked
        chunk = np.array([passages[c.passage].similarity for c in candidates])
        likeliest = np.argsort(-(plain + CHUNK_WEIGHT * chunk), kind="stable")[:LIKELIEST]
        candidates = [candidates[int(i)] for i in likeliest]
        plain, chunk = plain[likeliest], chunk[likeliest]
        titles = [f"{passages[c.passage].title}: {c.text}" for c in candidates]
        titled = self._embedder.embed_documents(titles) @ asked
        closeness = (plain + titled) / 2
        scores = closeness + CHUNK_WEIGHT * chunk
        terms = content_stems(standalone_text(question.text, earlier))
        best = int(np.argmax(scores))
        held = _passage_stems(passages[candidates[best].passage])
        if self.evidence(float(closeness.max()), terms, held) < self._floor:
            return []
        chosen = _chosen(scores)
        return _grouped(chosen, candidates, passages)

    def evidence(self, closeness: float, asked: frozenset[str], answered: frozenset[str]) -> float:
        """Return how sure it is that the best sentence answers, comparable with ``floor``.

        The cosine of the closest sentence, moved by up to half of ``LEXICAL_WEIGHT`` either way by
        the share of the question's content words that the passage of the best sentence holds.
        """
        if not asked:
            return closeness
        share = len(asked & answered) / len(asked)
        return closeness + LEXICAL_WEIGHT * (share - 0.5)


def content_stems(text: str) -> frozenset[str]:
    """Return the stems of the words of a text that say what it is about."""
    words = re.findall(r"\w+(?:[-.]\w+)*", re.sub(r"['’]s\b", "", text.casefold()))
    return frozenset(stem(w) for w in words if w not in _EMPTY_WORDS and len(w) > 1)


def _readable(text: str, known: str) -> str:
    """Return a quoted sentence on one line, without links and without marks of its own."""
    return take_marks(clean(" ".join(text.split()), known))[1]


def _passage_stems(passage: Passage) -> frozenset[str]:
    chunk = passage.chunk
    return content_stems(" ".join((passage.title, *chunk.heading_path, chunk.text)))


def _candidates(passages: Sequence[Passage]) -> list[_Candidate]:
    """Return the sentences that may be quoted: prose, once each."""
    found: list[_Candidate] = []
    seen: list[frozenset[str]] = []
    for index, passage in enumerate(passages):
        chunk = passage.chunk
        headings = {" ".join(h.casefold().split()) for h in (*chunk.heading_path, passage.title)}
        for place, (start, end) in enumerate(sentences(chunk.text)):
            text = " ".join(chunk.text[start:end].split())
            if not _quotable(text) or text.casefold().strip("#* ") in headings:
                continue
            words = content_stems(text)
            if any(_alike(words, other) for other in seen):
                continue
            seen.append(words)
            found.append(_Candidate(index, place, start, end, text))
            if len(found) == MOST_SENTENCES:
                return found
    return found


def _quotable(text: str) -> bool:
    words = re.findall(r"[^\W\d_]{2,}", text)
    letters = sum(c.isalpha() or c.isspace() for c in text)
    return (
        len(words) >= _SHORTEST_WORDS
        and len(text) <= _LONGEST
        and letters >= 0.7 * len(text)
        and not text.endswith(("?", ":"))
        and not _POINTER.match(text)
        and not _CODE.search(text)
        and not text.lstrip().startswith("#")
    )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= 0.9 * max(len(one | other), 1)


def _chosen(scores: NDArray[np.float64]) -> list[int]:
    """Return the best sentence and up to two more that score nearly as high, best first."""
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    best = float(scores[order[0]])
    return [i for i in order[:MOST_QUOTED] if float(scores[i]) >= best - MARGIN]


def _grouped(
    chosen: Sequence[int], candidates: Sequence[_Candidate], passages: Sequence[Passage]
) -> list[_Quote]:
    """Join neighbours of one passage; keep the quote with the best sentence in front."""
    picked: dict[int, set[int]] = {}
    for i in chosen:
        candidate = candidates[i]
        places = picked.setdefault(candidate.passage, set())
        places.add(candidate.place)
        if candidate.place and _ANAPHOR.match(candidate.text):
            places.add(candidate.place - 1)
    quotes: list[_Quote] = []
    for passage, places in picked.items():
        spans = sentences(passages[passage].chunk.text)
        runs = groupby(enumerate(sorted(places)), key=lambda pair: pair[1] - pair[0])
        for _, run in runs:
            quotes.append(_Quote(passage, tuple(spans[place] for _, place in run)))
    first = candidates[chosen[0]]

    def holds_best(quote: _Quote) -> bool:
        return quote.passage == first.passage and (first.start, first.end) in quote.spans

    return sorted(quotes, key=lambda quote: not holds_best(quote))
