"""Metric lines keep to CloudWatch's Embedded Metric Format, and say nothing but numbers."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import Ending, Outcome, Verdict
from handlers.runtime.metrics import Metrics, emf
from handlers.work.jobs import AnswerJob
from handlers.work.measures import AnswerMeasures, Observer
from index.sync import Skipped, SyncReport

ROOT = Path(__file__).parents[3]

UNITS = (
    "Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits"
    "|Megabits|Gigabits|Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|Megabytes/Second"
    "|Gigabytes/Second|Terabytes/Second|Bits/Second|Kilobits/Second|Megabits/Second"
    "|Gigabits/Second|Terabits/Second|Count/Second|None"
)

# "Specification: Embedded metric format" of the CloudWatch user guide: its JSON schema, and the
# limits that it puts into words: 100 metrics, and members for everything that is named.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "minItems": 0,
                                    "maxItems": 30,
                                    "items": {"type": "string", "minLength": 1, "maxLength": 250},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": {
                                            "type": "string",
                                            "minLength": 1,
                                            "maxLength": 1024,
                                        },
                                        "Unit": {"type": "string", "pattern": f"^({UNITS})$"},
                                        "StorageResolution": {"enum": [1, 60]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}

JOB = AnswerJob("T", "C", "U", "1.1", "1.0", "channel", sealed="sealed words", trace="a" * 32)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def checked(line: str) -> dict[str, Any]:
    """Return the line as CloudWatch would read it, or fail."""
    assert "\n" not in line
    assert len(line) < 256 * 1024
    document: dict[str, Any] = json.loads(line, parse_constant=refuse)
    jsonschema.validate(document, SCHEMA)
    [directive] = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Footnote"
    assert directive["Dimensions"] == [["Stage"]]
    named = [metric["Name"] for metric in directive["Metrics"]]
    assert len(named) == len(set(named))
    for name in named:
        assert type(document[name]) in (int, float), name
        assert abs(document[name]) <= 2**360
    for dimension in directive["Dimensions"][0]:
        assert isinstance(document[dimension], str)
        assert 1 <= len(document[dimension]) <= 1024
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    for name, unit in units.items():
        timed = re.search(r"Time|Age", name) is not None
        assert (unit == "Milliseconds") == timed, name
    return document


def told(stage: str = "prod") -> tuple[Metrics, list[str]]:
    lines: list[str] = []
    return Metrics(stage, write=lines.append, clock=lambda: 1000.5), lines


def counted(outcome: Outcome, measures: AnswerMeasures) -> dict[str, Any]:
    metrics, lines = told()
    observer: Observer = metrics.observe_answer
    observer(JOB, outcome, measures)
    [line] = lines
    return checked(line)


def test_an_answer_is_counted_with_all_that_it_took() -> None:
    document = counted(
        Outcome(Ending.ANSWERED, "", Verdict.PARTLY),
        AnswerMeasures(0.25, 0.05, 1.5, 0.9, 2.5, 1200, 80, 0.0021, deliveries=2),
    )
    aws = document.pop("_aws")
    assert aws["Timestamp"] == 1000500
    assert document == {
        "Stage": "prod",
        "trace": "a" * 32,
        "reason": "",
        "deliveries": 2,
        "Questions": 1,
        "Answered": 1,
        "PartlyAnswered": 1,
        "NotFound": 0,
        "SourcesDisagree": 0,
        "Unclear": 0,
        "Declined": 0,
        "Failed": 0,
        "QueueAge": 250.0,
        "RetrievalTime": 50.0,
        "ModelTime": 1500.0,
        "TimeToFirstWord": 900.0,
        "TimeToAnswer": 2500.0,
        "PromptTokens": 1200,
        "CompletionTokens": 80,
        "Cost": 0.0021,
    }


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (Outcome(Ending.ANSWERED, verdict=Verdict.ANSWERED), {"Answered"}),
        (Outcome(Ending.ANSWERED, verdict=Verdict.NOT_FOUND), {"Answered", "NotFound"}),
        (Outcome(Ending.ANSWERED, verdict=Verdict.DISAGREE), {"Answered", "SourcesDisagree"}),
        (Outcome(Ending.ANSWERED, verdict=Verdict.UNCLEAR), {"Answered", "Unclear"}),
        (Outcome(Ending.DECLINED, "not-a-member"), {"Declined"}),
        (Outcome(Ending.FAILED, "tried-too-often"), {"Failed"}),
    ],
)
def test_each_ending_counts_once_and_the_others_count_nothing(
    outcome: Outcome, counts: set[str]
) -> None:
    document = counted(outcome, AnswerMeasures())
    verdicts = ("PartlyAnswered", "NotFound", "SourcesDisagree", "Unclear")
    endings = ("Answered", *verdicts, "Declined", "Failed")
    assert {name for name in endings if document[name]} == counts
    assert document["Questions"] == 1
    assert document["reason"] == outcome.reason


def test_what_was_never_reached_makes_no_metric() -> None:
    document = counted(Outcome(Ending.FAILED, "bad-seal"), AnswerMeasures(queued=1, total=2))
    absent = {"RetrievalTime", "ModelTime", "TimeToFirstWord", "PromptTokens", "Cost"}
    assert not absent & set(document)


def test_a_question_that_comes_again_is_counted_when_it_has_ended() -> None:
    metrics, lines = told()
    metrics.observe_answer(JOB, Outcome(Ending.DEFERRED), AnswerMeasures())
    assert lines == []


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.builds(
        AnswerMeasures,
        queued=numbers,
        retrieval=st.none() | numbers,
        model=st.none() | numbers,
        first_word=st.none() | numbers,
        total=numbers,
        prompt_tokens=st.integers(0, 10**9),
        completion_tokens=st.integers(0, 10**9),
        cost=st.none() | numbers,
    )
)
def test_no_measure_at_all_makes_a_line_that_cloudwatch_refuses(measures: AnswerMeasures) -> None:
    document = counted(Outcome(Ending.ANSWERED, verdict=Verdict.ANSWERED), measures)
    for name, value in document.items():
        assert not name.endswith(("Time", "Age")) or value >= 0


def test_clocks_that_differ_make_no_negative_time() -> None:
    document = counted(Outcome(Ending.ANSWERED), AnswerMeasures(queued=-3.0))
    assert document["QueueAge"] == 0


def test_a_sync_is_counted_with_what_it_did() -> None:
    metrics, lines = told()
    skipped = (Skipped("a.pdf", "a secret reason"),)
    metrics.observe_sync(SyncReport("files", 3, 2, 1, 9, 70, 5, skipped, 12.5, 5.6, 41))
    document = checked(lines[0])
    assert document.pop("_aws")
    assert document == {
        "Stage": "prod",
        "index_version": 41,
        "SyncCompleted": 1,
        "SyncDocuments": 6,
        "SyncChunks": 70,
        "SyncSkipped": 1,
        "SyncTime": 12500.0,
    }


def test_door_reconcile_and_age_of_the_sync_are_counted() -> None:
    metrics, lines = told()
    metrics.observe_door(200)
    metrics.observe_door(401)
    metrics.observe_reconcile(3)
    metrics.observe_sync_age(90.0)
    first, second, third, fourth = map(checked, lines)
    assert (first["Accepted"], first["Refused"]) == (1, 0)
    assert (second["Accepted"], second["Refused"]) == (0, 1)
    assert third["Reconciled"] == 3
    assert fourth["SyncAge"] == 90000.0


def test_every_vote_is_counted_as_it_is_given() -> None:
    metrics, lines = told()
    for helpful in (True, False):
        metrics.observe_feedback(helpful)
    assert [(d["Helpful"], d["NotHelpful"]) for d in map(checked, lines)] == [(1, 0), (0, 1)]


def test_without_a_stage_nothing_is_written() -> None:
    metrics, lines = told("")
    metrics.observe_door(200)
    metrics.observe_feedback(True)
    metrics.observe_answer(JOB, Outcome(Ending.ANSWERED), AnswerMeasures())
    assert lines == []


def test_where_nothing_was_measured_there_is_no_line() -> None:
    nothing = {"A": (None, "Count"), "B": (math.nan, "Count")}
    assert emf(nothing, stage="prod", at=0.0) == ""  # type: ignore[arg-type]


def test_lines_go_to_standard_output_each_at_once() -> None:
    code = (
        "from handlers.runtime.metrics import Metrics\nimport os\n"
        "Metrics('prod').observe_door(200)\nos._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert checked(done.stdout.rstrip("\n"))["Accepted"] == 1
    assert done.stdout.count("\n") == 1


def test_counting_brings_nothing_along_that_the_slack_door_has_not_loaded() -> None:
    code = (
        "import bot.app, sys\nbefore = set(sys.modules)\nimport handlers.runtime.metrics\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["handlers", "handlers.runtime", "handlers.runtime.metrics"]
