"""What a setting may hold: each kind turns text into a value, or raises ValueError with the reason.

A reason continues the sentence that the name of the setting begins ("FOOTNOTE_PORT is not ...").
Reasons never repeat a value that may be secret, which includes URLs: some carry a password. Pure.
"""

import math
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from handlers.runtime.secret import SecretStr


def text(value: str) -> str:
    """Any single line without control characters."""
    if not value.isprintable():
        raise ValueError("holds a control character.")
    return value


def secret(value: str) -> SecretStr:
    """Return any secret of one word."""
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise ValueError("holds a space or a character that no key has. Copy it again.")
    return SecretStr(value)


def token(*prefixes: str, where: str) -> Callable[[str], SecretStr]:
    """Return the kind of a Slack token that starts with one of ``prefixes``."""

    def parse(value: str) -> SecretStr:
        if not value.startswith(prefixes):
            raise ValueError(f"does not start with {prefixes[0]}. Copy it from {where}.")
        rest = value.split("-", 1)[1]
        if not rest or not (rest.isascii() and rest.replace("-", "").isalnum()):
            raise ValueError(f"is not a whole token. Copy it again from {where}.")
        return SecretStr(value)

    return parse


def signing_secret(value: str) -> SecretStr:
    """Return the signing secret; people paste a token there."""
    if value.startswith(("xox", "xapp-")):
        raise ValueError('is a token. Copy the Signing Secret from "Basic Information".')
    return secret(value)


def url(value: str) -> str:
    """Return an http or https address."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not value.isprintable() or " " in value:
        raise ValueError("is not an address that starts with http:// or https://.")
    return value


def url_folder(value: str) -> str:
    """Return an address to which something is appended; ends in a slash unless it has a query."""
    address = url(value)
    return address if "?" in address or address.endswith("/") else f"{address}/"


def path(value: str) -> Path:
    """Return a path; ``~`` is the home folder."""
    if not value.isprintable():
        raise ValueError("holds a control character.")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("starts with ~, but this user has no home folder.") from None


def stage(value: str) -> str:
    """Return the name of a deployment."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", value):
        raise ValueError("is not a name of at most 32 letters, digits, - and _.")
    return value


def parameter_path(value: str) -> str:
    """Return a path of SSM parameters; ends in a slash."""
    if not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+/?", value):
        raise ValueError("is not a path like /footnote/prod/.")
    return value.rstrip("/") + "/"


def secrets(value: str) -> SecretStr:
    """Return secrets by name, ``name=value`` with spaces between."""
    for pair in value.split():
        name, is_pair, secret = pair.partition("=")
        if not (is_pair and secret and re.fullmatch(r"[A-Za-z0-9_-]+", name)):
            raise ValueError("is not name=value, or several of these with spaces between.")
    return SecretStr(value)


def headers(value: str) -> SecretStr:
    """Return HTTP headers, ``name=value`` with commas between; they may hold a key."""
    for pair in value.split(","):
        name, is_pair, _ = pair.partition("=")
        if not (is_pair and re.fullmatch(r"[A-Za-z0-9_-]+", name.strip())):
            raise ValueError("is not name=value, or several of these with commas between.")
    return secret(value)


def user_ids(value: str) -> str:
    """Return ids of Slack users, with one space between."""
    found = value.replace(",", " ").split()
    if not all(re.fullmatch(r"[UW][A-Z0-9]{2,20}", user) for user in found):
        raise ValueError(
            "is not a user id like U012AB3CD, or several of these with spaces between. Copy it "
            'from a profile in Slack, "Copy member ID".'
        )
    return " ".join(found)


def index_address(value: str) -> str:
    """Return a folder, or ``s3://bucket/prefix``."""
    if "://" not in value:
        return str(path(value))
    parts = urlsplit(value)
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError("is neither a folder nor an address like s3://bucket/prefix.")
    return value.rstrip("/")


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return the kind of a whole number from ``low`` to ``high``."""

    def parse(value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise ValueError(f"is {_shown(value)}, not a whole number from {low} to {high}.")
        if not low <= int(value) <= high:
            raise ValueError(f"is {value}; it must be from {low} to {high}.")
        return int(value)

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """Return the kind of a number from ``low`` to ``high``."""

    def parse(value: str) -> float:
        try:
            found = float(value)
        except ValueError:
            found = math.nan
        if math.isnan(found):
            raise ValueError(f"is {_shown(value)}, not a number from {low:g} to {high:g}.")
        if not low <= found <= high:
            raise ValueError(f"is {_shown(value)}; it must be from {low:g} to {high:g}.")
        return found

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Return the kind of a word out of ``choices``, in capitals."""

    def parse(value: str) -> str:
        if value.upper() not in choices:
            raise ValueError(f"is {_shown(value)}; choose {', '.join(choices)}.")
        return value.upper()

    return parse


def _shown(value: str) -> str:
    return repr(value if len(value) <= 20 else f"{value[:20]}…")
