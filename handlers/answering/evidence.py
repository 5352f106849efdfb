"""How much speaks for a sentence as an answer: log-odds of five signs. Pure.

    log-odds = BIAS + TITLED · cos(question, "title: sentence") + FUSED · score of the passage
             + LENGTH · ln(words) + SHOWN · shows what the question expects
             + SHARED · share of the question's words, rare ones counting more

A logistic regression over the sentences of the 1,599 answerable questions of SQuAD 2.0 (dev, eight
articles) and ClapNQ (dev), the questions of ClapNQ counting four times; gold is a sentence of the
gold passage that holds the answer, or that a person selected. Made by
``python -m tests.benchmarks.calibrate_answering``, which prints these numbers.

With whole articles left out, one of the three best sentences holds the answer for .863 of SQuAD's
questions; for .797 by mean cosine plus half the cosine of the passage. Eighteen signs reach .856,
gradient boosting over them .867.
"""

import math
from collections.abc import Mapping, Sequence

from handlers.answering.content import share, title_stems
from handlers.answering.expected import expected, shows
from handlers.answering.quoting import Sentence
from index.documents import Passage

TITLED = 3.125
FUSED = 7.325
LENGTH = 0.533
SHOWN = 0.393
SHARED = 1.123
BIAS = -11.705


def signs_of(
    question: str,
    worth: Mapping[str, float],
    offered: Sequence[Sentence],
    titled: Sequence[float],
    passages: Sequence[Passage],
) -> list[tuple[float, float, float, float, float]]:
    """Return the five signs of each sentence, in the order of the formula.

    ``titled`` holds cos(question, "title: sentence") of each; ``worth`` what each
    stem of the question is worth.
    """
    asked = frozenset(worth)
    kind = expected(question)
    titles = [title_stems(passage) for passage in passages]
    return [
        (
            cosine,
            passages[one.passage].score,
            math.log(max(len(one.text.split()), 1)),
            shows(kind, one.text, asked),
            share(worth, one.stems | titles[one.passage]),
        )
        for one, cosine in zip(offered, titled, strict=True)
    ]


def log_odds(signs: Sequence[float]) -> float:
    """Return the log-odds that a sentence with these five signs answers."""
    weights = (TITLED, FUSED, LENGTH, SHOWN, SHARED)
    return BIAS + sum(weight * sign for weight, sign in zip(weights, signs, strict=True))
