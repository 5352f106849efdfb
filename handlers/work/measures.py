"""What one question took, handed to whoever counts or traces: nobody on a laptop."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from bot.conversation import Outcome
from handlers.work.jobs import AnswerJob


@dataclass(frozen=True, slots=True)
class AnswerMeasures:
    """Times in seconds; None where that part was never reached. ``cost`` is in US dollars.

    ``queued`` lasts from acceptance to the start of this try, ``first_word`` from acceptance to the
    first sentence that was ready to be shown, ``total`` from acceptance to the end.
    """

    queued: float = 0.0
    retrieval: float | None = None
    model: float | None = None
    first_word: float | None = None
    total: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    deliveries: int = 1


Observer = Callable[[AnswerJob, Outcome, AnswerMeasures], None]


def unobserved(job: AnswerJob, outcome: Outcome, measures: AnswerMeasures) -> None:
    """Count nothing: the observer of a laptop and of most tests."""


class Spans(Protocol):
    """Traces a block as a part of the question ``trace``.

    ``first`` marks the span that all others of the question hang on; ``began``, in seconds since
    the epoch, lets it start in the past, as waiting in a queue does.
    """

    def __call__(
        self, name: str, trace: str, *, first: bool = False, began: float | None = None
    ) -> AbstractContextManager[None]:
        """Return the context manager of one block."""
        ...


def untraced(
    name: str, trace: str, *, first: bool = False, began: float | None = None
) -> AbstractContextManager[None]:
    """Trace nothing."""
    return nullcontext()
