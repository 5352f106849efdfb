"""The decision to refuse: how probable it is that the quotes answer the question. Pure.

Six signs are weighed by a logistic regression. Judged on articles that had no part in weights and
floors, with the floor that refuses at most 5 % of answerable questions: those about other pages are
refused for .933 of ClapNQ's 300 and .928 of SQuAD's 1,299 (area under the curve .99 and .98), those
that their page seems to answer for .330 of 300 and .132 of 1,529 (.875 and .648). Balanced, floors
chosen for each set reach .780 and .591 on the latter. Twenty-six signs, gradient boosting, and the
products of the vectors reach no more than .84 and .63: to see that a page which has all the words
does not answer takes a model that reads.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from handlers.answering.content import content_stems, title_stems
from handlers.answering.lexicon import NEGATORS
from handlers.answering.quoting import Sentence
from handlers.answering.words import tokens
from index.documents import Passage

MOST_LEAD = 0.3
USUAL_LEAD = 0.08
"""The lead of the nearest document where there is no other to compare it with."""

WEIGHTS = (5.357, 0.621, -0.082, 2.357, -0.610, -0.888)
BIAS = -2.409
"""A logistic regression over 5,027 questions of SQuAD 2.0 (dev) and ClapNQ (dev): answerable ones,
tempting ones that their page does not answer, and answerable ones with their article taken away.
Answerable and not weigh the same. ``python -m tests.benchmarks.calibrate_answering`` prints these
numbers and the floors.
"""

FLOOR = 0.23
"""Certainty below which an answer is refused: the highest floor that refuses at most 5 % of the
answerable questions of each set. A wrong "not found" costs more than a quote that misses the point,
because the reader sees at once what a quote says.
"""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Signs:
    """What the decision goes by, in the order of ``WEIGHTS``.

    ``closeness`` is the highest cosine between question and sentence. ``strength`` is the log-odds
    of the best sentence. ``missing`` is the worth of the rarest asked word that the passage of the
    best sentence lacks, 0 if it has all. ``lead`` is how much nearer the nearest document is than
    the next one. ``negation`` is 1 if only one of question and best sentence is negated, ``number``
    is 1 if the question names a number that the passage lacks; else they are 0.
    """

    closeness: float
    strength: float
    missing: float
    lead: float
    negation: float
    number: float


def signs_of(
    question: str,
    worth: Mapping[str, float],
    best: Sentence,
    strength: float,
    closeness: float,
    passages: Sequence[Passage],
) -> Signs:
    """Look at the best sentence, its passage and what else was found.

    ``worth`` tells what each stem of the question is worth.
    """
    passage = passages[best.passage]
    held = title_stems(passage) | content_stems(passage.chunk.text)
    return Signs(
        closeness=closeness,
        strength=strength,
        missing=max((value for word, value in worth.items() if word not in held), default=0.0),
        lead=_lead(passages),
        negation=float(_negated(question) != _negated(best.text)),
        number=float(bool(_numbers(question) - _numbers(f"{passage.title}\n{passage.chunk.text}"))),
    )


def certainty(signs: Signs) -> float:
    """Return the probability in (0, 1) that the best sentences answer the question."""
    values: tuple[float, ...] = astuple(signs)
    total = BIAS + sum(w * value for w, value in zip(WEIGHTS, values, strict=True))
    return 1.0 / (1.0 + math.exp(-total))


def _lead(passages: Sequence[Passage]) -> float:
    nearest: dict[str, float] = {}
    for passage in passages:
        known = nearest.get(passage.chunk.document_id, -1.0)
        nearest[passage.chunk.document_id] = max(known, passage.similarity)
    first, *others = sorted(nearest.values(), reverse=True)
    return min(first - others[0], MOST_LEAD) if others else USUAL_LEAD


def _negated(text: str) -> bool:
    lowered = text.casefold().replace("’", "'")
    return "n't" in lowered or not NEGATORS.isdisjoint(_WORD.findall(lowered))


def _numbers(text: str) -> frozenset[str]:
    return frozenset(token.stem for token in tokens(text) if token.kind == "number")
