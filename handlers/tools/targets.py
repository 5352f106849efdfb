"""Where a call goes: the addresses, people and accounts that its arguments name. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from handlers.tools.plain_values import is_moment, is_of_dates
from handlers.tools.spelling import read, shown

LONGEST_TARGET: Final = 200
NUMBER: Final = "number"
"""The kind of one that may be an amount as well as an account."""


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
_SPELLED_IBAN = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?:[ ./_-]?[a-z0-9]{1,4}){3,8}", re.I)
_NUMBER = re.compile(r"(?<!\w)\d(?:[ -]?\d){5,33}(?!\w)")
_FORMS = (
    ("address", _URL, False),
    ("e-mail address", _EMAIL, True),
    ("address", _HOST, True),
    ("address", _IP, True),
    ("Slack id", _SLACK, True),
    ("account", _IBAN, True),
    ("account", _SPELLED_IBAN, True),
    (NUMBER, _NUMBER, False),
)
_FILE = re.compile(
    r"\.(?:csv|css|docx?|gif|html?|jpe?g|json|log|odt|pdf|png|pptx?|svg|toml|txt|xlsx?|xml|ya?ml)$",
    re.I,
)
"""Endings of files that are no top-level domains; .md, .py and .zip are."""

_SHORTEST_IBAN: Final = 15
_LONGEST_IBAN: Final = 34

_AIMING = frozenset(
    "account accounts address addresses approver approvers assignee assignees attendee attendees"
    " bcc beneficiary cc channel channels contact contacts creditor destination domain email emails"
    " endpoint group groups guest guests host hostname iban invitee invitees member members owner"
    " owners participant participants payee people person phone project projects receiver receivers"
    " recipient recipients repo repos repository repositories reviewer reviewers room rooms target"
    " targets to url urls user user_id username usernames users webhook webhooks".split()
)
"""Names of arguments whose whole value says where a call goes."""

_SUFFIXES = frozenset("full handle handles id ids key keys name names number slug".split())
"""What may follow such a word in a name: recipient_id, channelName, repo_full_name."""

_GOING = frozenset(
    "add assign assigned copy deliver forward invite move pay post publish reply send share"
    " transfer upload write".split()
)
"""What comes before ``to`` where that means somebody: send_to, not valid_to."""


def targets(arguments: Mapping[str, object]) -> Iterator[Target]:
    """Yield where a call goes, a target perhaps more than once."""
    for name, text in named_leaves(arguments, aiming):
        found = list(_named(text))
        for one in found:
            yield Target(name, one.text) if name and one.kind == NUMBER else one
        whole = name and not found and 0 < len(text) <= LONGEST_TARGET
        # A range goes from one day to another, and nobody's name is a date.
        if whole and not (name == "to" and is_moment(read(text))):
            yield Target(name, text)


def aiming(name: str) -> str:
    """Return the word in the name of an argument that says that it is a target, or ""."""
    words = words_of(name)
    while len(words) > 1 and words[-1] in _SUFFIXES:
        words.pop()
    last = words[-1] if words else ""
    if last == "to" and len(words) > 1 and words[-2] not in _GOING:
        return ""
    return last if last in _AIMING else ""


def words_of(name: str) -> list[str]:
    """Return the words of an argument's name: recipientName, recipient_name, Recipient-Name."""
    found = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+", name)
    return [word.lower() for word in found]


def leaves(value: object) -> Iterator[str]:
    """Yield every string and number that a value holds, numbers as they are written."""
    yield from (text for _, text in named_leaves(value, str))


def named_leaves(
    value: object, role: Callable[[str], str], above: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield every string and number with the ``role`` of the nearest name that has one, or ""."""
    if isinstance(value, str):
        yield above, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield above, repr(value)
    elif isinstance(value, Mapping):
        for name, held in value.items():
            yield from named_leaves(held, role, role(str(name)) or above)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from named_leaves(held, role, above)


def _named(text: str) -> Iterator[Target]:
    seen = shown(text)
    accounts: list[tuple[int, int]] = []
    for kind, form, certain in _FORMS:
        for found in form.finditer(seen):
            target = found.group().rstrip(".,;:!?)]/")
            sure = certain
            begins, ends = found.span()
            if form is _NUMBER and (
                is_of_dates(seen, begins, ends)
                or any(first <= begins and ends <= last for first, last in accounts)
            ):
                continue
            if form is _IBAN or form is _SPELLED_IBAN:
                account = _account(target)
                if form is _SPELLED_IBAN and not account:
                    continue
                if account:
                    accounts.append((begins, begins + len(account)))
                target = account or target
                sure = len(_letters(target)) >= _SHORTEST_IBAN
            if target and not (form is _HOST and _FILE.search(target)):
                yield Target(kind, target[:LONGEST_TARGET], sure)


def _account(text: str) -> str:
    """Return the beginning of a text that is an account by its check digits, or ""."""
    ends = [at for at in range(1, len(text) + 1) if not text[at : at + 1].isalnum()]
    for end in ends:
        code = _letters(text[:end])
        if _SHORTEST_IBAN <= len(code) <= _LONGEST_IBAN and code.isascii():
            moved = code[4:] + code[:4]
            if int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1:
                return text[:end]
    return ""


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
