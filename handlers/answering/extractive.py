"""Answers without a model: quotes the sentences that fit best, or says honestly that none does.

passages ─▶ sentences that may be quoted ─▶ the likeliest by cosine ─▶ log-odds of each (evidence)
         ─▶ how probable it is that the best answers (refusal) ─▶ those that go together (quoting)
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import numpy as np

from bot.conversation import Answer, Question, Sentence, Verdict
from handlers.answering import evidence, refusal
from handlers.answering.citations import CitationChecker
from handlers.answering.cleaning import clean
from handlers.answering.content import content_stems, worths
from handlers.answering.marks import take_marks
from handlers.answering.pages import nearby
from handlers.answering.ports import AnswerEvent, Finished, SentenceReady
from handlers.answering.quoting import Quote, chosen, grouped, quotable
from handlers.answering.quoting import Sentence as Quotable
from handlers.answering.refusal import FLOOR
from index.documents import Passage
from index.follow_ups import standalone_text, standalone_vector
from index.ports import Embedder

CHUNK_WEIGHT = 0.5
LIKELIEST = 16
"""Sentences that are embedded with their title as well: those with the highest
cos(question, sentence) plus ``CHUNK_WEIGHT`` times cos(question, passage)."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """The likeliest sentences for a question, with what speaks for them.

    ``signs`` has those of each sentence and ``log_odds`` their sum; ``refusal_signs`` are those
    that ``certainty`` comes from, the probability that the best sentences answer.
    """

    offered: tuple[Quotable, ...]
    signs: tuple[tuple[float, ...], ...]
    log_odds: tuple[float, ...]
    refusal_signs: refusal.Signs
    certainty: float


class ExtractiveAnswerer:
    """An Answerer that only quotes."""

    def __init__(self, embedder: Embedder, *, floor: float = FLOOR) -> None:
        """``floor`` is the certainty in [0, 1] below which the answer is "not found"."""
        self._embedder = embedder
        self._floor = floor

    async def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        """Yield quoted sentences, the best first, and Finished last. Raises EmbedderUnavailable."""
        quotes = await asyncio.to_thread(self._quotes, question, passages)
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

    async def certainty(self, question: Question, passages: Sequence[Passage]) -> float:
        """Return how probable it is that quotes answer; 0.0 without a sentence to quote.

        The answer is "not found" where this is below the floor. Raises EmbedderUnavailable.
        """
        weighed = await asyncio.to_thread(self.weigh, question, passages)
        return weighed.certainty if weighed else 0.0

    def weigh(self, question: Question, passages: Sequence[Passage]) -> Weighed | None:
        """Return the likeliest sentences and what speaks for them; None if there is no sentence.

        Blocks. Raises EmbedderUnavailable.
        """
        found = quotable(passages)
        if not found:
            return None
        earlier = [turn.text for turn in question.history if not turn.by_bot]
        vector = standalone_vector(self._embedder, question.text, earlier)
        text = standalone_text(question.text, earlier)
        worth = worths(content_stems(text), [one.stems for one in found])
        plain = self._embedder.embed_documents([one.text for one in found]) @ vector
        near = np.array([passages[one.passage].similarity for one in found])
        likeliest = np.argsort(-(plain + CHUNK_WEIGHT * near), kind="stable")[:LIKELIEST]
        offered = [found[int(i)] for i in likeliest]
        titles = [f"{passages[one.passage].title}: {one.text}" for one in offered]
        titled = [float(x) for x in self._embedder.embed_documents(titles) @ vector]
        signs = evidence.signs_of(text, worth, offered, titled, passages)
        log_odds = [evidence.log_odds(one) for one in signs]
        best = int(np.argmax(log_odds))
        refusal_signs = refusal.signs_of(
            text,
            worth,
            offered[best],
            log_odds[best],
            float(plain.max()),
            passages,
        )
        return Weighed(
            tuple(offered),
            tuple(signs),
            tuple(log_odds),
            refusal_signs,
            refusal.certainty(refusal_signs),
        )

    def _quotes(self, question: Question, passages: Sequence[Passage]) -> list[Quote]:
        weighed = self.weigh(question, passages)
        if weighed is None or weighed.certainty < self._floor:
            return []
        return grouped(chosen(weighed.log_odds, weighed.offered), weighed.offered, passages)


def _readable(text: str, known: str) -> str:
    """Return a quoted sentence on one line, without links and without marks of its own."""
    return take_marks(clean(" ".join(text.split()), known))[1]
