"""The last words of a run, checked like every answer: what no tool result supports is not shown.

Passages that somebody in the room may no longer read by now support nothing any more; they keep
their numbers. Blocks for as long as a second opinion computes.
"""

from dataclasses import replace

from bot.conversation import Answer, Question, Verdict
from handlers.answering.entailment import Entailment
from handlers.answering.progress import Progress
from handlers.answering.sentences import SentenceSplitter
from handlers.tools.runs import Run
from handlers.tools.surroundings import Surroundings
from index.documents import Passage


def concluded(
    run: Run, around: Surroundings, *, model: str, entailment: Entailment | None = None
) -> Answer:
    """Return the answer of a run. Without sentences there is nothing in it that may be shown.

    Raises EntailmentUnavailable.
    """
    passages = [_readable(passage, around) for passage in run.passages]
    question = run.question or Question("")
    progress = Progress.of(question, passages, entailment)
    splitter = SentenceSplitter()
    raws = [*splitter.feed(run.text), *splitter.finish()]
    for raw in raws[:-1] if run.truncated else raws:
        progress.take(raw)
    if progress.shown:
        disagreement = progress.disagreement
        verdict = Verdict.ANSWERED if progress.whole else Verdict.PARTLY
        answer = Answer(
            Verdict.DISAGREE if disagreement else verdict,
            sentences=tuple(progress.shown),
            citations=progress.checker.citations,
            cut=progress.cut,
            truncated=run.truncated,
            missing="; ".join(progress.missing),
            disagreement=disagreement,
        )
    elif progress.unclear:
        answer = Answer(Verdict.UNCLEAR, question_back=progress.question_back)
    else:
        answer = Answer(Verdict.NOT_FOUND, cut=progress.cut)
    cost = run.spent.cost or None
    return replace(answer, model=model, model_seconds=run.spent.seconds, cost=cost)


def _readable(passage: Passage, around: Surroundings) -> Passage:
    """Return the passage, or an empty one in its place for what may not be read here any more.

    What a tool told in this room stays readable in it.
    """
    if around.audience.may_read(passage.readers) or passage.readers == around.readers:
        return passage
    return replace(passage, title="", chunk=replace(passage.chunk, text="", heading_path=()))
