"""Settings: read once, checked all at once, and never shown where they are secret."""

import dataclasses
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.runtime.deployed import known_parameters
from handlers.runtime.env_file import parse_env_file
from handlers.runtime.settings import SecretStr, Settings, SettingsError, settings_table

ROOT = Path(__file__).parents[3]

SLACK = {"SLACK_BOT_TOKEN": "xoxb-1-abc", "SLACK_SIGNING_SECRET": "0123456789abcdef"}


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        Settings.load(environ)
    return raised.value.problems


def names(environ: dict[str, str]) -> list[str]:
    return [problem.split()[0] for problem in problems(environ)]


def test_nothing_needs_to_be_set() -> None:
    settings = Settings.load({})
    assert settings.port == 3000
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.index == str(Path(".footnote") / "index")
    assert settings.storage_options() == settings.aws_client_options() == {}


def test_what_is_set_empty_is_not_set() -> None:
    assert Settings.load({"FOOTNOTE_PORT": "", "OPENAI_MODEL": "  "}) == Settings.load({})


def test_every_setting_can_be_set() -> None:
    environ = {
        **SLACK,
        "SLACK_APP_TOKEN": "xapp-1-A-b",
        "SLACK_API_URL": "http://127.0.0.1:9/api",
        "OPENAI_API_KEY": "sk-abc",
        "OPENAI_BASE_URL": "http://localhost:11434/v1",
        "OPENAI_MODEL": "llama3.2:3b",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret/+=",
        "AWS_SESSION_TOKEN": "session",
        "FOOTNOTE_DOCS": "/docs",
        "FOOTNOTE_DOCS_URL": "https://docs.example.com/handbook",
        "FOOTNOTE_SOURCES": "sources.toml",
        "FOOTNOTE_SOURCE_SECRETS": "wiki=abc git=def",
        "FOOTNOTE_INDEX": "s3://bucket/prefix/",
        "FOOTNOTE_HOME": "/data",
        "FOOTNOTE_MODELS": "/models",
        "FOOTNOTE_HOST": "0.0.0.0",
        "FOOTNOTE_PORT": "0",
        "FOOTNOTE_WORKERS": "2",
        "FOOTNOTE_SYNC_MINUTES": "0.5",
        "FOOTNOTE_ANSWER_SECONDS": "30",
        "FOOTNOTE_MODEL_FIRST_TOKEN_SECONDS": "5",
        "FOOTNOTE_CONTEXT_CHARACTERS": "9000",
        "FOOTNOTE_PASSAGES": "5",
        "FOOTNOTE_REFUSAL_FLOOR": "0.5",
        "FOOTNOTE_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/1/q.fifo",
        "FOOTNOTE_PREPARE_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/1/p.fifo",
        "FOOTNOTE_PORTION": "20",
        "FOOTNOTE_AGENT": "on",
        "FOOTNOTE_AGENT_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/1/a.fifo",
        "FOOTNOTE_AGENT_DEAD_LETTERS_URL": "https://sqs.eu-central-1.amazonaws.com/1/ad.fifo",
        "FOOTNOTE_AUDIT_TABLE": "audit",
        "FOOTNOTE_AGENT_APPROVERS": "U012AB3CD, W345EF6GH",
        "FOOTNOTE_AGENT_APPROVAL_HOURS": "1.5",
        "FOOTNOTE_AGENT_POLICY": "policy.toml",
        "FOOTNOTE_AGENT_TURNS": "5",
        "FOOTNOTE_AGENT_TOKENS": "20000",
        "FOOTNOTE_AGENT_SECONDS": "60",
        "FOOTNOTE_AGENT_COST": "0.2",
        "FOOTNOTE_AGENT_TOOLS": "schema",
        "FOOTNOTE_MCP": "mcp.toml",
        "FOOTNOTE_MCP_ASKS_HOUR": "0",
        "FOOTNOTE_MCP_ASKS_DAY": "20",
        "FOOTNOTE_MCP_LOOKS_HOUR": "200",
        "FOOTNOTE_MCP_LOOKS_DAY": "1000",
        "FOOTNOTE_WEBHOOKS": "webhooks.toml",
        "FOOTNOTE_TOOL_SECRETS": "wiki=abc",
        "FOOTNOTE_CARDS": "cards",
        "FOOTNOTE_GITHUB_URL": "https://github.example.com",
        "FOOTNOTE_GITHUB_REPOSITORIES": "acme/handbook acme/site",
        "FOOTNOTE_GITHUB_TOKEN": "ghp_abc",
        "FOOTNOTE_GITLAB_URL": "https://gitlab.example.com",
        "FOOTNOTE_GITLAB_PROJECTS": "acme/handbook",
        "FOOTNOTE_GITLAB_TOKEN": "glpat-abc",
        "FOOTNOTE_JIRA_URL": "https://acme.atlassian.net",
        "FOOTNOTE_JIRA_PROJECTS": "OPS",
        "FOOTNOTE_JIRA_EMAIL": "bot@example.com",
        "FOOTNOTE_JIRA_TOKEN": "jira-abc",
        "FOOTNOTE_STATE_TABLE": "state",
        "FOOTNOTE_DEAD_LETTERS_URL": "https://sqs.eu-central-1.amazonaws.com/1/dead.fifo",
        "FOOTNOTE_LOG_LEVEL": "debug",
        "FOOTNOTE_MODEL_WINDOW": "4096",
        "FOOTNOTE_REWRITE": "off",
        "FOOTNOTE_EMBEDDER": "openai:words",
        "FOOTNOTE_ENTAILMENT_MODEL": "an/nli-model",
        "FOOTNOTE_RERANKER": "someone/reranker",
        "FOOTNOTE_RERANKED": "50",
        "FOOTNOTE_MODEL_PRICE_IN": "0.25",
        "FOOTNOTE_MODEL_PRICE_OUT": "2",
        "FOOTNOTE_STAGE": "prod",
        "FOOTNOTE_PARAMETERS": "/footnote/prod",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=abc",
    }
    settings = Settings.load(environ)
    default = Settings.load({})
    for field in dataclasses.fields(Settings):
        assert getattr(settings, field.name) != getattr(default, field.name), field.name
    assert settings.slack_api_url == "http://127.0.0.1:9/api/"
    assert settings.docs_url == "https://docs.example.com/handbook/"
    assert settings.index == "s3://bucket/prefix"
    assert (settings.home, settings.docs) == (Path("/data"), Path("/docs"))
    assert (settings.port, settings.sync_minutes, settings.log_level) == (0, 0.5, "DEBUG")
    assert (settings.parameters, settings.stage) == ("/footnote/prod/", "prod")
    assert settings.otel_endpoint == "http://localhost:4318/"
    assert (settings.agent, settings.agent_approvers) == ("ON", "U012AB3CD W345EF6GH")
    assert settings.slack_bot_token == SecretStr("xoxb-1-abc")
    assert len(environ) == len(dataclasses.fields(Settings))


