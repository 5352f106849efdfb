"""Log lines hold no secret, whoever wrote them."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from handlers.runtime.logs import JsonFormatter, LineFormatter, redacted, request_id

ROOT = Path(__file__).parents[3]


def record(message: str, *values: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("handlers.x", logging.INFO, "x.py", 7, message, values, None)
    made.created, made.msecs = 0.25, 250.0
    vars(made).update(extra)
    return made


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123-456-abcDEF",
        "xoxp-1",
        "xoxe.xoxb-1-Mi0yLTU",
        "xapp-1-A012-345-abc",
        "https://hooks.slack.com/commands/T0/1/abcdef",
        "wss://wss-primary.slack.com/link/?ticket=abc&app_id=1",
        "sk-proj-abc_DEF-12345678",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
    ],
)
@pytest.mark.parametrize("around", ["{}", "token={}", "('{}',)", '{{"token": "{}"}}', "a {} b"])
def test_what_looks_like_a_secret_is_blanked_out(secret: str, around: str) -> None:
    shown = redacted(around.format(secret))
    assert secret not in shown
    assert shown == around.format("[secret]")


def test_a_bearer_header_is_blanked_out() -> None:
    assert redacted("Authorization: Bearer abc.def") == "Authorization: Bearer [secret]"


def test_ordinary_words_stay() -> None:
    text = "ask-footnote answered in 1.5 s, task-12345678 done, see https://slack.com/help"
    assert redacted(text) == text


def test_a_record_is_one_line_with_its_fields() -> None:
    line = LineFormatter().format(
        record("job %s", "ended", ending="answered", seconds=1.5, note='two "words"')
    )
    assert line == (
        "1970-01-01T00:00:00.250Z INFO handlers.x job ended"
        ' ending=answered seconds=1.5 note="two \\"words\\""'
    )


def test_a_line_break_cannot_forge_a_record() -> None:
    line = LineFormatter().format(record("a\n1970-01-01 INFO forged\r\n", extra="b\nc"))
    assert "\n" not in line
    assert "\r" not in line


def test_a_traceback_is_blanked_out_too() -> None:
    try:
        raise RuntimeError("xoxb-123-abc was refused")
    except RuntimeError:
        failed = record("failed")
        failed.exc_info = sys.exc_info()
    shown = LineFormatter().format(failed)
    assert "RuntimeError: [secret] was refused" in shown


def test_in_lambda_a_record_is_one_json_object_with_its_fields() -> None:
    line = JsonFormatter().format(
        record("job %s", "ended\n", trace="t1", seconds=1.5, tries=2, last=True, none=None)
    )
    assert "\n" not in line
    assert json.loads(line) == {
        "timestamp": "1970-01-01T00:00:00.250Z",
        "level": "INFO",
        "logger": "handlers.x",
        "message": "job ended\n",
        "trace": "t1",
        "seconds": 1.5,
        "tries": 2,
        "last": True,
        "none": None,
    }


def test_the_id_of_the_invocation_is_on_every_line_and_a_field_cannot_pass_for_it() -> None:
    token = request_id.set("req-1")
    try:
        line = JsonFormatter().format(record("a", aws_request_id="forged", level="DEBUG"))
    finally:
        request_id.reset(token)
    assert json.loads(line)["aws_request_id"] == "req-1"
    assert json.loads(line)["level"] == "INFO"
    assert "aws_request_id" not in json.loads(JsonFormatter().format(record("b")))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {"a": 1}, "\ud800\u2028"])
def test_any_value_makes_valid_json(value: object) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    line = JsonFormatter().format(record("a", value=value))
    assert isinstance(json.loads(line, parse_constant=refuse)["value"], str)
    assert line.isascii()


@pytest.mark.parametrize(
    "secret", ["xoxb-123-456-abcDEF", "https://hooks.slack.com/commands/T0/1/a", "sk-abc_12345678"]
)
def test_a_json_line_holds_no_secret_and_stays_json(secret: str) -> None:
    for about in (f'{{"url": "{secret}"}}', f"'{secret}'", {"url": secret}, [f'"{secret}"']):
        try:
            raise RuntimeError(about)
        except RuntimeError:
            failed = record(f"failed {about}", more=about)
            failed.exc_info = sys.exc_info()
        line = JsonFormatter().format(failed)
        assert secret not in line
        shown = json.loads(line)
        assert "RuntimeError" in shown["exception"]
        assert "[secret]" in shown["message"]
        assert "[secret]" in shown["more"]


def run(code: str, **environ: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import logging\nfrom handlers.runtime.logs import configure\n{code}",
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


def test_logs_go_to_stderr_from_the_level_on_and_only_once() -> None:
    shown = run(
        "logging.basicConfig()\nconfigure('DEBUG')\nconfigure('INFO')\n"
        "log = logging.getLogger('handlers.x')\nlog.debug('low')\nlog.info('high')"
    )
    assert shown.count("high") == 1
    assert "low" not in shown


def test_libraries_that_show_whole_requests_stay_quiet_even_at_debug() -> None:
    shown = run(
        "configure('DEBUG')\n"
        "logging.getLogger('slack_sdk.web.async_client').debug('body: secret question')\n"
        "logging.getLogger('slack_bolt.AsyncApp').warning('Unhandled: secret question')\n"
        "logging.getLogger('openai._base_client').debug('json: secret question')\n"
        "logging.getLogger('handlers.x').debug('seen')"
    )
    assert "secret question" not in shown
    assert "seen" in shown


def test_a_record_that_cannot_be_formatted_is_named_and_not_shown() -> None:
    shown = run("configure()\nlogging.getLogger('handlers.x').info('%d', 'secret question')")
    assert "handlers.x" in shown
    assert "secret question" not in shown


def test_in_lambda_every_line_is_json_even_about_a_record_that_cannot_be_formatted() -> None:
    shown = run(
        "configure()\nlog = logging.getLogger('handlers.x')\n"
        "log.info('%d', 'secret question')\nlog.info('fine')",
        AWS_LAMBDA_FUNCTION_NAME="footnote-slack",
    )
    broken, fine = (json.loads(line) for line in shown.splitlines())
    assert (broken["level"], broken["logger"]) == ("ERROR", "handlers.x")
    assert fine["message"] == "fine"
    assert "secret question" not in shown
