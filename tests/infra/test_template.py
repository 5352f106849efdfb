"""serverless.yml becomes what it should, in every stage: as osls packages it, with nothing set."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handlers import __main__ as command_line
from handlers.runtime.upkeep import MARGIN_SECONDS
from handlers.work.deliveries import DELIVERIES, PORTION_DELIVERIES
from index.sources.web import WebOptions
from infra import osls
from infra.package import RUNTIME, code_zip
from tests.infra import template_limits, template_rules
from tests.infra.template_breaches import BREACHES, Rule, changed
from tests.infra.templates import of_type, plain, properties, referred

ROOT = Path(__file__).resolve().parents[2]
KEY = "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
RULES = (*template_rules.RULES, *template_limits.RULES)
OPTIONS = {
    "dev": ("dev",),
    "prod": ("prod",),
    "local": ("local",),
    "prod, its own key, told by e-mail, kept warm": (
        *("prod", f"kmsKey={KEY}", "alarmEmail=me@example.com", "provisionedConcurrency=1"),
    ),
    "with the agent, its own key": ("prod", f"kmsKey={KEY}", "agent=true"),
    "local, with the agent": ("local", "agent=true"),
    "another name, SnapStart, arm64, syncs fanned out": (
        *("trial-2", "snapStart=true", "architecture=arm64", "fanOut=true", "portion=20"),
    ),
}

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Package a stage, with parameters if any, and return its template."""
    service = tmp_path_factory.mktemp("service")
    shutil.copyfile(ROOT / "serverless.yml", service / "serverless.yml")
    (service / "infra").symlink_to(ROOT / "infra")
    code_zip(service / "build" / "code.zip")
    # Any zip will do here; the real one is looked at in test_package.py.
    shutil.copyfile(service / "build" / "code.zip", service / "build" / "slack.zip")
    empty = {"PATH": os.defpath, "HOME": str(tmp_path_factory.mktemp("home"))}

    @cache
    def package(stage: str, *parameters: str) -> dict[str, Any]:
        given = [f"--param={parameter}" for parameter in parameters]
        done = subprocess.run(
            osls.command("package", "--stage", stage, *given),
            cwd=service,
            env=empty,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        written = service / ".serverless" / "cloudformation-template-update-stack.json"
        template: dict[str, Any] = json.loads(written.read_text("utf-8"))
        return template

    return package


@pytest.fixture(params=OPTIONS)
def template(
    request: pytest.FixtureRequest, packaged: Callable[..., dict[str, Any]]
) -> dict[str, Any]:
    return packaged(*OPTIONS[request.param])


@pytest.fixture(scope="module")
def sound(packaged: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return plain(packaged("dev", "agent=true"))


def lint(template: Mapping[str, Any], folder: Path) -> str:
    (folder / "template.json").write_text(json.dumps(template), "utf-8")
    # W3005: osls writes DependsOn beside references that say the same.
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", "W3005"]
    command += ["--regions", "eu-west-1", "--", str(folder / "template.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_a_stage_keeps_every_rule(template: dict[str, Any]) -> None:
    decided = plain(template)
    broken = [f"{rule.__doc__} {sentence}" for rule in RULES for sentence in rule(decided)]
    assert not broken, "\n".join(broken)


def test_aws_finds_nothing_wrong_with_a_stage(template: dict[str, Any], tmp_path: Path) -> None:
    assert lint(template, tmp_path) == ""


def test_a_misspelt_property_would_be_found(sound: dict[str, Any], tmp_path: Path) -> None:
    broken = changed(sound, "AnswerQueue.Properties.VisibilityTimeOut", 720)
    assert "VisibilityTimeOut" in lint(broken, tmp_path)


@pytest.mark.parametrize(("rule", "path", "value"), BREACHES)
def test_a_breach_is_named(rule: Rule, path: str, value: object, sound: dict[str, Any]) -> None:
    if path == "ScheduleRole":  # used by a function as well
        value = {"Fn::GetAtt": ["ScheduleRole", "Arn"]}
        path = "ReconcileLambdaFunction.Properties.Role"
    broken = rule(changed(sound, path, value))
    assert broken, f"{rule.__name__} does not see {path}"


def test_every_dead_letter_queue_is_told_to_doctor_and_smoke_test(sound: dict[str, Any]) -> None:
    told = {k: referred(v["Value"]) for k, v in sound["Outputs"].items()}
    queues = {queue for name, queue in told.items() if name.endswith("DeadLettersUrl")}
    assert queues == template_rules.dead_letter_queues(sound)


def test_every_rule_is_shown_a_breach() -> None:
    assert {rule for rule, _, _ in BREACHES} == set(RULES)


def test_more_resources_than_a_stack_may_have_are_named(sound: dict[str, Any]) -> None:
    more = {f"Topic{n}": {"Type": "AWS::SNS::Topic"} for n in range(500)}
    [sentence] = template_limits.whole({**sound, "Resources": {**sound["Resources"], **more}})
    assert f"{len(sound['Resources']) + 500} resources" in sentence


def test_the_queues_give_up_where_the_program_expects_it(sound: dict[str, Any]) -> None:
    expected = {
        "AnswerQueue": DELIVERIES,
        "PrepareQueue": PORTION_DELIVERIES,
        "AgentQueue": DELIVERIES,
    }
    for queue, deliveries in expected.items():
        assert properties(sound, queue)["RedrivePolicy"]["maxReceiveCount"] == deliveries


def test_nobody_is_asked_to_prepare_documents_unless_that_was_wanted(
    packaged: Callable[..., dict[str, Any]],
) -> None:
    def asks(*option: str) -> tuple[object, object, object]:
        template = packaged(*option)
        given = properties(template, "IngestLambdaFunction")["Environment"]["Variables"]
        mapping = properties(template, "PrepareEventSourceMappingSQSPrepareQueue")
        return (
            given.get("FOOTNOTE_PREPARE_QUEUE_URL"),
            str(given["FOOTNOTE_PORTION"]),
            mapping["Enabled"],
        )

    assert asks("prod") == (None, "100", False)
    assert asks(*[*OPTIONS.values()][-1]) == ({"Ref": "PrepareQueue"}, "20", True)


def test_who_prepares_documents_reads_the_index_and_writes_only_beside_it(
    sound: dict[str, Any],
) -> None:
    granted = [s for role, s in template_rules.statements(sound) if role == "PrepareRole"]
    on_bucket = {s["Sid"]: s["Action"] for s in granted if "s3:" in str(s["Action"])}
    assert on_bucket == {
        "FindIndex": "s3:ListBucket",
        "ReadIndex": "s3:GetObject",
        "StageWhatIsPrepared": ["s3:GetObject", "s3:PutObject"],
    }
    assert "dynamodb" not in str(granted)
    assert "sqs:SendMessage" not in str(granted)


def test_without_the_agent_there_is_nothing_of_it_but_an_empty_table(
    packaged: Callable[..., dict[str, Any]],
) -> None:
    def of_agents(*option: str) -> set[str]:
        return {name for name in plain(packaged(*option))["Resources"] if "Agent" in name}

    def variables(*option: str) -> list[object]:
        decided = plain(packaged(*option))
        given = properties(decided, "SlackLambdaFunction")["Environment"]["Variables"]
        return [given.get(f"FOOTNOTE_{name}") for name in ("AGENT", "AGENT_QUEUE_URL")]

    assert of_agents("prod") == set()
    assert variables("prod") == ["OFF", None]
    assert of_agents("prod", f"kmsKey={KEY}", "agent=true") == {
        *("AgentLogGroup", "AgentLambdaFunction", "AgentRole", "AgentQueue", "AgentDeadLetters"),
        *("AgentEventSourceMappingSQSAgentQueue", "AgentDeadLettersAlarm", "AgentErrorsAlarm"),
    }
    assert variables("prod", f"kmsKey={KEY}", "agent=true") == ["ON", {"Ref": "AgentQueue"}]


def test_no_name_of_a_resource_that_is_not_there_is_left_over(
    packaged: Callable[..., dict[str, Any]],
) -> None:
    decided = plain(packaged("prod"))
    left = json.dumps([decided["Resources"], decided["Outputs"]["AuditTableName"]])
    there = decided["Resources"]
    named = set(re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', left))
    assert named
    assert {name for name in named if name.startswith("Agent") and name not in there} == set()


def test_who_puts_jobs_for_the_agent_and_notes_in_its_log_is_known(sound: dict[str, Any]) -> None:
    granted: dict[str, set[str]] = {}
    for role, statement in template_rules.statements(sound):
        for thing in ("AgentQueue", "AuditTable"):
            if statement["Resource"] == {"Fn::GetAtt": [thing, "Arn"]}:
                granted.setdefault(f"{thing}: {statement['Action']}", set()).add(role)
    taking = granted.pop(next(name for name in granted if "ReceiveMessage" in name))
    assert taking == {"AgentRole"}
    assert granted == {
        "AgentQueue: sqs:SendMessage": {"SlackRole", "ReconcileRole"},
        "AuditTable: dynamodb:PutItem": {"SlackRole", "AgentRole"},
    }


def test_zips_are_made_for_the_python_that_runs_them(sound: dict[str, Any]) -> None:
    runtimes = {f["Runtime"] for _, f in of_type(sound, "Lambda::Function") if "Runtime" in f}
    assert runtimes == {f"python{RUNTIME}"}


def test_lancedb_comes_as_an_image_on_aws_and_as_a_zip_in_the_stage_local(
    packaged: Callable[..., dict[str, Any]],
) -> None:
    images = {
        "prod": {"agent", "answer", "ingest", "maintain", "prepare"},
        "local": set[str](),
    }
    for stage, expected in images.items():
        found = set()
        for _, function in of_type(packaged(stage), "Lambda::Function"):
            name = function["FunctionName"].removeprefix(f"footnote-{stage}-")
            command = function.get("ImageConfig", {}).get("Command")
            found |= {name} if command else set()
            assert command or [function["Handler"]] == [f"handlers.{name}.handler"]
            assert command in (None, [f"handlers.{name}.handler"])
        assert found == expected


def test_each_way_of_waiting_less_for_a_cold_start_is_off_unless_asked_for(
    packaged: Callable[..., dict[str, Any]],
) -> None:
    def kept_warm(template: dict[str, Any]) -> set[str]:
        text = json.dumps(template)
        return {word for word in ("SnapStart", "ProvisionedConcurrencyConfig") if word in text}

    assert [kept_warm(packaged(*option)) for option in OPTIONS.values()] == [
        *(set(), set(), set()),
        {"ProvisionedConcurrencyConfig"},
        *(set(), set()),
        {"SnapStart"},
    ]


def test_nobody_is_written_to_unless_an_address_is_given(
    packaged: Callable[..., dict[str, Any]],
) -> None:
    told = [
        [s["Endpoint"] for _, s in of_type(plain(packaged(*option)), "SNS::Subscription")]
        for option in OPTIONS.values()
    ]
    assert told == [[], [], [], ["me@example.com"], [], [], []]


def alarm_names(template: Mapping[str, Any]) -> set[str]:
    alarms = of_type(template, "CloudWatch::Alarm")
    return {alarm["AlarmName"].removeprefix("footnote-dev-") for _, alarm in alarms}


def test_every_alarm_has_an_entry_in_the_runbook_and_every_entry_an_alarm(
    sound: dict[str, Any],
) -> None:
    text = (ROOT / "infra" / "RUNBOOK.md").read_text("utf-8")
    assert set(re.findall(r"^## ([a-z0-9-]+)$", text, re.MULTILINE)) == alarm_names(sound)
    for _, alarm in of_type(sound, "CloudWatch::Alarm"):
        name = alarm["AlarmName"].removeprefix("footnote-dev-")
        assert f"infra/RUNBOOK.md, {name}." in alarm["AlarmDescription"]


def test_the_runbook_names_commands_that_exist() -> None:
    text = (ROOT / "infra" / "RUNBOOK.md").read_text("utf-8")
    named = set(re.findall(r"\bfootnote ([a-z]+)\b", text))
    known = command_line.parser().format_help()
    assert named, "the runbook names no command"
    assert {name for name in named if not re.search(rf"^ +{name}\b", known, re.MULTILINE)} == set()


def test_alarms_and_dashboard_show_only_metrics_that_are_written(sound: dict[str, Any]) -> None:
    written = (ROOT / "handlers" / "runtime" / "metrics.py").read_text("utf-8")
    alarms = [a for _, a in of_type(sound, "CloudWatch::Alarm")]
    shown = {a["MetricName"] for a in alarms if a.get("Namespace") == "Footnote"}
    namespace = ""
    for row in dashboard_rows(sound):
        namespace = row[0] if row[0] not in (".", "...") else namespace
        if namespace == "Footnote" and row[0] != "...":
            shown.add(row[1])
    assert len(shown) > 10
    assert {name for name in shown if f'"{name}"' not in written} == set()


def dashboard_rows(template: Mapping[str, Any]) -> list[list[Any]]:
    text, names = properties(template, "Dashboard")["DashboardBody"]["Fn::Sub"]
    body = json.loads(text.replace("${AgentAlarms}", ""))
    known = {*names, *template["Resources"], "AWS::Region"}
    assert set(re.findall(r"\$\{([^}]+)\}", text)) <= known
    widgets = [widget["properties"] for widget in body["widgets"]]
    return [row for widget in widgets for row in widget.get("metrics", [])]


def test_the_dashboard_shows_every_alarm(sound: dict[str, Any]) -> None:
    text, names = properties(sound, "Dashboard")["DashboardBody"]["Fn::Sub"]
    shown = {names[name]["Fn::GetAtt"][0] for name in re.findall(r"\$\{(\w+Alarm)\}", text)}
    shown |= set(re.findall(r"\$\{(\w+Alarm)\.Arn\}", names["AgentAlarms"]["Fn::Sub"]))
    assert shown == {name for name, _ in of_type(sound, "CloudWatch::Alarm")}


def test_a_website_is_listed_in_time_for_its_pages_to_be_indexed(
    packaged: Callable[..., dict[str, Any]],
) -> None:
    ended = int(properties(packaged("prod"), "IngestLambdaFunction")["Timeout"])
    listed = WebOptions.model_validate({"start": "https://docs.example/"}).max_seconds
    assert listed + MARGIN_SECONDS <= 0.75 * ended
