"""One HTML file with all that was measured. It loads nothing and holds no script and no link.

Retrieved text is shown as text: everything is escaped, addresses are not made links, and the page
forbids the browser to fetch anything.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.conversation import Answer
from handlers.judging import plots, recipe
from handlers.judging.comparison import Comparison
from handlers.judging.errors import JudgingError
from handlers.judging.intervals import Estimate
from handlers.judging.judge import Judged
from handlers.judging.model_judge import Opinion
from handlers.judging.summary import FIGURES, RETRIEVAL, SetReport, macro
from handlers.judging.worst import Worst, worst
from index.documents import Passage

HEADLINES = (
    *("ndcg_at_10", "recall_at_5", "first_footnote_gold", "citation_f1", "answer_in_quotes"),
    *("faithfulness", "answered", "decision"),
)
"""Figures of the table at the top; all others are in the plots and the last table."""

LONGEST = 900
"""Characters of a document or passage that a worst case shows."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A set's report, and its questions with all that came of them."""

    report: SetReport
    judged: Sequence[Judged] = field(repr=False)


def write_report(
    path: Path,
    measured: Sequence[Measured],
    block: recipe.Block,
    comparison: Comparison | None = None,
    opinions: Mapping[str, Opinion] | None = None,
) -> None:
    """Write the report as ``path``. Raises JudgingError when that cannot be written."""
    page = rendered(measured, block, comparison, opinions)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(page, encoding="utf-8", errors="replace")
        os.replace(unfinished, path)  # what stood there before stays until this one is whole
    except OSError as error:
        raise JudgingError(f"{path} cannot be written ({error.strerror}).") from error
    finally:
        unfinished.unlink(missing_ok=True)


def rendered(
    measured: Sequence[Measured],
    block: recipe.Block,
    comparison: Comparison | None = None,
    opinions: Mapping[str, Opinion] | None = None,
) -> str:
    """Return the page."""
    # Only this command needs it, and the parser of the command line comes before all imports.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("handlers.judging", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    reports = [one.report for one in measured]
    named = [name for name in FIGURES if any(name in one.figures for one in reports)]
    return environment.get_template("report.html").render(
        block=block,
        rows=recipe.rows(block),
        reports=reports,
        macro=macro(reports),
        figures=FIGURES,
        named=named,
        headlines=[name for name in HEADLINES if name in named],
        retrieval=[name for name in named if FIGURES[name].part == RETRIEVAL],
        plots=plots.by_set(reports),
        change=plots.by_change(comparison.figures) if comparison else None,
        comparison=comparison,
        opinions=opinions or {},
        worst=[(one.report.name, [_case(bad) for bad in worst(one.judged)]) for one in measured],
        interval=interval,
    )


def interval(figure: Estimate) -> str:
    """Return the interval of a figure, for people."""
    return f"{figure.low:.3f}–{figure.high:.3f}"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A worst case, as the page shows it; ``outcome`` stands for an answer that is not there."""

    reason: str
    question: str
    history: tuple[tuple[str, str], ...]
    gold: tuple[tuple[str, str], ...]
    wanted: tuple[str, ...]
    answer: str
    outcome: str
    quotes: tuple[tuple[int, str, str], ...]
    passages: tuple[tuple[str, str, bool, float], ...]
    values: tuple[tuple[str, str], ...]


def _case(one: Worst) -> _Shown:
    asked, answer = one.judged.asked, one.judged.answer
    sentences = {sentence for way in asked.gold_sentences for sentence in way}
    return _Shown(
        reason=one.reason,
        question=asked.question.text,
        history=tuple(("bot" if t.by_bot else "user", t.text) for t in asked.question.history),
        gold=tuple((page.title, cut(page.text)) for page in asked.gold_pages),
        wanted=(*asked.answers, *sorted(sentences)),
        answer=_text(answer),
        outcome="Only retrieval was measured." if answer is None else "Not found.",
        quotes=tuple((c.number, c.title, c.quote) for c in answer.citations) if answer else (),
        passages=tuple(_passage(p, one.judged.gold_documents) for p in one.judged.passages),
        values=tuple(
            (FIGURES[name].title, f"{value:.2f}")
            for name, value in one.judged.values.items()
            if name != "decision"
        ),
    )


def _text(answer: Answer | None) -> str:
    if answer is None:
        return ""
    marked = (
        (s.lead, s.text, "".join(f" [{number}]" for number in s.citations))
        for s in answer.sentences
    )
    return "".join(part for parts in marked for part in parts).strip()


def _passage(passage: Passage, gold: frozenset[str]) -> tuple[str, str, bool, float]:
    where = " › ".join(part for part in (passage.title, *passage.chunk.heading_path) if part)
    text = cut(passage.chunk.text)
    return where, text, passage.chunk.document_id in gold, passage.score


def cut(text: str) -> str:
    """Return the beginning of a text without its empty lines, and dots if it goes on."""
    text = re.sub(r"\n\s*\n", "\n", text.strip())
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} …"
