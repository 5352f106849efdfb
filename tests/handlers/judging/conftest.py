"""Judged questions as a run would leave them behind."""

from collections.abc import Mapping, Sequence

from bot.conversation import Answer, Citation, Question, Sentence, Turn, Verdict
from handlers.judging.judge import Judged
from handlers.judging.questions import Asked, GoldPage
from index.documents import Chunk, Passage, stable_id


def make_passage(title: str, text: str, *, url: str = "", source: str = "files") -> Passage:
    document = stable_id(source, title)
    chunk = Chunk(stable_id(document, "0"), document, 0, ("Part",), text, 0, len(text))
    return Passage(chunk, source, title, url, 0.7, 0.5, frozenset())


def make_answer(text: str, passage: Passage) -> Answer:
    citation = Citation(
        1, passage.title, passage.url, passage.chunk.text, document_id=passage.chunk.document_id
    )
    return Answer(Verdict.ANSWERED, (Sentence(text, (1,)),), (citation,))


def make_judged(
    name: str,
    values: Mapping[str, float],
    *,
    impossible: bool = False,
    evidence: float | None = None,
    question: str = "",
    history: Sequence[Turn] = (),
    answer: Answer | None = None,
    passages: Sequence[Passage] = (),
    gold: str = "Tea",
    seconds: float = 0.2,
) -> Judged:
    asked = Asked(
        id=name,
        question=Question(question or f"What about {name}?", tuple(history)),
        gold={} if impossible else {stable_id("files", gold): 1},
        impossible=impossible,
        gold_pages=() if impossible else (GoldPage(gold, "Tea is served at four."),),
    )
    return Judged(
        asked=asked,
        values=values,
        answer=answer or Answer(Verdict.NOT_FOUND),
        passages=tuple(passages),
        evidence=evidence,
        retrieval_seconds=seconds / 2,
        seconds=seconds,
        gold_documents=frozenset({stable_id("files", gold)}),
    )
