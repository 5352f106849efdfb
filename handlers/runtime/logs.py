"""Log lines: one a record, with the fields of ``extra``, and never a secret.

In a Lambda function a line is a JSON object, which CloudWatch can search field by field; elsewhere
it is for people to read, with fields as name=value.

No code of Footnote logs message text or tokens. What is done here is the second line of defence:
libraries that log whole requests are kept quiet, and whatever looks like a secret is blanked out
of every line, tracebacks included.
"""

import json
import logging
import math
import re
import sys
import time
from contextlib import suppress
from contextvars import ContextVar

from handlers.runtime.settings import in_lambda

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id that Lambda gave the invocation that logs; set by handlers/runtime/invoke.py."""

_SECRETS = re.compile(
    r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]+"  # Slack tokens
    r"|xapp-[A-Za-z0-9-]+"
    r"|https://hooks\.slack\.com/[^\s\"'<>]+"  # a response_url is a right to post
    r"|wss://[^\s\"'<>]+"  # Socket Mode: the ticket is in the address
    r"|\bsk-[A-Za-z0-9_-]{8,}"  # OpenAI and those that copy its form
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|(?<=Bearer )[A-Za-z0-9._~+/=-]+"
)

_CHATTY = {
    # These show whole requests: bodies, texts, headers.
    "slack_bolt": logging.ERROR,
    "slack_sdk": logging.WARNING,
    "openai": logging.WARNING,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpcore2": logging.WARNING,
    "botocore": logging.WARNING,
    "boto3": logging.WARNING,
    "urllib3": logging.WARNING,
    "aiohttp": logging.WARNING,
    "opentelemetry": logging.WARNING,
    # It logs what it could not read, as an error.
    "mcp": logging.CRITICAL,
    "uvicorn": logging.WARNING,
    "sse_starlette": logging.WARNING,
    "asyncio": logging.WARNING,
    # These tell what they load, in between the lines of a progress bar.
    "sentence_transformers": logging.WARNING,
    "transformers": logging.WARNING,
}

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redacted(text: str) -> str:
    """Return ``text`` with everything that looks like a secret blanked out. Pure."""
    return _SECRETS.sub("[secret]", text)


class LineFormatter(logging.Formatter):
    """``2026-11-22T08:00:00.123Z INFO handlers.answer answer job ended ending=answered``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the traceback below it if there is one."""
        # A line break inside a message could pass for a record of its own.
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        more = [
            f" {name}={_value(value)}"
            for name, value in vars(record).items()
            if name not in _STANDARD
        ]
        line = f"{_time(record)} {record.levelname} {record.name} {message}{''.join(more)}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return redacted(line)


class JsonFormatter(logging.Formatter):
    """``{"timestamp": ..., "level": "INFO", "logger": ..., "message": ..., "trace": ...}``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line that is a JSON object, with a traceback inside it if there is one."""
        line: dict[str, object] = {
            "timestamp": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if request_id.get():
            line["aws_request_id"] = request_id.get()
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line.setdefault(name, _json_value(value))
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line)


class StderrHandler(logging.Handler):
    """Writes to whatever ``sys.stderr`` is at the time; a progress bar may have replaced it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. A record that cannot be formatted is named, not shown."""
        try:
            line = self.format(record)
        except Exception:
            failed = f"a log record could not be formatted (line {record.lineno})"
            about = {"name": record.name, "levelname": "ERROR", "msg": failed}
            line = self.format(logging.makeLogRecord(about))
        # A closed pipe is no reason to fail the work that is logged.
        with suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")


def configure(level: str = "INFO") -> None:
    """Send all logs to stderr from ``level`` on, in place of whatever was set up before."""
    handler = StderrHandler()
    handler.setFormatter(JsonFormatter() if in_lambda() else LineFormatter())
    root = logging.getLogger()
    for previous in list(root.handlers):
        root.removeHandler(previous)
    root.addHandler(handler)
    wanted = logging.getLevelNamesMapping()[level]
    root.setLevel(wanted)
    for name, least in _CHATTY.items():
        logging.getLogger(name).setLevel(max(wanted, least))


def _time(record: logging.LogRecord) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{at}.{int(record.msecs):03d}Z"


def _json_value(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    # Blanked out before it is encoded: afterwards a pattern could cut an escape in two.
    return redacted(value if isinstance(value, str) else repr(value))


def _value(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text)
