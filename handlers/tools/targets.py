"""Where a call goes: the addresses, people and accounts that its arguments name. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

LONGEST_TARGET: Final = 200


@dataclass(frozen=True, slots=True)
class Target:
    """One of them. ``kind`` is a word for people.

    ``certain`` tells that it can be nothing else: such a one is worth a word even where no text
    names it at all. The number 1800000000 may be an account, or a time.
    """

    kind: str
    text: str
    certain: bool = False


_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'`|\\^{}]+", re.I)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.I)
_HOST = re.compile(r"(?<![\w@.-])(?:[\w-]+\.)+[^\W\d_]{2,24}(?![\w-])", re.I)
_IP = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_SLACK = re.compile(r"(?<!\w)[UWCGDSTB](?=[A-Z0-9]*\d)[A-Z0-9]{7,14}(?!\w)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,8}(?!\w)")
_NUMBER = re.compile(r"(?<!\w)\d(?:[ -]?\d){5,33}(?!\w)")
_FORMS = (
    ("address", _URL, False),
    ("e-mail address", _EMAIL, True),
    ("address", _HOST, True),
    ("address", _IP, True),
    ("Slack id", _SLACK, True),
    ("account", _IBAN, True),
    ("number", _NUMBER, False),
)
_FILE = re.compile(
    r"\.(?:csv|css|docx?|gif|html?|jpe?g|json|log|odt|pdf|png|pptx?|svg|toml|txt|xlsx?|xml|ya?ml)$",
    re.I,
)
"""Endings of files that are no top-level domains; .md, .py and .zip are."""

_AIMING = frozenset(
    "account address assignee bcc cc channel destination domain email endpoint host iban member "
    "members owner participants payee project recipient recipients repo repository target to url "
    "user user_id username users webhook".split()
)
"""Names of arguments whose whole value says where a call goes."""


def targets(arguments: Mapping[str, object]) -> Iterator[Target]:
    """Yield where a call goes, a target perhaps more than once."""
    yield from _below(arguments, aiming="")


def leaves(value: object) -> Iterator[str]:
    """Yield every string and number that a value holds, numbers as they are written."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield repr(value)
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from leaves(held)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from leaves(held)


def _below(value: object, *, aiming: str) -> Iterator[Target]:
    if isinstance(value, Mapping):
        for name, held in value.items():
            yield from _below(held, aiming=name if str(name).lower() in _AIMING else aiming)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _below(held, aiming=aiming)
    else:
        for text in leaves(value):
            found = list(_named(text))
            yield from found
            if aiming and not found and 0 < len(text) <= LONGEST_TARGET:
                yield Target(aiming, text)


def _named(text: str) -> Iterator[Target]:
    seen = unicodedata.normalize("NFKC", text)
    for kind, form, certain in _FORMS:
        for found in form.finditer(seen):
            target = found.group().rstrip(".,;:!?)]/")
            if target and not (form is _HOST and _FILE.search(target)):
                yield Target(kind, target[:LONGEST_TARGET], certain)