def test_all_problems_are_told_at_once_each_with_its_name_and_what_to_do() -> None:
    environ = {
        "SLACK_BOT_TOKEN": "xoxp-mine",
        "SLACK_SIGNING_SECRET": "xoxb-1-abc",
        "SLACK_API_URL": "slack.com",
        "OPENAI_MODEL": "gpt-5",
        "FOOTNOTE_PORT": "http",
        "FOOTNOTE_INDEX": "gs://bucket",
        "FOOTNOTE_STATE_TABLE": "state",
        "AWS_ACCESS_KEY_ID": "key",
    }
    with pytest.raises(SettingsError) as raised:
        Settings.load(environ)
    assert [problem.split()[0] for problem in raised.value.problems] == [
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_API_URL",
        "FOOTNOTE_INDEX",
        "FOOTNOTE_PORT",
        "OPENAI_MODEL",
        "FOOTNOTE_QUEUE_URL",
        "AWS_SECRET_ACCESS_KEY",
    ]
    for problem in raised.value.problems:
        assert problem in str(raised.value)
        assert problem.endswith(".")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-"),
        ("SLACK_BOT_TOKEN", "xoxb-..."),
        ("SLACK_BOT_TOKEN", "xoxb-1 2"),
        ("SLACK_APP_TOKEN", "xoxb-1-abc"),
        ("SLACK_SIGNING_SECRET", "two words"),
        ("SLACK_API_URL", "ftp://slack.com/"),
        ("SLACK_API_URL", "https://"),
        ("SLACK_API_URL", "https://[broken"),
        ("SLACK_API_URL", "https://host:99999/"),
        ("OPENAI_API_KEY", "sk-\u200babc"),
        ("FOOTNOTE_PORT", "65536"),
        ("FOOTNOTE_PORT", "-1"),
        ("FOOTNOTE_PORT", "3000.0"),
        ("FOOTNOTE_PORT", "\u0663000"),
        ("FOOTNOTE_WORKERS", "0"),
        ("FOOTNOTE_REFUSAL_FLOOR", "nan"),
        ("FOOTNOTE_REFUSAL_FLOOR", "1.5"),
        ("FOOTNOTE_ANSWER_SECONDS", "1e999"),
        ("FOOTNOTE_ANSWER_SECONDS", "fast"),
        ("FOOTNOTE_INDEX", "s3://"),
        ("FOOTNOTE_LOG_LEVEL", "LOUD"),
        ("FOOTNOTE_HOME", "a\x00b"),
        ("FOOTNOTE_STAGE", "pröd"),
        ("FOOTNOTE_STAGE", "-"),
        ("FOOTNOTE_STAGE", "a" * 33),
        ("FOOTNOTE_PARAMETERS", "footnote/prod/"),
        ("FOOTNOTE_PARAMETERS", "/"),
        ("FOOTNOTE_PARAMETERS", "/footnote/*"),
        ("FOOTNOTE_MODEL_PRICE_IN", "-1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "abc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ("FOOTNOTE_DOCS", "~no-such-user-here/docs"),
        ("FOOTNOTE_AGENT", "yes"),
        ("FOOTNOTE_AGENT_APPROVERS", "@alice"),
        ("FOOTNOTE_AGENT_APPROVERS", "U012AB3CD, alice"),
        ("FOOTNOTE_AGENT_TURNS", "1"),
        ("FOOTNOTE_AGENT_APPROVAL_HOURS", "0"),
        ("FOOTNOTE_TOOL_SECRETS", "no secret"),
        ("FOOTNOTE_GITHUB_URL", "github.com"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    assert names({name: value}) == [name]


@given(
    st.sampled_from(["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN",
                     "OPENAI_API_KEY", "OPENAI_BASE_URL", "AWS_SECRET_ACCESS_KEY",
                     "OTEL_EXPORTER_OTLP_HEADERS"]),
    st.text(st.characters(codec="utf-8"), min_size=4),
)  # fmt: skip
def test_no_message_shows_what_may_be_secret(name: str, value: str) -> None:
    value = f"{value} zq7Secret9 {value}"
    assert "zq7Secret9" not in " ".join(problems({name: value}))


def test_no_representation_shows_a_secret() -> None:
    settings = Settings.load(
        {**SLACK, "OPENAI_API_KEY": "sk-hidden", "AWS_SECRET_ACCESS_KEY": "hidden",
         "AWS_ACCESS_KEY_ID": "id"}
    )  # fmt: skip
    for shown in (
        repr(settings),
        str(settings),
        f"{settings.slack_bot_token}",
        repr(vars(settings)),
    ):
        for secret in ("xoxb-1-abc", "0123456789abcdef", "sk-hidden", "hidden"):
            assert secret not in shown
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1-abc"


def test_settings_cannot_be_changed() -> None:
    settings = Settings.load({})
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]


def test_secrets_are_copied_without_the_white_space_around_them() -> None:
    settings = Settings.load({"SLACK_BOT_TOKEN": " xoxb-1-abc\n"})
    assert settings.slack_bot_token == SecretStr("xoxb-1-abc")


def test_a_half_that_cannot_be_read_is_not_reported_as_missing_too() -> None:
    assert names({"OPENAI_MODEL": "m", "OPENAI_API_KEY": "two words"}) == ["OPENAI_API_KEY"]


def test_a_model_needs_a_key_or_an_address() -> None:
    assert names({"OPENAI_MODEL": "m"}) == ["OPENAI_MODEL"]
    assert Settings.load({"OPENAI_MODEL": "m", "OPENAI_API_KEY": "k"}).openai_model == "m"
    assert Settings.load({"OPENAI_MODEL": "m", "OPENAI_BASE_URL": "http://x"}).openai_model == "m"


def test_an_agent_on_aws_needs_its_queue_and_its_audit_log() -> None:
    deployed = {
        "AWS_REGION": "eu-west-1",
        "FOOTNOTE_QUEUE_URL": "https://q",
        "FOOTNOTE_STATE_TABLE": "state",
    }
    on = {**deployed, "FOOTNOTE_AGENT": "ON"}
    assert names(on) == ["FOOTNOTE_AGENT_QUEUE_URL", "FOOTNOTE_AUDIT_TABLE"]
    assert names({**on, "FOOTNOTE_AGENT_QUEUE_URL": "https://a"}) == ["FOOTNOTE_AUDIT_TABLE"]
    assert Settings.load(deployed).agent == "OFF"
    assert Settings.load({"FOOTNOTE_AGENT": "ON"}).agent == "ON"


@pytest.mark.parametrize(
    ("tracker", "parts"),
    [
        ("GITHUB", ("REPOSITORIES", "TOKEN")),
        ("GITLAB", ("PROJECTS", "TOKEN")),
        ("JIRA", ("URL", "PROJECTS", "EMAIL", "TOKEN")),
    ],
)
def test_where_issues_are_opened_is_set_as_a_whole(tracker: str, parts: tuple[str, ...]) -> None:
    whole = {f"FOOTNOTE_{tracker}_{part}": "https://x" for part in parts}
    Settings.load(whole)
    for absent in whole:
        assert names({k: v for k, v in whole.items() if k != absent}) == [absent]
    # An address alone asks for nothing.
    assert Settings.load({f"FOOTNOTE_{tracker}_URL": "https://example.com"})


def test_a_name_that_is_nearly_a_setting_is_pointed_out_and_others_are_left_alone() -> None:
    assert "Did you mean FOOTNOTE_DOCS?" in problems({"FOOTNOTE_DOC": "x"})[0]
    assert Settings.load({"FOOTNOTE_SOMETHING_ELSE": "x", "SLACK_TEAM": "y"}) == Settings.load({})


def test_slack_names_all_that_is_missing() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.load({}).require_slack()
    text = str(raised.value)
    assert all(name in text for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SIGNING_SECRET"))
    Settings.load(SLACK).require_slack()
    Settings.load({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}).require_slack()
    with pytest.raises(SettingsError, match="SLACK_SIGNING_SECRET"):
        Settings.load({"SLACK_BOT_TOKEN": "xoxb-1"}).require_slack()


def test_documents_are_a_folder_that_exists(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="FOOTNOTE_DOCS to a folder, or FOOTNOTE_SOURCES"):
        Settings.load({}).require_docs()
    with pytest.raises(SettingsError, match="not a folder"):
        Settings.load({"FOOTNOTE_DOCS": str(tmp_path / "absent")}).require_docs()
    assert Settings.load({"FOOTNOTE_DOCS": str(tmp_path)}).require_docs() == tmp_path


def test_the_command_line_wins_over_the_environment() -> None:
    settings = Settings.load(
        {"FOOTNOTE_PORT": "1", "FOOTNOTE_HOME": "/a"}, overrides={"port": 2, "home": Path("/b")}
    )
    assert (settings.port, settings.home, settings.index) == (2, Path("/b"), "/b/index")
    with pytest.raises(SettingsError, match="FOOTNOTE_PORT is 70000"):
        Settings.load({}, overrides={"port": 70000})


def test_a_copy_is_checked_like_the_original() -> None:
    settings = Settings.load({**SLACK, "FOOTNOTE_HOME": "/a"})
    copy = settings.replaced(home="/b", slack_bot_token="xoxb-2", slack_signing_secret=None, port=0)
    assert (copy.index, copy.slack_signing_secret, copy.port) == ("/b/index", None, 0)
    assert copy.slack_bot_token == SecretStr("xoxb-2")
    assert settings.replaced(index="/elsewhere").replaced(home="/c").index == "/elsewhere"
    assert settings.replaced() == settings
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN"):
        settings.replaced(slack_bot_token="nonsense")
    with pytest.raises(TypeError, match="no setting colour"):
        settings.replaced(colour="red")


def test_lancedb_is_told_about_another_s3_server() -> None:
    environ = {
        "FOOTNOTE_INDEX": "s3://bucket/index",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    assert Settings.load(environ).storage_options() == {
        "endpoint": "http://127.0.0.1:9000",
        "region": "us-east-1",
        "aws_access_key_id": "key",
        "aws_secret_access_key": "secret",
        "allow_http": "true",
    }
    encrypted = Settings.load({**environ, "AWS_ENDPOINT_URL": "https://s3.example.com"})
    assert "allow_http" not in encrypted.storage_options()
    aws = Settings.load({"FOOTNOTE_INDEX": "s3://b/i", "AWS_DEFAULT_REGION": "eu-west-1"})
    assert aws.storage_options() == {"region": "eu-west-1"}


def test_parameters_stand_below_the_environment() -> None:
    settings = Settings.load(
        {"FOOTNOTE_PORT": "1", "OPENAI_MODEL": " "},
        parameters={"FOOTNOTE_PORT": "2", "FOOTNOTE_WORKERS": "3", "OPENAI_MODEL": "m",
                    "OPENAI_API_KEY": "k"},
    )  # fmt: skip
    assert (settings.port, settings.workers, settings.openai_model) == (1, 3, "m")


def test_parameters_stand_above_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("FOOTNOTE_PORT=1\nFOOTNOTE_WORKERS=2\n")
    settings = Settings.load({}, env_file=file, parameters={"FOOTNOTE_PORT": "7"})
    assert (settings.port, settings.workers) == (7, 2)


def test_a_parameter_of_another_version_is_left_out_and_named_without_its_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = {"SLACK_TOKEN": "xoxb-zq7Secret9", "old/OPENAI_API_KEY": "sk-zq7Secret9",
             "FOOTNOTE_PARAMETERS": "/other/", "OPENAI_MODEL": "m"}  # fmt: skip
    with caplog.at_level(logging.WARNING):
        assert known_parameters(found) == {"OPENAI_MODEL": "m"}
    for name in ("SLACK_TOKEN", "old/OPENAI_API_KEY", "FOOTNOTE_PARAMETERS"):
        assert name in caplog.text
    assert "zq7Secret9" not in caplog.text


def test_reaching_the_parameters_needs_nothing_that_may_lie_among_them() -> None:
    environ = {
        "FOOTNOTE_PARAMETERS": "/footnote/dev/",
        "AWS_REGION": "eu-west-1",
        "OPENAI_MODEL": "m",
        "FOOTNOTE_QUEUE_URL": "https://q",
        "FOOTNOTE_PORT": "http",
    }
    access = Settings.parameter_access(environ)
    assert access.parameters == "/footnote/dev/"
    assert access.aws_client_options() == {"region_name": "eu-west-1"}


def test_parameters_need_a_region() -> None:
    assert names({"FOOTNOTE_PARAMETERS": "/a/"}) == ["AWS_REGION"]


def test_what_may_lie_among_parameters_is_not_missed_while_their_path_is_wrong() -> None:
    assert names({"FOOTNOTE_PARAMETERS": "x", "OPENAI_MODEL": "m"}) == ["FOOTNOTE_PARAMETERS"]


def run(code: str, folder: Path, **environ: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", f"from handlers.runtime.settings import Settings\n{code}"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()


def test_a_process_reads_its_environment_and_below_it_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FOOTNOTE_PORT=1\nFOOTNOTE_WORKERS=2\n")
    code = "s = Settings.load(); print(s.port, s.workers)"
    assert run(code, tmp_path, FOOTNOTE_PORT="7") == "7 2"


def test_an_env_file_that_is_wrong_is_reported_with_everything_else(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("FOOTNOTE_PORT=http\nnonsense zq7Secret9\nSLACK_BOT_TOKEN='xoxb-1\n")
    with pytest.raises(SettingsError) as raised:
        Settings.load({}, env_file=file)
    text = str(raised.value)
    assert "line 2" in text
    assert "line 3 (SLACK_BOT_TOKEN) has a quote" in text
    assert "FOOTNOTE_PORT" in text
    assert "zq7Secret9" not in text
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load({}, env_file=file)
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load({}, env_file=tmp_path)
    assert Settings.load({}, env_file=tmp_path / "absent") == Settings.load({})


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A = b  ", "b"),
        ("A=b # comment", "b"),
        ("A=b#c", "b#c"),
        ("A=", ""),
        ("A=#comment", ""),
        ("A='b # c'", "b # c"),
        ('A="b # c" # d', "b # c"),
        (r'A="b\"c\n"', 'b"c\n'),
        (r"A='b\n'", r"b\n"),
        ("A=b=c==", "b=c=="),
        ("\ufeffA=b", "b"),
        ("A=$HOME", "$HOME"),
    ],
)
def test_an_env_file_is_read_as_other_tools_read_it(line: str, value: str) -> None:
    assert parse_env_file(f"# a comment\n\n{line}\n" if line[0] != "\ufeff" else line) == (
        {"A": value},
        [],
    )


@given(st.text(st.characters(codec="utf-8")))
def test_no_env_file_at_all_raises_anything(content: str) -> None:
    parse_env_file(content)


def test_the_table_explains_every_setting_once_and_shows_its_default() -> None:
    table = settings_table()
    listed = re.findall(r"^\| `([A-Z_]+)` \|", table, re.M)
    assert len(listed) == len(set(listed)) == len(dataclasses.fields(Settings))
    assert "| `FOOTNOTE_PORT` | `3000` |" in table
    assert "| `FOOTNOTE_REFUSAL_FLOOR` | `0.23` |" in table
    for row in table.splitlines():
        assert not row.startswith("| `") or row.count("|") == 4
