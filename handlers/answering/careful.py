"""What holds for every answer, whoever gives it: asks back, and says when documents disagree.

nothing to search for ─▶ a question back, and nobody is asked
an answer ─▶ is a quote of it contradicted by another page that was offered? ─▶ quote both
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from bot.conversation import Answer, Citation, Question, Sentence, Verdict
from bot.language import language_of
from handlers.answering.citations import MOST_FOOTNOTES
from handlers.answering.clarifying import nothing_to_search_for
from handlers.answering.cleaning import clean
from handlers.answering.disagreement import Statement, disagree
from handlers.answering.marks import take_marks
from handlers.answering.ports import Answerer, AnswerEvent, Finished, SentenceReady
from handlers.answering.quotes import cite
from index.chunking import sentences
from index.documents import Passage


class CarefulAnswerer:
    """An Answerer that looks after another one."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    async def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        """Yield what the other answers, what contradicts it, and Finished last."""
        language = language_of(question.text)
        if nothing_to_search_for(question):
            yield Finished(Answer(Verdict.UNCLEAR, language=language))
            return
        events = self._answerer.answer(question, passages, related=related)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Finished):
                    answer = contradicted(event.answer, passages)
                    for sentence in answer.sentences[len(event.answer.sentences) :]:
                        yield SentenceReady(sentence)
                    event = Finished(replace(answer, language=language))
                yield event


def contradicted(answer: Answer, passages: Sequence[Passage]) -> Answer:
    """Return the answer with the first sentence of another document that contradicts a quote. Pure.

    The sentence is quoted behind the answer, unless it is quoted there already.
    """
    if answer.verdict not in (Verdict.ANSWERED, Verdict.PARTLY):
        return answer
    quoted = [
        (citation, mine)
        for citation in answer.citations
        for mine in _quoted(citation)
        if mine.judgeable
    ]
    offered = [one for one in _offered(passages) if one.judgeable] if quoted else []
    for citation, mine in quoted:
        other = next((statement for statement in offered if disagree(mine, statement)), None)
        if other is not None:
            return _with_both(answer, citation, other, passages)
    return answer


def _with_both(
    answer: Answer, citation: Citation, other: Statement, passages: Sequence[Passage]
) -> Answer:
    quoted = (
        c.number
        for c in answer.citations
        if c.document_id == other.document_id and other.text.strip() in c.quote
    )
    number = next(quoted, 0)
    if number:
        both = (citation.number, number)
        return replace(answer, verdict=Verdict.DISAGREE, disagreement=both)
    number = max(c.number for c in answer.citations) + 1
    known = "\n".join(p.chunk.text for p in passages)
    text = take_marks(clean(" ".join(other.text.split()), known))[1]
    if not text or len(answer.citations) >= MOST_FOOTNOTES:
        return answer
    return replace(
        answer,
        verdict=Verdict.DISAGREE,
        sentences=(*answer.sentences, Sentence(text, (number,), "\n\n")),
        citations=(
            *answer.citations,
            cite(passages[other.passage], other.start, other.end, number),
        ),
        disagreement=(citation.number, number),
    )


def _quoted(citation: Citation) -> Iterator[Statement]:
    heading = citation.heading.rpartition(" › ")[2]
    for start, end in sentences(citation.quote):
        yield Statement(citation.document_id, citation.quote[start:end], citation.title, heading)


def _offered(passages: Sequence[Passage]) -> Iterator[Statement]:
    for index, passage in enumerate(passages):
        chunk = passage.chunk
        heading = chunk.heading_path[-1] if chunk.heading_path else ""
        for start, end in sentences(chunk.text):
            yield Statement(
                chunk.document_id, chunk.text[start:end], passage.title, heading, index, start, end
            )
