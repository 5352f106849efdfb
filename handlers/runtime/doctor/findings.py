"""What a check found out: a verdict, a sentence, and what to do. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended, the worst last."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report. ``found`` is a sentence; ``todo`` says what to do unless all is well.

    For a check that was skipped ``found`` is the reason.
    """

    check: str
    verdict: Verdict
    found: str
    todo: str = ""


def ok(check: str, found: str) -> Finding:
    """Return the finding that nothing needs to be done."""
    return Finding(check, Verdict.OK, found)


def skipped(check: str, why: str) -> Finding:
    """Return the finding that there was nothing to look at, or no way to."""
    return Finding(check, Verdict.SKIPPED, why)


def warning(check: str, found: str, todo: str) -> Finding:
    """Return the finding that Footnote works, and somebody should act all the same."""
    return Finding(check, Verdict.WARNING, found, todo)


def failed(check: str, found: str, todo: str) -> Finding:
    """Return the finding that Footnote cannot work like this."""
    return Finding(check, Verdict.FAILED, found, todo)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict of all; what was skipped is no worse than ok."""
    order = list(Verdict)
    verdicts = {f.verdict for f in findings} - {Verdict.SKIPPED}
    return max(verdicts, key=order.index, default=Verdict.OK)
