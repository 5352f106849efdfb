"""What CloudWatch counts: one line of Embedded Metric Format on standard output for each event.

CloudWatch makes metrics out of such lines by itself, so no call to AWS is made here. A line holds
numbers and machine words, never what somebody wrote. The metrics of a question:

    Questions  Answered  PartlyAnswered  NotFound  SourcesDisagree        0 or 1 each
    Unclear  Declined  Failed                                             0 or 1 each
    QueueAge  RetrievalTime  ModelTime  TimeToFirstWord  TimeToAnswer     milliseconds
    PromptTokens  CompletionTokens  Cost                                  Cost in US dollars

Answered includes PartlyAnswered to Unclear, which are verdicts on the answer. The metrics of a
reader's vote on an answer:

    Helpful  NotHelpful                                                   0 or 1 each

They count votes as they are given. Whoever changes their mind is counted once more, with the new
vote; the old one is not taken back, because CloudWatch forgets nothing. Pressing the same button
again counts nothing. The metrics of a run of the agent, which adds to Cost as a question does:

    AgentRuns  AgentFailed                                                0 or 1 each
    AgentTurns  AgentTokens  AgentTime                                    milliseconds at work
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from bot.conversation import Ending, Verdict

if TYPE_CHECKING:
    from bot.conversation import Outcome
    from handlers.tools.runs import Run
    from handlers.work.jobs import AgentJob, AnswerJob
    from handlers.work.measures import AnswerMeasures
    from index.sync import SyncReport

NAMESPACE = "Footnote"

LARGEST = 2.0**360
"""CloudWatch takes no greater number; NaN and infinities fail the comparison too."""

Unit = Literal["Count", "Milliseconds", "Seconds", "None"]
Measured = Mapping[str, tuple[float | None, Unit]]


def emf(
    measured: Measured, *, stage: str, at: float, properties: Mapping[str, str | int] | None = None
) -> str:
    """Return one line for CloudWatch, or nothing where nothing was measured. Pure.

    ``at`` is in seconds since the epoch. What is None or no number for CloudWatch is left out.
    Properties can be searched for and make no metric of their own.
    """
    kept = {
        name: (value, unit)
        for name, (value, unit) in measured.items()
        if value is not None and abs(value) <= LARGEST
    }
    if not kept:
        return ""
    line = {
        **(properties or {}),
        "_aws": {
            "Timestamp": int(at * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Stage"]],
                    "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in kept.items()],
                }
            ],
        },
        "Stage": stage,
        **{name: value for name, (value, _) in kept.items()},
    }
    return json.dumps(line)


class Metrics:
    """Writes metrics of the deployment ``stage``; without a stage it writes nothing."""

    def __init__(
        self,
        stage: str,
        *,
        write: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``write`` gets one line at a time; ``clock`` counts seconds since the epoch."""
        self._stage = stage
        self._write = write or _to_stdout
        self._clock = clock

    def observe_answer(self, job: AnswerJob, outcome: Outcome, measures: AnswerMeasures) -> None:
        """Count one question that came to its end: an Observer of the worker."""
        if outcome.ending is Ending.DEFERRED:
            return
        spoke = measures.prompt_tokens or measures.completion_tokens
        self._put(
            {
                "Questions": (1, "Count"),
                "Answered": _whether(outcome.ending is Ending.ANSWERED),
                "PartlyAnswered": _whether(outcome.verdict is Verdict.PARTLY),
                "NotFound": _whether(outcome.verdict is Verdict.NOT_FOUND),
                "SourcesDisagree": _whether(outcome.verdict is Verdict.DISAGREE),
                "Unclear": _whether(outcome.verdict is Verdict.UNCLEAR),
                "Declined": _whether(outcome.ending is Ending.DECLINED),
                "Failed": _whether(outcome.ending is Ending.FAILED),
                "QueueAge": _milliseconds(measures.queued),
                "RetrievalTime": _milliseconds(measures.retrieval),
                "ModelTime": _milliseconds(measures.model),
                "TimeToFirstWord": _milliseconds(measures.first_word),
                "TimeToAnswer": _milliseconds(measures.total),
                "PromptTokens": (measures.prompt_tokens if spoke else None, "Count"),
                "CompletionTokens": (measures.completion_tokens if spoke else None, "Count"),
                "Cost": (measures.cost, "None"),
            },
            {"trace": job.trace, "reason": outcome.reason, "deliveries": measures.deliveries},
        )

    def observe_run(self, job: AgentJob, run: Run, outcome: Outcome) -> None:
        """Count one run of the agent that came to its end: an Observer of its worker."""
        self._put(
            {
                "AgentRuns": (1, "Count"),
                "AgentFailed": _whether(outcome.ending is Ending.FAILED),
                "AgentTurns": (run.spent.turns, "Count"),
                "AgentTokens": (run.spent.tokens, "Count"),
                "AgentTime": _milliseconds(run.spent.seconds),
                "Cost": (run.spent.cost or None, "None"),
            },
            {"trace": job.trace, "reason": outcome.reason},
        )

    def observe_feedback(self, helpful: bool) -> None:
        """Count one vote: a reader's first on an answer, or a changed mind."""
        self._put({"Helpful": _whether(helpful), "NotHelpful": _whether(not helpful)})

    def observe_sync(self, report: SyncReport) -> None:
        """Count one sync that came to its end; one that failed is an error of its function."""
        documents = report.added + report.changed + report.removed
        self._put(
            {
                "SyncCompleted": (1, "Count"),
                "SyncDocuments": (documents, "Count"),
                "SyncChunks": (report.chunks_embedded, "Count"),
                "SyncSkipped": (len(report.skipped), "Count"),
                "SyncTime": _milliseconds(report.seconds),
            },
            {"index_version": report.index_version},
        )

    def observe_sync_age(self, seconds: float) -> None:
        """Tell how long ago the last sync came to its end."""
        self._put({"SyncAge": _milliseconds(seconds)})

    def observe_reconcile(self, found: int) -> None:
        """Count the questions that Slack had never delivered, in one look for them."""
        self._put({"Reconciled": (found, "Count")})

    def observe_door(self, status: int) -> None:
        """Count one request of Slack by the HTTP status it got; from 400 on it was refused."""
        self._put({"Accepted": _whether(status < 400), "Refused": _whether(status >= 400)})

    def _put(self, measured: Measured, properties: Mapping[str, str | int] | None = None) -> None:
        if not self._stage:
            return
        line = emf(measured, stage=self._stage, at=self._clock(), properties=properties)
        if line:
            self._write(line)


def _whether(so: bool) -> tuple[float, Unit]:
    return int(so), "Count"


def _milliseconds(seconds: float | None) -> tuple[float | None, Unit]:
    # Two machines took part, and their clocks may differ: nothing lasted less than no time.
    return (None if seconds is None else max(seconds, 0.0) * 1000), "Milliseconds"


def _to_stdout(line: str) -> None:
    # A closed pipe is no reason to fail the work that is counted.
    with suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
