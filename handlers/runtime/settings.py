"""The settings, read once and checked: one frozen object. Nothing else reads the environment.

A plain dataclass: pydantic-settings alone would take a quarter of the import time that the Slack
door may take in all (tests/benchmarks/test_import_cost.py measures the door).
"""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Self, get_type_hints

from handlers.runtime.env_file import parse_env_file
from handlers.runtime.secret import SecretStr
from handlers.runtime.setting_conflicts import conflicts
from handlers.runtime.setting_fields import Setting
from handlers.runtime.setting_fields_aws import DeployedFields

__all__ = ["SecretStr", "Settings", "SettingsError", "in_lambda", "settings_table"]


class SettingsError(Exception):
    """The settings cannot be used. ``problems`` holds one sentence for each, all at once."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        head = "A setting needs you:" if len(problems) == 1 else "Some settings need you:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in problems)]))


@dataclass(frozen=True, kw_only=True)
class Settings(DeployedFields):
    """All settings, checked. Made by ``load``; changed copies by ``replaced``."""

    def __post_init__(self) -> None:
        """Put the index into the home folder unless it was given a place of its own."""
        if not self.index:
            object.__setattr__(self, "index", _default_index(self.home))

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        env_file: Path | None = None,
        overrides: Mapping[str, object] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Self:
        """Read the settings. Raises SettingsError with every problem at once.

        Without ``environ`` the environment of the process is read and, below it, ``.env`` in the
        current folder. ``overrides`` (names of fields) come from the command line and win.
        ``parameters`` (names of settings) are what was found below FOOTNOTE_PARAMETERS; they stand
        between the environment and the file. Nothing is read from a network here.
        """
        found, problems = _found(environ, env_file, parameters or {})
        problems += _misspelt(found)
        texts = {name: _given(found, about) for name, about in _about()}
        return cls._built({**texts, **_known(overrides or {})}, problems)

    @classmethod
    def parameter_access(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read only what is needed to read parameters: their path, and how to reach AWS.

        Raises SettingsError when that cannot be used; ``load`` then tells of everything else too.
        """
        found, _ = _found(environ, None, {})
        return cls._built(
            {
                name: _given(found, about) if name.startswith(("parameters", "aws_")) else ""
                for name, about in _about()
            },
            [],
        )

    def replaced(self, **changes: object) -> Self:
        """Return a copy with other values (text is parsed). Raises SettingsError."""
        current: dict[str, object] = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.index == _default_index(self.home):
            current["index"] = ""
        return self._built({**current, **_known(changes)}, [])

    @classmethod
    def _built(cls, given: Mapping[str, object], problems: list[str]) -> Self:
        values: dict[str, object] = {}
        failed: set[str] = set()
        for field_name, about in _about():
            text = _text(given[field_name])
            try:
                if text:
                    values[field_name] = about.parse(text)
            except ValueError as error:
                problems.append(f"{about.name} {error}")
                failed.add(field_name)
        settings = cls(**values)  # type: ignore[arg-type]
        for involved, problem in conflicts(settings):
            # Where one half cannot be read, a complaint about the other half would mislead; and
            # anything that seems to be missing may lie among parameters that cannot be read.
            if not failed & {*involved, "parameters"}:
                problems.append(problem)
        if problems:
            raise SettingsError(problems)
        return settings

    @staticmethod
    def parameter_names() -> frozenset[str]:
        """Return the names of all settings that may lie in the parameter store."""
        return frozenset(about.name for _, about in _about()) - {"FOOTNOTE_PARAMETERS"}

    def require_slack(self) -> None:
        """Raise SettingsError listing all that is missing to talk to Slack."""
        problems = []
        if self.slack_bot_token is None:
            problems.append(
                "SLACK_BOT_TOKEN is not set. Copy the Bot User OAuth Token (xoxb-…) from "
                '"OAuth & Permissions" of your Slack app.'
            )
        if self.slack_app_token is None and self.slack_signing_secret is None:
            problems.append(
                "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET is not set. Set the app-level token "
                "(xapp-…) to connect by Socket Mode, or the Signing Secret to have Slack post to "
                "/slack/events."
            )
        if problems:
            raise SettingsError(problems)

    def require_docs(self) -> Path:
        """Return the folder of documents. Raises SettingsError when there is none."""
        if self.docs is None:
            raise SettingsError(
                [
                    "No source of documents is declared. Set FOOTNOTE_DOCS to a folder, or "
                    "FOOTNOTE_SOURCES to a catalog."
                ]
            )
        if not self.docs.is_dir():
            raise SettingsError(
                [f"FOOTNOTE_DOCS is {self.docs}, which is not a folder. Name one that is."]
            )
        return self.docs

    def aws_client_options(self) -> dict[str, str]:
        """Return the keyword arguments of a boto3 client; what is absent boto3 finds itself."""
        options = {
            "region_name": self.aws_region,
            "endpoint_url": self.aws_endpoint_url,
            "aws_access_key_id": self.aws_access_key_id,
            "aws_secret_access_key": _text(self.aws_secret_access_key),
            "aws_session_token": _text(self.aws_session_token),
        }
        return {name: value for name, value in options.items() if value}

    def tune_process(self) -> None:
        """Tell LanceDB, before it is imported, what it only reads from the environment.

        On S3 threads wait more than they compute: 32 of them cut a cold query to a third, and 256
        requests at a time fetch the rows of a large index in two rounds instead of eight. Its own
        warnings would stand between the lines of a progress bar; its errors are raised anyway.
        """
        os.environ.setdefault(_LANCE_LOG, "error")
        if self.index.startswith("s3://"):
            os.environ.setdefault(_LANCE_THREADS, "32")
            os.environ.setdefault(_LANCE_REQUESTS, "256")

    def lend_aws(self) -> None:
        """Put what reaches AWS into the environment, for the programs that this one starts."""
        for name, about in _about():
            if name.startswith("aws_") and (value := _text(getattr(self, name))):
                os.environ[about.name] = value

    def storage_options(self) -> dict[str, str]:
        """Return LanceDB's options for the index; none for a folder."""
        if not self.index.startswith("s3://"):
            return {}
        endpoint = self.aws_endpoint_url
        options = {
            "endpoint": endpoint,
            "region": self.aws_region or ("us-east-1" if endpoint else ""),
            "aws_access_key_id": self.aws_access_key_id,
            "aws_secret_access_key": _text(self.aws_secret_access_key),
            "aws_session_token": _text(self.aws_session_token),
            "allow_http": "true" if endpoint.startswith("http://") else "",
        }
        return {name: value for name, value in options.items() if value}


