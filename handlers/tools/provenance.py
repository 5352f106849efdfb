"""Where the values of a call come from: what was asked for, or text from outside. Pure.

Text is compared as it reads: letters in one case, compatible characters as one, blanks as one, and
nothing that cannot be seen. A value that was put together out of pieces, or encoded, is found in no
text; a target that is found in no trusted text is named all the same.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from handlers.tools.ports import Effect, Tool


@dataclass(frozen=True, slots=True)
class Source:
    """A text that the model has read. ``where`` names it to people: "the page Travel, section 2".

    Trusted is only what the asker wrote, and what stands in our own instructions.
    """

    text: str = field(repr=False)
    where: str
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said about one ``value`` of a call, as long as the call holds it.

    ``value`` is at most 200 characters of what was found, as it reads. ``origin`` quotes the
    untrusted text that holds it, "" if none does. ``warning`` is set for a target that no trusted
    text names.
    """

    value: str = field(repr=False)
    origin: str = field(repr=False)
    warning: str = field(default="", repr=False)


MOST_MARKS: Final = 24
"""More are not shown on a card. Targets come first."""

_QUOTE = 120
_SHOWN_VALUE = 80
_SHORTEST = 3
_RUN_OF_WORDS = 6
_LONGEST_TARGET = 200
_LONGEST_VALUE = 200

_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'`|\\^{}]+", re.I)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.I)
_HOST = re.compile(r"(?<![\w@.-])(?:[\w-]+\.)+[^\W\d_]{2,24}(?![\w-])", re.I)
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_SLACK = re.compile(r"(?<!\w)[UWCGDSTB][A-Z0-9]{7,14}(?!\w)")
_ACCOUNT = re.compile(
    r"(?<!\w)(?:[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){2,8}|\d(?:[ -]?\d){5,33})(?!\w)"
)
_AIMS = (
    ("address", _URL),
    ("e-mail address", _EMAIL),
    ("address", _HOST),
    ("address", _ADDRESS),
    ("Slack id", _SLACK),
    ("number", _ACCOUNT),
)
_AIMING = frozenset(
    "account address assignee bcc cc channel destination domain email endpoint host iban member "
    "members owner participants payee project recipient recipients repo repository target to url "
    "user user_id username users webhook".split()
)
"""Names of arguments whose whole value says where a call goes."""


def origins(arguments: Mapping[str, object], sources: Sequence[Source]) -> tuple[str, ...]:
    """Return quotes of untrusted text that holds values of the arguments, each with its place."""
    outside = [source for source in sources if not source.trusted]
    found = (_mark(value, outside).origin for value in _values(arguments))
    return tuple(dict.fromkeys(origin for origin in found if origin))[:MOST_MARKS]


def warnings(
    tool: Tool, arguments: Mapping[str, object], sources: Sequence[Source]
) -> tuple[str, ...]:
    """Return a sentence for each target of a fetch or write that only untrusted text names."""
    found = (mark.warning for mark in marks(tool, arguments, sources))
    return tuple(dict.fromkeys(warning for warning in found if warning))


def marks(
    tool: Tool, arguments: Mapping[str, object], sources: Sequence[Source]
) -> tuple[Mark, ...]:
    """Return what is to be said about the values of a call: its targets first."""
    outside = [source for source in sources if not source.trusted]
    if not outside:
        return ()
    aims: dict[str, Mark] = {}
    if tool.effect is not Effect.READ:
        asked = [source for source in sources if source.trusted]
        for kind, target in _targets(arguments):
            if not _held(target, asked):
                mark = _mark(target, outside, _warning(kind, target, outside))
                aims.setdefault(mark.value, mark)
    rest: dict[str, Mark] = {}
    for value in _values(arguments):
        mark = _mark(value, outside)
        if mark.origin and mark.value not in aims:
            rest.setdefault(mark.value, mark)
    shown = list(aims.values())[:MOST_MARKS]
    if len(aims) > MOST_MARKS:
        more = len(aims) - MOST_MARKS
        shown = [
            Mark("", "", f"{more} more addresses and names appear in no trusted text."),
            *shown,
        ]
    return (*shown, *list(rest.values())[: max(0, MOST_MARKS - len(shown))])


