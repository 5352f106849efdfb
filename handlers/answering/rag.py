"""Answers with a language model, and shows only what was checked.

    model text ─ sentence by sentence ─ check ─┬─ supported ──▶ shown at once
                                               └─ not ────────▶ cut, counted
    nothing shown in the end, whatever the reason ─▶ the fallback answers, with quotes
    dies after something was shown ────────────────▶ what was shown stays, the verdict says "partly"

What was shown is never taken back and never said twice. A sentence is held back while a further
mark may follow it, but for no longer than a moment of silence.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace

from bot.conversation import Answer, Question, Sentence, Verdict
from handlers.answering.entailment import Entailment
from handlers.answering.errors import ModelError, ModelUnavailable
from handlers.answering.listening import Listening, Silence, listening
from handlers.answering.pages import nearby
from handlers.answering.ports import (
    Answerer,
    AnswerEvent,
    Completed,
    Finished,
    LanguageModel,
    Message,
    SentenceReady,
    TextDelta,
    Usage,
)
from handlers.answering.progress import Progress
from handlers.answering.prompts import messages
from handlers.answering.sentences import RawSentence, SentenceSplitter
from handlers.answering.window import fitting
from index.documents import Passage

log = logging.getLogger(__name__)

LONGEST_REPLY = 8000
"""Characters of model text that are read; an honest answer to a question in a thread is shorter."""

QUIET_SECONDS = 0.7
"""Silence after which a whole sentence is shown although a mark might still follow: as long as
Slack is given between two looks at a growing message."""

GRACE_SECONDS = 1.0
"""A model that keeps its deadline reports the failure itself; this catches one that does not."""

LATE_SECONDS = 0.5
LATE_PIECES = 64
"""How long, and how far, a model that is not listened to any more is read for its usage."""

_WHOLE = re.compile(r"[.!?。！？][\"')\]]*(?:\s*\[[\d,\s]+\])*\s*\Z")


class ModelAnswerer:
    """An Answerer that asks a model and falls back on another answerer."""

    def __init__(
        self,
        model: LanguageModel,
        fallback: Answerer,
        *,
        deadline_seconds: float,
        window_tokens: int = 8192,
        nonce: Callable[[], str] = lambda: secrets.token_hex(8),
        cost_of: Callable[[Usage], float] | None = None,
        entailment: Entailment | None = None,
    ) -> None:
        """``deadline_seconds`` bounds the model's part, ``window_tokens`` prompt and answer.

        ``cost_of`` prices a call in US dollars; ``entailment`` gives a second opinion on each
        sentence. When that fails, the fallback answers, as when the model does.
        """
        self._entailment = entailment
        self._model = model
        self._fallback = fallback
        self._deadline_seconds = deadline_seconds
        self._window_tokens = window_tokens
        self._nonce = nonce
        self._cost_of = cost_of

    async def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        """Yield checked sentences as they are ready, and Finished last. Raises no ModelError."""
        if not passages:
            yield Finished(Answer(Verdict.NOT_FOUND, nearby=nearby(related)))
            return
        nonce = self._nonce()
        offered = fitting(
            passages, self._window_tokens, lambda kept: messages(question, kept, nonce=nonce)
        )
        progress = Progress.of(question, offered, self._entailment)
        asked = messages(question, offered, nonce=nonce)
        async with aclosing(self._sentences(asked, progress)) as ready:
            async for sentence in ready:
                yield SentenceReady(sentence)
        if progress.shown:
            yield Finished(self._finished(progress))
        elif progress.unclear and not progress.failed:
            answer = Answer(Verdict.UNCLEAR, question_back=progress.question_back)
            yield Finished(self._accounted(replace(answer, model=self._model.name), progress))
        elif progress.nothing and not progress.failed:
            pages = nearby([*passages, *related])
            answer = Answer(Verdict.NOT_FOUND, nearby=pages, cut=progress.cut)
            yield Finished(self._accounted(replace(answer, model=self._model.name), progress))
        else:
            async for event in self._quotes(question, passages, related, progress):
                yield event

    async def _quotes(
        self,
        question: Question,
        passages: Sequence[Passage],
        related: Sequence[Passage],
        progress: Progress,
    ) -> AsyncGenerator[AnswerEvent]:
        async for event in self._fallback.answer(question, passages, related=related):
            if isinstance(event, Finished):
                cut = event.answer.cut + progress.cut
                answer = replace(event.answer, fallback=True, cut=cut)
                yield Finished(self._accounted(answer, progress))
            else:
                yield event

    async def _sentences(
        self, asked: Sequence[Message], progress: Progress
    ) -> AsyncGenerator[Sentence]:
        """Yield what may be shown; note in ``progress`` how it ended."""
        now = asyncio.get_running_loop().time
        deadline = now() + self._deadline_seconds
        end = deadline + GRACE_SECONDS
        splitter = SentenceSplitter()
        read = 0
        completed = False
        try:
            async with listening(self._model.stream(asked, deadline=deadline)) as heard:
                while not progress.over and not completed:
                    with _waiting(progress):
                        event = await heard.next(min(now() + QUIET_SECONDS, end))
                    if isinstance(event, TextDelta):
                        read += len(event.text)
                        raws = splitter.feed(event.text)
                        completed = progress.truncated = read > LONGEST_REPLY
                    elif isinstance(event, Completed):
                        completed = True
                        progress.usage, progress.truncated = event.usage, event.truncated
                        raws = _last(splitter, truncated=event.truncated)
                    elif isinstance(event, Silence) and now() < end:
                        raws = splitter.pause()
                    else:
                        raise ModelUnavailable("The model stopped without saying that it was done.")
                    for raw in raws:
                        # A second opinion computes for as long as a sentence takes to read.
                        ready = (
                            await asyncio.to_thread(progress.take, raw)
                            if self._entailment
                            else progress.take(raw)
                        )
                        for sentence in ready:
                            yield sentence
                progress.truncated |= not completed and bool(progress.shown)
                if progress.over and progress.usage is None and not progress.shown:
                    with _waiting(progress):
                        progress.usage = await _late_usage(heard)
        except ModelError as error:
            # The words that had come of an unfinished sentence are dropped with it.
            progress.failed = True
            log.warning("model failed, %s", type(error).__name__)

    def _finished(self, progress: Progress) -> Answer:
        disagreement = progress.disagreement
        verdict = Verdict.ANSWERED if progress.whole else Verdict.PARTLY
        answer = Answer(
            Verdict.DISAGREE if disagreement else verdict,
            sentences=tuple(progress.shown),
            citations=progress.checker.citations,
            cut=progress.cut,
            truncated=progress.truncated and not progress.failed,
            missing="; ".join(progress.missing),
            disagreement=disagreement,
            model=self._model.name,
            fallback=progress.failed,
        )
        return self._accounted(answer, progress)

    def _accounted(self, answer: Answer, progress: Progress) -> Answer:
        """Return the answer with what the model took, whoever gave the answer in the end."""
        usage = progress.usage or Usage()
        reported = usage != Usage()
        return replace(
            answer,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            model_seconds=progress.seconds,
            cost=self._cost_of(usage) if self._cost_of and reported else None,
        )


@contextmanager
def _waiting(progress: Progress) -> Iterator[None]:
    """Add the time that the block takes to the time spent waiting for the model."""
    now = asyncio.get_running_loop().time
    began = now()
    try:
        yield
    finally:
        progress.seconds += now() - began


def _last(splitter: SentenceSplitter, *, truncated: bool) -> list[RawSentence]:
    """Return what was left at the end; a sentence that was broken off may have lost its "not"."""
    return [raw for raw in splitter.finish() if not truncated or _WHOLE.search(raw.text)]


async def _late_usage(heard: Listening) -> Usage | None:
    """Return the usage of a model that has said all that counts, if it comes soon.

    The endpoint reports it at the very end of its stream, and what it reports was paid for.
    """
    until = asyncio.get_running_loop().time() + LATE_SECONDS
    with suppress(ModelError):
        for _ in range(LATE_PIECES):
            event = await heard.next(until)
            if not isinstance(event, TextDelta):
                return event.usage if isinstance(event, Completed) else None
    return None