_LANCE_THREADS = "LANCE_CPU_THREADS"
_LANCE_REQUESTS = "LANCE_IO_THREADS"
_LANCE_LOG = "LANCE_LOG"


def in_lambda() -> bool:
    """Tell whether this process is a container of a Lambda function."""
    return bool(os.environ.get("AWS_LAMBDA_FUNCTION_NAME"))


def settings_table() -> str:
    """Return the settings as Markdown tables, one a group."""
    lines: list[str] = []
    defaults = {f.name: f.default for f in fields(Settings)}
    group = ""
    for field_name, about in _about():
        if about.group != group:
            group = about.group
            lines += ["", f"**{group}**", "", "| Name | Default | Meaning |", "|---|---|---|"]
        default = defaults[field_name]
        text = f"{default:g}" if isinstance(default, float) else _text(default)
        shown = about.shown or (f"`{text}`" if text else "not set")
        lines.append(f"| `{about.name}` | {shown} | {about.meaning} |")
    return "\n".join(lines[1:]) + "\n"


@cache
def _about() -> tuple[tuple[str, Setting], ...]:
    hints = get_type_hints(DeployedFields, include_extras=True)
    return tuple((field_name, hint.__metadata__[0]) for field_name, hint in hints.items())


def _known(changes: Mapping[str, object]) -> Mapping[str, object]:
    unknown = set(changes) - {f.name for f in fields(Settings)}
    if unknown:
        raise TypeError(f"There is no setting {', '.join(sorted(unknown))}.")
    return changes


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value).strip()


def _default_index(home: Path) -> str:
    return str(home / "index")


def _read_file(path: Path | None) -> tuple[dict[str, str], list[str]]:
    if path is None:
        return {}, []
    try:
        values, problems = parse_env_file(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{path} cannot be read ({type(error).__name__})."]
    return values, [f"{path}: {problem}" for problem in problems]


def _found(
    environ: Mapping[str, str] | None, env_file: Path | None, parameters: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return what is set anywhere, by name, and what is wrong with the places it came from."""
    if environ is None:
        environ, env_file = os.environ, env_file or Path(".env")
    found, problems = _read_file(env_file)
    found.update(parameters)
    # A variable that is set empty is not set, so the parameter of that name counts.
    found.update((n, value) for n, value in environ.items() if value.strip() or n not in parameters)
    return found, problems


def _given(found: Mapping[str, str], about: Setting) -> str:
    given = (found.get(name, "").strip() for name in (about.name, about.also))
    return next(filter(None, given), "")


def _misspelt(found: Mapping[str, str]) -> list[str]:
    """Tell of names that are nearly a setting: they would be ignored without a word."""
    known = [about.name for _, about in _about()]
    problems = []
    for name in sorted(found):
        if name.startswith("FOOTNOTE_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
            if near:
                problems.append(f"{name} is no setting. Did you mean {near[0]}?")
    return problems
