"""Asks judged questions of the same retrieval and answering that people get, and keeps what came.

    question ─▶ [rewrite] ─▶ retrieve: context and ranking ─▶ answer ─▶ values of this one question

Everything later (summary, comparison, report) is made from what is kept here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.conversation import Answer, Question
from handlers.answering.ports import Answerer, Finished, NoRewriter, Rewriter
from handlers.judging import figures
from handlers.judging.questions import Asked
from index.audience import Audience
from index.documents import Passage
from index.evaluation import ranking_figures
from index.retrieval import Retriever

RANKED_CHUNKS = 100
KEPT_PASSAGES = 5

AT_ONCE = 160
"""Questions that are asked side by side where nobody takes the time: they share what is embedded
(gathering.py), and one computes while another waits for the index."""


Evidence = Callable[[Question, Sequence[Passage]], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who answers. ``evidence`` tells how sure an answer is, and is None where nobody can say.

    ``timed``: what it takes here is what it takes people, because nothing is remembered and nobody
    else is asked meanwhile.
    """

    retriever: Retriever
    answerer: Answerer | None
    rewriter: Rewriter = field(default_factory=NoRewriter)
    evidence: Evidence | None = None
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one question; ``values`` holds each figure that applies to it.

    ``passages`` are the best that were offered. Seconds are None where they were not taken.
    """

    asked: Asked
    values: Mapping[str, float]
    answer: Answer | None
    passages: tuple[Passage, ...] = ()
    evidence: float | None = None
    retrieval_seconds: float | None = None
    seconds: float | None = None
    gold_documents: frozenset[str] = field(default=frozenset())


async def judge(
    questions: Sequence[Asked],
    desk: Callable[[int], Desk],
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    also: Callable[[Judged], Awaitable[object]] | None = None,
) -> list[Judged]:
    """Ask every question; ``desk`` says who answers the n-th. ``progress`` gets (done, total).

    Questions that are timed are asked one by one, the others ``AT_ONCE`` at a time. ``also`` is
    told of each question, and awaited, once its clock has stopped.

    Raises KnowledgeError; what goes wrong with a model is part of its answer.
    """
    judged: dict[int, Judged] = {}

    async def ask(n: int) -> None:
        judged[n] = await _ask(questions[n], desk(n))
        if also is not None:
            await also(judged[n])
        progress(len(judged), len(questions))
        await asyncio.sleep(0)

    together = []
    for n in range(len(questions)):
        if desk(n).timed:
            await ask(n)
        else:
            together.append(n)
    await _side_by_side(ask, together)
    return [judged[n] for n in range(len(questions))]


async def _side_by_side(ask: Callable[[int], Awaitable[None]], numbers: Sequence[int]) -> None:
    left = iter(numbers)

    async def ask_some() -> None:
        for n in left:
            await ask(n)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(numbers))):
                group.create_task(ask_some())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the first to fail cancelled the others


async def _ask(asked: Asked, desk: Desk) -> Judged:
    began = time.perf_counter()
    query, earlier = asked.question.text, asked.earlier
    if earlier:
        rewrite = await desk.rewriter.standalone(asked.question)
        if rewrite.text:
            query, earlier = rewrite.text, (*earlier, query)
    found = await desk.retriever.retrieve(query, Audience.everyone(), earlier=earlier)
    retrieved = time.perf_counter() - began
    answer: Answer | None = None
    if desk.answerer is not None:
        events = desk.answerer.answer(asked.question, found.passages, related=found.related)
        async for event in events:
            if isinstance(event, Finished):
                answer = event.answer
    took = time.perf_counter() - began

    ranking = found.ranking[:RANKED_CHUNKS]
    every = (*ranking, *found.passages)
    gold = {p.chunk.document_id for p in every if asked.key(p) in asked.judgements}
    values: dict[str, float] = {}
    if asked.judgements:
        figures_of = ranking_figures(
            {asked.id: asked.ranked(ranking)}, {asked.id: asked.judgements}
        )
        values |= figures_of[asked.id]
    evidence: float | None = None
    if answer is not None:
        values |= answer_values(asked, answer, found.passages, gold)
        if desk.evidence is not None:
            evidence = await desk.evidence(asked.question, found.passages)
    return Judged(
        asked=asked,
        values=values,
        answer=answer,
        passages=tuple(found.passages[:KEPT_PASSAGES]),
        evidence=evidence,
        retrieval_seconds=retrieved if desk.timed else None,
        seconds=took if desk.timed and answer is not None else None,
        gold_documents=frozenset(gold),
    )


def answer_values(
    asked: Asked, answer: Answer, passages: Sequence[Passage], gold: Collection[str]
) -> dict[str, float]:
    """Return the figures of one answer that apply to it. Pure; see ``summary.FIGURES`` for each.

    ``gold`` holds the ids of the documents that answer the question. An answer without a footnote
    is a refusal.
    """
    refused = not answer.citations
    if asked.impossible:
        return {"refused": float(refused), "decision": float(refused)}
    shown = _cited(answer, passages)
    values = {"answered": float(not refused), "decision": float(not refused)}
    if answer.citations and asked.judgements:
        values["first_footnote_gold"] = float(answer.citations[0].document_id in gold)
    if asked.gold_sentences:
        precision, recall, both = figures.citation_figures(shown.quotes, asked.gold_sentences)
        values |= {"citation_recall": recall, "citation_f1": both}
        if precision is not None:
            values["citation_precision"] = precision
    wanted = figures.verbatim(asked.answers, [p.text for p in asked.gold_pages if p.text])
    if wanted:
        values["answer_in_quotes"] = figures.answer_in_quotes(shown.quotes, wanted)
        values["exact_match"] = figures.exact_match(shown.text, wanted)
        values["answer_f1"] = figures.answer_f1(shown.text, wanted)
    faithful = figures.faithfulness(shown)
    if faithful is not None:
        values["faithfulness"] = faithful
    return values


def _cited(answer: Answer, passages: Sequence[Passage]) -> figures.Cited:
    """Return what is measured of an answer; a quote stands for its passage if that is not there."""
    texts = []
    for citation in answer.citations:
        held = [
            p.chunk.text
            for p in passages
            if p.chunk.document_id == citation.document_id and citation.quote in p.chunk.text
        ]
        texts += held or [citation.quote]
    return figures.Cited(
        " ".join(sentence.text for sentence in answer.sentences),
        tuple(citation.quote for citation in answer.citations),
        tuple(texts),
    )
