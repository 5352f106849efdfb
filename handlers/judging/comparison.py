"""What has really changed between two runs over the same questions. Pure but for reading one file.

Each figure of each set is tested (intervals.py), and the p-values are corrected together, so that
of all the figures of two equal runs one is called a difference in at most 5 % of comparisons.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers.judging import intervals, recipe
from handlers.judging.errors import ReportUnreadable
from handlers.judging.intervals import LEVEL, Difference
from handlers.judging.recipe import Block, Change
from handlers.judging.summary import FIGURES, SPLITS, SetReport, balanced

FORMAT = "footnote-eval-1"

Rows = Mapping[str, Mapping[str, Any]]
"""Question id -> what a report keeps of it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of one set, before and after. ``p`` is corrected for the number of figures."""

    set: str
    figure: str
    before: float
    after: float
    difference: Difference
    p: float

    @property
    def real(self) -> bool:
        """Tell whether the difference is more than chance."""
        return self.p < LEVEL and self.difference.mean != 0.0

    @property
    def loss(self) -> bool:
        """Tell whether it is real and for the worse; of each figure, more is better."""
        return self.real and self.difference.mean < 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures that both runs have, what differs in their recipes, and what to mind."""

    figures: tuple[Compared, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    @property
    def losses(self) -> tuple[Compared, ...]:
        """What was really lost."""
        return tuple(one for one in self.figures if one.loss)

    @property
    def gains(self) -> tuple[Compared, ...]:
        """What was really gained."""
        return tuple(one for one in self.figures if one.real and not one.loss)


def read_report(path: Path) -> dict[str, Any]:
    """Return what `footnote eval --json` once printed. Raises ReportUnreadable."""
    try:
        report = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ReportUnreadable(
            f"{path} cannot be read ({error.strerror}); name a file that `footnote eval --json`"
            " wrote."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportUnreadable(f"{path} is not JSON; was it written to the end?") from error
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise ReportUnreadable(
            f"{path} is no report of `footnote eval --json` of this version; measure it again."
        )
    try:
        for one in report["sets"]:
            _rows(one["questions"])
            str(one["name"])
        recipe.rows(report["configuration"])
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ReportUnreadable(f"{path} lacks a part of a report; measure it again.") from error
    return report


def compare(before: Mapping[str, Any], sets: Sequence[SetReport], block: Block) -> Comparison:
    """Compare a report that was read with what was measured now.

    Raises ReportUnreadable when they share no question, so that there is nothing to compare.
    """
    known = {str(one["name"]): _rows(one["questions"]) for one in before["sets"]}
    notes = [
        f"{one.name} is not in the earlier report, so nothing is said of it."
        for one in sets
        if one.name not in known
    ]
    missing = [name for name in known if name not in {one.name for one in sets}]
    notes += [f"{name} was not measured now, so nothing is said of it." for name in missing]
    tests: list[tuple[str, str, float, float, Difference]] = []
    for one in sets:
        if one.name in known:
            old, new = known[one.name], _rows(one.questions)
            shared = [question for question in new if _alike(question, old, new)]
            if len(shared) < max(len(old), len(new)):
                notes.append(
                    f"{one.name}: the questions differ; compared are the {len(shared)} that both"
                    f" reports hold, of {len(old)} before and {len(new)} now."
                )
            tests += [(one.name, *found) for found in _tested(shared, old, new)]
    if not tests:
        raise ReportUnreadable(
            "The earlier report shares no judged question with this run, so there is nothing to"
            " compare; name the same sets, with the same --limit."
        )
    corrected = intervals.holm([test[-1].p for test in tests])
    figures = tuple(Compared(*test, p) for test, p in zip(tests, corrected, strict=True))
    changes = tuple(recipe.changes(before["configuration"], block))
    return Comparison(figures, changes, tuple(notes))


def _alike(question: str, old: Rows, new: Rows) -> bool:
    return question in old and all(
        old[question].get(part) == new[question].get(part) for part in ("question", "impossible")
    )


def _rows(questions: Sequence[Mapping[str, Any]]) -> Rows:
    rows = {str(one["id"]): one for one in questions}
    for one in rows.values():
        _evidence(one)
        for value in one["values"].values():
            _number(value)
    return rows


def _evidence(row: Mapping[str, Any]) -> float | None:
    return None if row["evidence"] is None else _number(row["evidence"])


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a figure is no number")
    return number


def _tested(
    shared: Sequence[str], old: Rows, new: Rows
) -> list[tuple[str, float, float, Difference]]:
    """Return figure, value before, value after and the difference, for each that both runs have."""
    found: list[tuple[str, float, float, Difference]] = []
    for name in FIGURES:
        test = _split if name in SPLITS else _mean
        one = test(name, shared, old, new)
        if one is not None:
            found.append((name, *one))
    return found


def _mean(
    name: str, shared: Sequence[str], old: Rows, new: Rows
) -> tuple[float, float, Difference] | None:
    both = [q for q in shared if name in old[q]["values"] and name in new[q]["values"]]
    impossible = [bool(new[q]["impossible"]) for q in both]
    if not both or (name == "decision" and len(set(impossible)) < 2):
        return None
    kinds = balanced(name, impossible)
    before = [float(old[q]["values"][name]) for q in both]
    after = [float(new[q]["values"][name]) for q in both]
    difference = intervals.paired_difference(before, after, kinds)
    value = intervals.mean(before, kinds)
    return value, value + difference.mean, difference


def _split(
    name: str, shared: Sequence[str], old: Rows, new: Rows
) -> tuple[float, float, Difference] | None:
    both = [q for q in shared if None not in (_evidence(old[q]), _evidence(new[q]))]
    impossible = [bool(new[q]["impossible"]) for q in both]
    if len(set(impossible)) < 2:
        return None
    before = [_evidence(old[q]) or 0.0 for q in both]
    after = [_evidence(new[q]) or 0.0 for q in both]
    split = SPLITS[name]
    difference = intervals.split_difference(split, before, after, impossible)
    value = intervals.split_value(split, before, impossible)
    return value, value + difference.mean, difference
