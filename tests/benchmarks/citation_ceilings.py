"""How high citation F1 can be on a set with gold sentences, by the form of what is quoted.

    python -m tests.benchmarks.citation_ceilings ../shared/data/clapnq

Each row quotes by a rule that is told which page is right; an oracle also sees the gold sentences.
So a rule that is no oracle tells what knowing the page is worth, and an oracle what its form could
reach if sentences were chosen perfectly. People are measured against each other: each way of
answering that a set offers, against its other ways. Needs no model.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from handlers.judging.figures import citation_figures
from handlers.judging.intervals import Estimate, estimate
from handlers.judging.questions import Asked, questions_of
from handlers.runtime.terminal import print_json
from index.chunking import sentences
from index.errors import KnowledgeError
from index.sources.judged import JudgedSet

LONGEST_RUN = 5
"""Sentences; as many as an answer that quotes may hold (MOST_QUOTED in quoting.py)."""

Ways = Sequence[Sequence[str]]


def f1(quotes: Sequence[str], gold: Ways) -> float:
    """Return the citation F1 of these quotes."""
    return citation_figures(quotes, gold)[2]


def whole_page(page: Sequence[str], gold: Ways) -> float:
    """Quote every sentence of the right page."""
    return f1(page, gold)


def best_sentence(page: Sequence[str], gold: Ways) -> float:
    """Oracle: quote the one sentence that scores most."""
    return max((f1([one], gold) for one in page), default=0.0)


def best_run(page: Sequence[str], gold: Ways) -> float:
    """Oracle: quote the neighbouring sentences, at most ``LONGEST_RUN``, that score most."""
    runs = (
        page[first:last]
        for first in range(len(page))
        for last in range(first + 1, min(first + LONGEST_RUN, len(page)) + 1)
    )
    return max((f1(run, gold) for run in runs), default=0.0)


RULES: dict[str, Callable[[Sequence[str], Ways], float]] = {
    "the whole right page": whole_page,
    "oracle: one sentence of it": best_sentence,
    f"oracle: up to {LONGEST_RUN} neighbours": best_run,
}


def measured(questions: Sequence[Asked]) -> dict[str, Estimate]:
    """Return the mean of each rule over the questions that have gold sentences."""
    told = [one for one in questions if one.gold_sentences and one.gold_pages]
    found = {
        name: [rule(_sentences_of(one), one.gold_sentences) for one in told]
        for name, rule in RULES.items()
    }
    found["one person against the others"] = [
        f1(way, [other for other in one.gold_sentences if other is not way])
        for one in told
        if len(one.gold_sentences) > 1
        for way in one.gold_sentences
    ]
    return {name: estimate(values) for name, values in found.items() if values}


def main() -> int:
    """Print one JSON object; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.citation_ceilings",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="a judged set with gold sentences")
    try:
        print_json(measured(questions_of(JudgedSet.load(parser.parse_args().folder))))
    except (KnowledgeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _sentences_of(asked: Asked) -> list[str]:
    return [
        page.text[start:end] for page in asked.gold_pages for start, end in sentences(page.text)
    ]


if __name__ == "__main__":
    sys.exit(main())