def still_true(marked: Sequence[Mark], arguments: Mapping[str, object]) -> tuple[Mark, ...]:
    """Return the marks whose values stand in arguments that somebody edited since.

    What that person typed comes from that person.
    """
    now = [_read(value) for value in _values(arguments)]
    return tuple(mark for mark in marked if any(mark.value in value for value in now))


def _values(value: object) -> Iterator[str]:
    """Yield every string and number that a call holds, keys of objects included below the top."""
    if isinstance(value, str):
        if len(_read(value)) >= _SHORTEST:
            yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if len(repr(value)) >= _SHORTEST:
            yield repr(value)
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _values(held)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _values(held)


def _targets(arguments: Mapping[str, object], *, aiming: bool = False) -> Iterator[tuple[str, str]]:
    for name, value in arguments.items():
        aims = aiming or name.lower() in _AIMING
        for held in value if isinstance(value, list | tuple) else [value]:
            if isinstance(held, Mapping):
                yield from _targets(held, aiming=aims)
            for text in _values(held) if not isinstance(held, Mapping) else ():
                named = list(_named(text))
                yield from named
                if aims and not named and len(text) <= _LONGEST_TARGET:
                    yield f"value of {name}", text


def _named(text: str) -> Iterator[tuple[str, str]]:
    seen = unicodedata.normalize("NFKC", text)
    for kind, pattern in _AIMS:
        for found in pattern.finditer(seen):
            target = found.group().rstrip(".,;:!?)]")
            if len(target) >= _SHORTEST:
                yield kind, target[:_LONGEST_TARGET]


def _warning(kind: str, target: str, outside: Sequence[Source]) -> str:
    shown = target if len(target) <= _SHOWN_VALUE else f"{target[: _SHOWN_VALUE - 1]}…"
    where = [one.where for one in outside if _held(target, [one])]
    if where:
        return f"The {kind} {shown} appears only in text from outside: {where[0]}."
    return f"The {kind} {shown} appears in nothing that was asked or read."


def _mark(value: str, outside: Sequence[Source], warning: str = "") -> Mark:
    for source in outside:
        seen = _read(source.text)
        shared = _shared(_read(value), seen)
        if shared:
            quote = f"{source.where}: “{_around(seen, shared)}”"
            return Mark(shared[:_LONGEST_VALUE], quote, warning)
    return Mark(_read(value)[:_LONGEST_VALUE], "", warning)


def _held(value: str, sources: Sequence[Source]) -> bool:
    wanted = _read(value)
    digits = re.sub(r"[ -]", "", wanted)
    return any(
        _stands_in(wanted, text) or (digits.isalnum() and _stands_in(digits, _joined(text)))
        for text in (_read(source.text) for source in sources)
    )


def _joined(text: str) -> str:
    """Return a text without the blanks and hyphens that group the digits of a number."""
    return re.sub(r"(?<=[0-9a-z])[ -](?=[0-9a-z]{2,4}(?![a-z]))", "", text)


def _stands_in(wanted: str, text: str) -> bool:
    """Tell whether a value stands in a text, and not only inside a longer word."""
    at = text.find(wanted)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(wanted) : at + len(wanted) + 1]
        if not (before.isalnum() and wanted[0].isalnum()) and not (
            after.isalnum() and wanted[-1].isalnum()
        ):
            return True
        at = text.find(wanted, at + 1)
    return False


def _shared(wanted: str, seen: str) -> str:
    """Return the value if it stands in a text, else the first six words in a row that do, or ""."""
    if _stands_in(wanted, seen):
        return wanted
    words, padded = wanted.split(), f" {seen} "
    for at in range(len(words) - _RUN_OF_WORDS + 1):
        stretch = " ".join(words[at : at + _RUN_OF_WORDS])
        if f" {stretch} " in padded:
            return stretch
    return ""


def _around(text: str, wanted: str) -> str:
    at = text.index(wanted)
    room = max(0, _QUOTE - len(wanted)) // 2
    begins, ends = max(0, at - room), min(len(text), at + min(len(wanted), _QUOTE) + room)
    return f"{'…' if begins else ''}{text[begins:ends]}{'…' if ends < len(text) else ''}"


def _read(text: str) -> str:
    """Return a text as it reads. Decomposed first, so that what is invisible cannot part it."""
    plain = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split())
