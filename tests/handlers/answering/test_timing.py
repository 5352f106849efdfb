"""What a question took counts the model's call for a rewrite as well as the answer's."""

import pytest

from bot.conversation import Answer, Verdict
from handlers.answering.ports import Rewrite, Usage
from handlers.answering.timing import Timing
from handlers.work.jobs import AnswerJob
from tests.doubles.clocks import ManualClock

JOB = AnswerJob("T1", "C1", "U1", "1.1", "1.1", place="channel", accepted_at=0.0)


@pytest.mark.parametrize(
    ("rewrite", "answer", "tokens", "cost"),
    [
        (Rewrite(), Answer(Verdict.ANSWERED, prompt_tokens=900, cost=0.5), 900, 0.5),
        (Rewrite("x", Usage(90, 10), 0.25), None, 90, 0.25),
        (
            Rewrite("x", Usage(90, 10), 0.25),
            Answer(Verdict.ANSWERED, prompt_tokens=900, cost=0.5),
            990,
            0.75,
        ),
        (Rewrite("x", Usage(90, 10)), Answer(Verdict.ANSWERED, prompt_tokens=900), 990, None),
        (Rewrite(), None, 0, None),
    ],
)
def test_a_rewrite_is_paid_for(
    rewrite: Rewrite, answer: Answer | None, tokens: int, cost: float | None
) -> None:
    timing = Timing(JOB, ManualClock())
    timing.rewrite, timing.answer = rewrite, answer
    measures = timing.measures(1)
    assert (measures.prompt_tokens, measures.cost) == (tokens, cost)
    assert measures.completion_tokens == rewrite.usage.completion_tokens


def test_a_rewrite_is_traced_apart_from_the_search() -> None:
    clock = ManualClock()
    timing = Timing(JOB, clock)
    with timing.rewriting():
        clock.advance(2.0)
    with timing.retrieving():
        clock.advance(0.5)
    assert timing.measures(1).retrieval == 0.5
