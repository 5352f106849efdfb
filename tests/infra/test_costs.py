"""The page of costs says what its sum gives, and the sum rests on the stack as it is."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import costs
from tests.benchmarks.function_work import WORK

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    text = costs.PAGE.read_text("utf-8")
    assert costs.with_tables(text) == text, "run `python -m infra.costs`"


def test_it_costs_cents_while_nobody_asks() -> None:
    assert sum(costs.month(0, 1).values()) < 0.50


def test_more_questions_cost_more_of_everything() -> None:
    months = [costs.month(questions, 1) for questions in costs.MONTHS]
    for fewer, more in pairwise(months):
        assert all(fewer[name] <= more[name] for name in fewer)


def test_every_metric_that_an_alarm_watches_is_paid_for() -> None:
    resources = yaml.safe_load((ROOT / "infra" / "alarms.yml").read_text("utf-8"))["Resources"]
    # Those of the agent are made where it is on, which an idle stack is without.
    always = [r for r in resources.values() if r.get("Condition") != "Agents"]
    alarms = [r["Properties"] for r in always if r["Type"] == "AWS::CloudWatch::Alarm"]
    watched = [sum("MetricStat" in m for m in alarm.get("Metrics", [])) or 1 for alarm in alarms]
    assert sum(watched) == costs.ALARMS


def test_memory_batches_and_schedules_are_those_that_are_deployed() -> None:
    stack: dict[str, Any] = yaml.safe_load((ROOT / "serverless.yml").read_text("utf-8"))
    given = stack["params"]["default"]
    hours = {"rate(1 hour)": 1, "rate(6 hours)": 6, "rate(2 minutes)": 1 / 30}
    for function, rate in (("ingest", "syncRate"), ("maintain", "maintainRate")):
        assert costs.FACTS[f"{function}_runs"].value == pytest.approx(720 / hours[given[rate]])
    runs = costs.FACTS["reconcile_runs"].value
    assert runs == pytest.approx(720 / hours[given["reconcileRate"]])
    assert costs.FACTS["answer_gb"].value * 1024 == given["answerMemory"] == given["prepareMemory"]
    for fact, function in (("door", "slack"), ("reconcile", "reconcile")):
        memory = stack["functions"][function]["memorySize"]
        assert costs.FACTS[f"{fact}_gb"].value * 1024 == memory
    assert costs.FACTS["batch"].value == given["answerBatch"]


def test_every_metric_that_is_written_is_paid_for() -> None:
    written = (ROOT / "handlers" / "runtime" / "metrics.py").read_text("utf-8")
    names = set(re.findall(r'"([A-Z]\w+)": (?:\(|_whether|_milliseconds)', written))
    # Those of the agent are written where it is on, which an idle stack is without.
    always = {name for name in names if not name.startswith("Agent")}
    assert len(always) == costs.METRICS_ALWAYS + costs.METRICS_OF_QUESTIONS


def test_what_was_measured_says_where() -> None:
    places = {fact.measured for fact in costs.FACTS.values()} - {"", "AWS's manual"}
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_every_function_that_is_deployed_is_measured() -> None:
    stack: dict[str, Any] = yaml.safe_load((ROOT / "serverless.yml").read_text("utf-8"))
    assert set(WORK.values()) == set(stack["functions"])


def test_a_slow_model_and_a_fresh_container_are_billed() -> None:
    memory, fresh = costs.f("answer_gb"), costs.MONTHS[1_000].fresh * costs.f("answer_fresh")
    assert costs.gb_seconds(1_000) > 1_000 * costs.f("model_seconds") * memory
    assert costs.gb_seconds(1_000, model=False) > 1_000 * fresh * costs.f("slower") * memory


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks around its table of facts"):
        costs.with_tables("# What it costs\n")
