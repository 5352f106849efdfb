"""Where the values of a call come from: what was asked for, or text from outside. Pure.

What the asker wrote must name a target as it is; in text from outside other spellings are found too
(spelling.py). A value that the model put together out of pieces, or decoded, is found in no text;
where it can only be an address or an account, it is named all the same. Dates, times, numbers of up
to four digits and common words stand in half of all texts, so that they are marked only where the
name of their argument makes them a target or an amount (plain_values.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Final

from handlers.tools.plain_values import amount, amounts, is_moment, is_plain
from handlers.tools.ports import Effect, Tool
from handlers.tools.spelling import ReadText, read
from handlers.tools.targets import (
    NUMBER,
    Target,
    aiming,
    leaves,
    named_leaves,
    targets,
    words_of,
)


@dataclass(frozen=True, slots=True)
class Source:
    """A text that the model has read. ``where`` names it to people: "the page Travel, section 2".

    Trusted is only what the asker wrote, and what stands in our own instructions. What is
    ``fleeting`` is named and never quoted: what is said of a call is kept.
    """

    text: str = field(repr=False)
    where: str
    trusted: bool = False
    fleeting: bool = False


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
_LONGEST_VALUE = 200
_SHORTEST_VALUE = 4
_FEW_WORDS = 3
_RUN_OF_WORDS = 6
_AMOUNTS = frozenset("amount budget cost fee limit price quantity sum total".split())
"""Names of arguments whose number matters, however short it is."""


@dataclass(frozen=True)
class _Seen:
    """A source as it reads."""

    where: str
    read: ReadText
    fleeting: bool


@dataclass(frozen=True)
class _Asked:
    """All that the asker wrote."""

    texts: tuple[ReadText, ...]

    @cached_property
    def amounts(self) -> frozenset[Decimal]:
        return frozenset(one for text in self.texts for one in amounts(text.text))

    def names(self, target: Target) -> bool:
        wanted = read(target.text)
        if target.kind == NUMBER and self._counts(wanted):
            return True
        return any(text.names(wanted) for text in self.texts)

    def says(self, value: str) -> bool:
        if self._counts(value) or any(text.says(value) for text in self.texts):
            return True
        words = value.split()
        return 1 < len(words) <= _FEW_WORDS and all(map(self.says, words))

    def _counts(self, value: str) -> bool:
        return amount(value) in self.amounts


def origins(arguments: Mapping[str, object], sources: Sequence[Source]) -> tuple[str, ...]:
    """Return quotes of untrusted text that holds values of the arguments, each with its place."""
    asked, outside = _parted(sources)
    found = _value_marks(arguments, frozenset(), asked, outside)
    return _distinct(mark.origin for mark in found)[:MOST_MARKS]


def warnings(
    tool: Tool, arguments: Mapping[str, object], sources: Sequence[Source]
) -> tuple[str, ...]:
    """Return a sentence for each target of a fetch or write that only untrusted text names."""
    return _distinct(mark.warning for mark in marks(tool, arguments, sources))


def marks(
    tool: Tool, arguments: Mapping[str, object], sources: Sequence[Source]
) -> tuple[Mark, ...]:
    """Return what is to be said about the values of a call: its targets first."""
    asked, outside = _parted(sources)
    if not outside:
        return ()
    aims: dict[str, Mark] = {}
    if tool.effect is not Effect.READ:
        for mark in _target_marks(arguments, asked, outside):
            aims.setdefault(mark.value, mark)
    rest: dict[str, Mark] = {}
    choices = frozenset(_choices(tool.parameters))
    for mark in _value_marks(arguments, choices, asked, outside):
        if mark.value not in aims:
            rest.setdefault(mark.value, mark)
    shown = list(aims.values())[:MOST_MARKS]
    if len(aims) > MOST_MARKS:
        more = len(aims) - MOST_MARKS
        shown.insert(0, Mark("", "", f"{more} more addresses and names appear in no trusted text."))
    return (*shown, *list(rest.values())[: max(0, MOST_MARKS - len(shown))])


def still_true(marked: Sequence[Mark], arguments: Mapping[str, object]) -> tuple[Mark, ...]:
    """Return the marks whose values stand in arguments that somebody edited since.

    What that person typed comes from that person.
    """
    now = [read(value) for value in leaves(arguments)]
    return tuple(mark for mark in marked if any(mark.value in value for value in now))


def _target_marks(
    arguments: Mapping[str, object], asked: _Asked, outside: Sequence[_Seen]
) -> Iterator[Mark]:
    for target in targets(arguments):
        wanted = read(target.text)
        if wanted and not asked.names(target):
            found = next((seen for seen in outside if seen.read.place(wanted)), None)
            if found or target.certain:
                origin = _quote(found, wanted) if found else ""
                yield Mark(wanted[:_LONGEST_VALUE], origin, _warning(target, found))


def _value_marks(
    arguments: Mapping[str, object],
    choices: frozenset[str],
    asked: _Asked,
    outside: Sequence[_Seen],
) -> Iterator[Mark]:
    for role, text in named_leaves(arguments, _role):
        value = read(text)
        # Dates say where something ends more often than to whom it goes.
        plain = is_moment(value) if role == "to" else is_plain(value) and not role
        chance = plain or value in choices
        if len(value) >= _SHORTEST_VALUE and not chance and not asked.says(value):
            for seen in outside:
                shared = value if seen.read.says(value) else _first_words(value, seen, asked)
                if shared:
                    yield Mark(shared[:_LONGEST_VALUE], _quote(seen, shared))
                    break


def _role(name: str) -> str:
    words = words_of(name)
    return aiming(name) or (words[-1] if words and words[-1] in _AMOUNTS else "")


def _choices(schema: object) -> Iterator[str]:
    """Yield the values that a tool's own schema lists: they come from there, whatever is read."""
    if isinstance(schema, Mapping):
        listed = schema.get("enum")
        if isinstance(listed, list | tuple):
            yield from (read(one) for one in listed if isinstance(one, str))
        for held in schema.values():
            yield from _choices(held)
    elif isinstance(schema, list | tuple):
        for held in schema:
            yield from _choices(held)


