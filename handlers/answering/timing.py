"""The stopwatch of one try: what took how long, and the same as spans of a trace."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.conversation import Answer
from handlers.answering.ports import Rewrite
from handlers.work.jobs import AnswerJob
from handlers.work.measures import AnswerMeasures, Spans, untraced


@dataclass(slots=True)
class Timing:
    """Times of one try at ``job``. ``clock`` counts seconds since the epoch.

    ``afterwards`` is what is left to do once the answer stands and the job is done.
    """

    job: AnswerJob
    clock: Callable[[], float] = time.time
    spans: Spans = untraced
    started: float = field(init=False)
    retrieval: float | None = None
    first_word: float | None = None
    rewrite: Rewrite = field(default_factory=Rewrite)
    answer: Answer | None = None
    afterwards: Callable[[], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        """Start the watch."""
        self.started = self.clock()
        began = self.job.accepted_at or self.started
        with self.spans("queue", self.job.trace, began=began):
            pass

    @contextmanager
    def rewriting(self) -> Iterator[None]:
        """Trace the model's call that makes a follow-up stand alone."""
        with self.spans("rewrite", self.job.trace):
            yield

    @contextmanager
    def retrieving(self) -> Iterator[None]:
        """Time the search."""
        began = self.clock()
        with self.spans("retrieve", self.job.trace):
            yield
        self.retrieval = self.clock() - began

    @contextmanager
    def replying(self) -> Iterator[None]:
        """Trace the answer from the first call of the model to the last message in Slack."""
        with self.spans("reply", self.job.trace):
            yield

    def spoke(self) -> None:
        """Note that a sentence is ready to be shown; only the first counts."""
        if self.first_word is None:
            self.first_word = self.clock() - self.job.accepted_at

    def measures(self, deliveries: int) -> AnswerMeasures:
        """Return all that was measured, at the end of the try."""
        answer, rewrite = self.answer, self.rewrite
        costs = [spent.cost for spent in (rewrite, answer) if spent and spent.cost is not None]
        return AnswerMeasures(
            queued=self.started - self.job.accepted_at,
            retrieval=self.retrieval,
            model=answer.model_seconds if answer else None,
            first_word=self.first_word,
            total=self.clock() - self.job.accepted_at,
            prompt_tokens=rewrite.usage.prompt_tokens + (answer.prompt_tokens if answer else 0),
            completion_tokens=rewrite.usage.completion_tokens
            + (answer.completion_tokens if answer else 0),
            cost=sum(costs) if costs else None,
            deliveries=deliveries,
        )
