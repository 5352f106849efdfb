"""Answers with a language model, and shows only what was checked.

    model text ─ sentence by sentence ─ check ─┬─ supported ──▶ shown at once
                                               └─ not ────────▶ cut, counted
    nothing shown in the end, whatever the reason ─▶ the fallback answers, with quotes
    dies after something was shown ────────────────▶ what was shown stays, the verdict says "partly"

What was shown is never taken back and never said twice.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field, replace

from bot.conversation import Answer, Question, Sentence, Verdict
from handlers.answering.citations import CitationChecker, Cut
from handlers.answering.errors import ModelError, ModelUnavailable
from handlers.answering.pages import nearby
from handlers.answering.ports import (
    Answerer,
    AnswerEvent,
    Finished,
    LanguageModel,
    Message,
    ModelEvent,
    SentenceReady,
    TextDelta,
    Usage,
)
from handlers.answering.prompts import messages, says_not_found
from handlers.answering.sentences import RawSentence, SentenceSplitter
from index.documents import Passage

log = logging.getLogger(__name__)

LONGEST_REPLY = 8000
"""Characters of model text that are read; an honest answer to a question in a thread is shorter."""

MOST_SENTENCES = 30

GRACE_SECONDS = 1.0
"""A model that keeps its deadline reports the failure itself; this catches one that does not."""

LATE_SECONDS = 0.5
LATE_PIECES = 64
"""How long, and how far, a model that is not listened to any more is read for its usage."""

_WHOLE = re.compile(r"[.!?。！？][\"')\]]*(?:\s*\[[\d,\s]+\])*\s*\Z")


@dataclass(slots=True)
class _Progress:
    """What became of one answer so far."""

    checker: CitationChecker
    shown: list[Sentence] = field(default_factory=list)
    announced: list[Sentence] = field(default_factory=list)
    cut: int = 0
    not_found: bool = False
    failed: bool = False
    truncated: bool = False
    usage: Usage | None = None
    seconds: float = 0.0

    def take(self, raw: RawSentence) -> list[Sentence]:
        """Check one sentence; return what may be shown now. Lead-ins wait for what follows."""
        if self.over:
            return []
        if says_not_found(raw.text):
            self.not_found = True
            return []
        checked = self.checker.check(raw)
        if checked.sentence is None:
            self.cut += checked.cut is not Cut.EMPTY
            return []
        sentence = checked.sentence
        if not self.shown and not self.announced:
            sentence = replace(sentence, lead=sentence.lead.lstrip("\n "))
        if not checked.claim:
            self.announced = [sentence]
            return []
        ready = [*self.announced, sentence]
        self.announced = []
        self.shown += ready
        return ready

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Add the time that the block takes to the time spent waiting for the model."""
        now = asyncio.get_running_loop().time
        began = now()
        try:
            yield
        finally:
            self.seconds += now() - began

    @property
    def over(self) -> bool:
        """Tell whether reading on cannot change the answer, or would make it too long."""
        return (self.not_found and not self.shown) or len(self.shown) >= MOST_SENTENCES


class ModelAnswerer:
    """An Answerer that asks a model and falls back on another answerer."""

    def __init__(
        self,
        model: LanguageModel,
        fallback: Answerer,
        *,
        deadline_seconds: float,
        nonce: Callable[[], str] = lambda: secrets.token_hex(8),
        cost_of: Callable[[Usage], float] | None = None,
    ) -> None:
        """``deadline_seconds`` bounds the model's part; ``cost_of`` prices a call in US dollars."""
        self._model = model
        self._fallback = fallback
        self._deadline_seconds = deadline_seconds
        self._nonce = nonce
        self._cost_of = cost_of

    async def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        """Yield checked sentences as they are ready, and Finished last. Raises no ModelError."""
        if not passages:
            yield Finished(Answer(Verdict.NOT_FOUND, nearby=nearby(related)))
            return
        progress = _Progress(CitationChecker(passages))
        asked = messages(question, passages, nonce=self._nonce())
        async with aclosing(self._sentences(asked, progress)) as ready:
            async for sentence in ready:
                yield SentenceReady(sentence)
        if progress.shown:
            yield Finished(self._finished(progress))
        elif progress.not_found and not progress.failed:
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
        progress: _Progress,
    ) -> AsyncGenerator[AnswerEvent]:
        async for event in self._fallback.answer(question, passages, related=related):
            if isinstance(event, Finished):
                cut = event.answer.cut + progress.cut
                answer = replace(event.answer, fallback=True, cut=cut)
                yield Finished(self._accounted(answer, progress))
            else:
                yield event

    async def _sentences(
        self, asked: Sequence[Message], progress: _Progress
    ) -> AsyncGenerator[Sentence]:
        """Yield what may be shown; note in ``progress`` how it ended."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._deadline_seconds
        splitter = SentenceSplitter()
        read = 0
        stream = self._model.stream(asked, deadline=deadline)
        completed = False
        try:
            while not progress.over and not completed:
                raws: list[RawSentence] = []
                with progress.waiting():
                    async with asyncio.timeout_at(deadline + GRACE_SECONDS):
                        event = await anext(stream, None)
                if isinstance(event, TextDelta):
                    read += len(event.text)
                    raws = splitter.feed(event.text)
                    completed = progress.truncated = read > LONGEST_REPLY
                elif event is None:
                    raise ModelUnavailable("The model stopped without saying that it was done.")
                else:
                    completed = True
                    progress.usage, progress.truncated = event.usage, event.truncated
                    # A sentence that was broken off may have lost its "not".
                    rest = splitter.finish()
                    raws = [r for r in rest if not event.truncated or _WHOLE.search(r.text)]
                for raw in raws:
                    for sentence in progress.take(raw):
                        yield sentence
            progress.truncated |= not completed and not progress.not_found
            if progress.not_found and progress.usage is None:
                with progress.waiting():
                    progress.usage = await _late_usage(stream)
        except (ModelError, TimeoutError) as error:
            # The words that had come of an unfinished sentence are dropped with it.
            progress.failed = True
            log.warning("model failed, %s", type(error).__name__)
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    def _finished(self, progress: _Progress) -> Answer:
        whole = not (progress.cut or progress.failed or progress.truncated or progress.not_found)
        answer = Answer(
            Verdict.ANSWERED if whole else Verdict.PARTLY,
            sentences=tuple(progress.shown),
            citations=progress.checker.citations,
            cut=progress.cut,
            model=self._model.name,
            fallback=progress.failed,
        )
        return self._accounted(answer, progress)

    def _accounted(self, answer: Answer, progress: _Progress) -> Answer:
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


async def _late_usage(stream: AsyncIterator[ModelEvent]) -> Usage | None:
    """Return the usage of a model that has said "not found", if it comes soon.

    The endpoint reports it at the very end of its stream, and what it reports was paid for.
    """
    with suppress(ModelError, TimeoutError):
        async with asyncio.timeout(LATE_SECONDS):
            for _ in range(LATE_PIECES):
                event = await anext(stream, None)
                if not isinstance(event, TextDelta):
                    return event.usage if event else None
    return None
