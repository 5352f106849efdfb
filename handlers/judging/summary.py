"""The figures of a set: the means of its questions' values, with their intervals. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from handlers.judging import intervals
from handlers.judging.intervals import Estimate, Split
from handlers.judging.judge import Judged


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: how it is called, in which part of a report, and what it says."""

    title: str
    part: str
    meaning: str


RETRIEVAL, ANSWERS, REFUSAL = "Retrieval", "Answers", "Refusal"

FIGURES = {
    "recall_at_1": Figure("Recall@1", RETRIEVAL, "share of gold pages at the first place"),
    "recall_at_5": Figure("Recall@5", RETRIEVAL, "share of gold pages among the first five"),
    "recall_at_10": Figure("Recall@10", RETRIEVAL, "share of gold pages among the first ten"),
    "ndcg_at_10": Figure("nDCG@10", RETRIEVAL, "gold pages counting more the higher they stand"),
    "mrr_at_10": Figure("MRR@10", RETRIEVAL, "1 by the place of the first gold page"),
    "answered": Figure("Answered", ANSWERS, "share of answerable questions that got an answer"),
    "first_footnote_gold": Figure(
        "First footnote gold", ANSWERS, "share of answers whose first footnote opens a gold page"
    ),
    "citation_precision": Figure(
        "Citation precision", ANSWERS, "share of quoted sentences that are gold"
    ),
    "citation_recall": Figure(
        "Citation recall", ANSWERS, "share of gold sentences that are quoted; a refusal is 0"
    ),
    "citation_f1": Figure("Citation F1", ANSWERS, "of precision and recall; a refusal is 0"),
    "answer_in_quotes": Figure(
        "Answer in quotes", ANSWERS, "a quote holds an answer word for word; a refusal is 0"
    ),
    "exact_match": Figure("Exact match", ANSWERS, "the answer is the one wanted, and nothing else"),
    "answer_f1": Figure(
        "Answer F1", ANSWERS, "of the words shared with the one wanted; a refusal is 0"
    ),
    "faithfulness": Figure(
        "Faithfulness", ANSWERS, "share of an answer's bigrams that its cited passages hold"
    ),
    "refused": Figure("Refused", REFUSAL, "share of unanswerable questions that were refused"),
    "decision": Figure(
        "Balanced accuracy", REFUSAL, "mean of the shares rightly answered and rightly refused"
    ),
    "auc": Figure(
        "AUC", REFUSAL, "how often an answerable question has more evidence than an unanswerable"
    ),
    "refused_at_5": Figure(
        "Refused at 5 %", REFUSAL, "share refused when at most 5 % are refused wrongly"
    ),
}

SPLITS: Mapping[str, Split] = {"auc": intervals.auc, "refused_at_5": intervals.refused_at}
"""Figures that are no mean over questions, but of how both kinds of questions part."""

SECONDS = ("retrieval_p50_ms", "retrieval_p95_ms", "whole_p50_ms", "whole_p95_ms")


@dataclass(frozen=True, slots=True)
class SetReport:
    """What was measured on one set. ``effort`` holds times, tokens and cost, none of it judged.

    ``questions`` hold for each question its id, whether it is impossible, its values and its
    evidence (None if unknown): what a comparison needs.
    """

    name: str
    documents: int
    chunks: int
    index_version: int
    figures: Mapping[str, Estimate]
    effort: Mapping[str, float | None]
    questions: tuple[Mapping[str, object], ...] = field(repr=False, default=())

    @property
    def asked(self) -> int:
        """How many questions were asked."""
        return len(self.questions)


def summarised(
    name: str, judged: Sequence[Judged], *, documents: int, chunks: int, index_version: int
) -> SetReport:
    """Return the report of a set. A figure that applies to none of its questions is left out."""
    return SetReport(
        name=name,
        documents=documents,
        chunks=chunks,
        index_version=index_version,
        figures=_figures(judged),
        effort=_effort(judged),
        questions=tuple(
            {
                "id": one.asked.id,
                "question": one.asked.question.text,
                "impossible": one.asked.impossible,
                "values": dict(one.values),
                "evidence": one.evidence,
            }
            for one in judged
        ),
    )


def macro(reports: Sequence[SetReport]) -> dict[str, Estimate]:
    """Return each retrieval figure's mean over the sets that have it, each set counting the same.

    The sets are independent, so half the interval is the root of the summed squares of theirs, by
    their number. ``n`` counts sets. Nothing for a single set.
    """
    found: dict[str, Estimate] = {}
    for name, about in FIGURES.items():
        having = [one.figures[name] for one in reports if name in one.figures]
        if about.part == RETRIEVAL and len(having) > 1:
            mean = sum(one.mean for one in having) / len(having)
            half = math.hypot(*((one.high - one.low) / 2 for one in having)) / len(having)
            found[name] = Estimate(mean, mean - half, mean + half, len(having))
    return found


def balanced(name: str, impossible: Sequence[bool]) -> Sequence[bool]:
    """Return the kinds that a figure is the mean of: only the decision has two of them."""
    return impossible if name == "decision" else ()


def _figures(judged: Sequence[Judged]) -> dict[str, Estimate]:
    both_kinds = len({one.asked.impossible for one in judged}) == 2
    found: dict[str, Estimate] = {}
    for name in FIGURES:
        if name in SPLITS:
            known = [one for one in judged if one.evidence is not None]
            impossible = [one.asked.impossible for one in known]
            if len(set(impossible)) == 2:
                evidence = [one.evidence or 0.0 for one in known]
                found[name] = intervals.split_estimate(SPLITS[name], evidence, impossible)
            continue
        having = [one for one in judged if name in one.values]
        if having and (name != "decision" or both_kinds):
            kinds = balanced(name, [one.asked.impossible for one in having])
            found[name] = intervals.estimate([one.values[name] for one in having], kinds)
    return found


def _effort(judged: Sequence[Judged]) -> dict[str, float | None]:
    retrieval = [one.retrieval_seconds for one in judged if one.retrieval_seconds is not None]
    whole = [one.seconds for one in judged if one.seconds is not None]
    answers = [one.answer for one in judged if one.answer is not None]
    costs = [answer.cost for answer in answers if answer.cost is not None]
    return {
        **dict(zip(SECONDS, (*_milliseconds(retrieval), *_milliseconds(whole)), strict=True)),
        "timed": len(retrieval),
        "prompt_tokens": sum(answer.prompt_tokens for answer in answers),
        "completion_tokens": sum(answer.completion_tokens for answer in answers),
        "cost": sum(costs) if costs else None,
    }


def _milliseconds(seconds: Sequence[float]) -> tuple[float | None, float | None]:
    if not seconds:
        return None, None
    p50, p95 = np.percentile(np.array(seconds), [50, 95]) * 1000
    return float(p50), float(p95)