def _warning(target: Target, found: _Seen | None) -> str:
    text = target.text
    shown = text if len(text) <= _SHOWN_VALUE else f"{text[: _SHOWN_VALUE - 1]}…"
    if found:
        return f"The {target.kind} {shown} appears only in text from outside: {found.where}."
    return f"The {target.kind} {shown} appears in nothing that was asked or read."


def _first_words(value: str, seen: _Seen, asked: _Asked) -> str:
    """Return the first six words in a row that a value shares with a text, or "".

    What the asker wrote as well does not count.
    """
    words, padded = value.split(), f" {seen.read.text} "
    for at in range(len(words) - _RUN_OF_WORDS + 1):
        stretch = " ".join(words[at : at + _RUN_OF_WORDS])
        if f" {stretch} " in padded and not asked.says(stretch):
            return stretch
    return ""


def _quote(seen: _Seen, wanted: str) -> str:
    """Return the stretch of a source around a value, with the name of the source."""
    if seen.fleeting:
        return seen.where
    text = seen.read.text
    at, end = seen.read.place(wanted) or (0, 0)
    room = max(0, _QUOTE - (end - at)) // 2
    begins, ends = max(0, at - room), min(len(text), min(end, at + _QUOTE) + room)
    cut = f"{'…' if begins else ''}{text[begins:ends]}{'…' if ends < len(text) else ''}"
    return f"{seen.where}: “{cut}”"


def _parted(sources: Sequence[Source]) -> tuple[_Asked, list[_Seen]]:
    asked: list[ReadText] = []
    outside: list[_Seen] = []
    for source in sources:
        text = ReadText(read(source.text))
        if source.trusted:
            asked.append(text)
        else:
            outside.append(_Seen(source.where, text, source.fleeting))
    return _Asked(tuple(asked)), outside


def _distinct(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in sentences if one))
