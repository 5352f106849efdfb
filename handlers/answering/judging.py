"""Runs a judged set through the same retrieval and answering that people get, and counts."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.conversation import Answer, Question
from handlers.answering.ports import Answerer, Finished
from index.audience import Audience
from index.documents import stable_id
from index.evaluation import distinct, mrr_at, ndcg_at, percentile, recall_at
from index.retrieval import Retriever
from index.sources.judged import JudgedSet

RANKED_CHUNKS = 100


@dataclass(frozen=True, slots=True)
class JudgedReport:
    """What was measured. Shares and metrics are in [0, 1], means over ``questions``.

    ``answered`` is the share that got an answer at all; ``first_footnote_gold`` is the share of
    these answers whose first footnote opens a gold document. Times are in milliseconds, of question
    to finished answer, one at a time.
    """

    name: str
    documents: int
    chunks: int
    questions: int
    recall_at_1: float
    recall_at_5: float
    recall_at_10: float
    ndcg_at_10: float
    mrr_at_10: float
    first_footnote_gold: float
    answered: float
    p50_ms: float
    p95_ms: float


async def judge(
    judged: JudgedSet,
    retriever: Retriever,
    answerer: Answerer,
    *,
    chunks: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> JudgedReport:
    """Ask every question that has gold documents. ``progress`` gets (done, total)."""
    audience = Audience.everyone()
    asked = [query for query in judged.queries if judged.qrels.get(query.id)]
    rankings: list[tuple[list[str], dict[str, float]]] = []
    gold_first = answered = 0
    seconds: list[float] = []
    for done, query in enumerate(asked, start=1):
        gains = judged.qrels[query.id]
        gold = {stable_id(judged.name, document): gain for document, gain in gains.items()}
        started = time.perf_counter()
        found = await retriever.retrieve(query.text, audience)
        answer: Answer | None = None
        async for event in answerer.answer(
            Question(query.text), found.passages, related=found.related
        ):
            if isinstance(event, Finished):
                answer = event.answer
        seconds.append(time.perf_counter() - started)
        # After the clock has stopped: it is the same search again, and would warm its caches.
        ranking = await retriever.rank(query.text, audience, limit=RANKED_CHUNKS)
        rankings.append((distinct(p.chunk.document_id for p in ranking), gold))
        if answer is not None and answer.citations:
            answered += 1
            gold_first += answer.citations[0].document_id in gold
        progress(done, len(asked))
        await asyncio.sleep(0)

    def mean(metric: Callable[[Sequence[str], dict[str, float]], float]) -> float:
        return sum(metric(*ranking) for ranking in rankings) / len(rankings) if rankings else 0.0

    return JudgedReport(
        name=judged.name,
        documents=len(judged.documents),
        chunks=chunks,
        questions=len(asked),
        recall_at_1=mean(lambda ranked, gold: recall_at(ranked, gold, 1)),
        recall_at_5=mean(lambda ranked, gold: recall_at(ranked, gold, 5)),
        recall_at_10=mean(lambda ranked, gold: recall_at(ranked, gold, 10)),
        ndcg_at_10=mean(lambda ranked, gold: ndcg_at(ranked, gold, 10)),
        mrr_at_10=mean(lambda ranked, gold: mrr_at(ranked, gold, 10)),
        first_footnote_gold=gold_first / answered if answered else 0.0,
        answered=answered / len(asked) if asked else 0.0,
        p50_ms=percentile(seconds, 50) * 1000 if seconds else 0.0,
        p95_ms=percentile(seconds, 95) * 1000 if seconds else 0.0,
    )
