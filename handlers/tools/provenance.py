"""Where the values of a call come from: what was asked for, or text from outside. Pure.

Texts are compared as they read: letters in one case, compatible characters as one, blanks as one,
and nothing that cannot be seen. A value that the model put together out of pieces, or decoded, is
found in no text; where it can only be an address or an account, it is named all the same.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from handlers.tools.ports import Effect, Tool
from handlers.tools.targets import Target, leaves, targets


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
_RUN_OF_WORDS = 6
_SHORTEST_NUMBER = 6


@dataclass(frozen=True, slots=True)
class _Seen:
    """A source as it reads, and the same without the blanks and hyphens that group a number."""

    where: str
    text: str
    joined: str
    fleeting: bool

    def holds(self, wanted: str) -> bool:
        """Tell whether a value stands here, and not only inside a longer word."""
        if _stands_in(wanted, self.text):
            return True
        joined = _joined(wanted)
        number = joined.isalnum() and sum(map(str.isdigit, joined)) >= _SHORTEST_NUMBER
        return number and joined in self.joined


def origins(arguments: Mapping[str, object], sources: Sequence[Source]) -> tuple[str, ...]:
    """Return quotes of untrusted text that holds values of the arguments, each with its place."""
    asked, outside = _parted(sources)
    return _distinct(mark.origin for mark in _value_marks(arguments, asked, outside))[:MOST_MARKS]


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
    for mark in _value_marks(arguments, asked, outside):
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
    now = [_read(value) for value in leaves(arguments)]
    return tuple(mark for mark in marked if any(mark.value in value for value in now))


def _target_marks(
    arguments: Mapping[str, object], asked: Sequence[_Seen], outside: Sequence[_Seen]
) -> Iterator[Mark]:
    for target in targets(arguments):
        wanted = _read(target.text)
        if wanted and not any(seen.holds(wanted) for seen in asked):
            found = next((seen for seen in outside if seen.holds(wanted)), None)
            if found or target.certain:
                origin = _quote(found, wanted) if found else ""
                yield Mark(wanted[:_LONGEST_VALUE], origin, _warning(target, found))


def _value_marks(
    arguments: Mapping[str, object], asked: Sequence[_Seen], outside: Sequence[_Seen]
) -> Iterator[Mark]:
    for value in map(_read, leaves(arguments)):
        if len(value) >= _SHORTEST_VALUE and not any(seen.holds(value) for seen in asked):
            for seen in outside:
                shared = value if seen.holds(value) else _first_words(value, seen.text)
                if shared:
                    yield Mark(shared[:_LONGEST_VALUE], _quote(seen, shared))
                    break


def _warning(target: Target, found: _Seen | None) -> str:
    text = target.text
    shown = text if len(text) <= _SHOWN_VALUE else f"{text[: _SHOWN_VALUE - 1]}…"
    if found:
        return f"The {target.kind} {shown} appears only in text from outside: {found.where}."
    return f"The {target.kind} {shown} appears in nothing that was asked or read."


def _first_words(value: str, text: str) -> str:
    """Return the first six words in a row that a value shares with a text, or ""."""
    words, padded = value.split(), f" {text} "
    for at in range(len(words) - _RUN_OF_WORDS + 1):
        stretch = " ".join(words[at : at + _RUN_OF_WORDS])
        if f" {stretch} " in padded:
            return stretch
    return ""


def _stands_in(wanted: str, text: str) -> bool:
    at = text.find(wanted)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(wanted) : at + len(wanted) + 1]
        inside = (before.isalnum() and wanted[0].isalnum()) or (
            after.isalnum() and wanted[-1].isalnum()
        )
        if not inside:
            return True
        at = text.find(wanted, at + 1)
    return False


def _quote(seen: _Seen, wanted: str) -> str:
    """Return the stretch of a source around a value, with the name of the source."""
    if seen.fleeting:
        return seen.where
    at = max(0, seen.text.find(wanted))
    room = max(0, _QUOTE - len(wanted)) // 2
    begins, ends = max(0, at - room), min(len(seen.text), at + min(len(wanted), _QUOTE) + room)
    cut = f"{'…' if begins else ''}{seen.text[begins:ends]}{'…' if ends < len(seen.text) else ''}"
    return f"{seen.where}: “{cut}”"


def _parted(sources: Sequence[Source]) -> tuple[list[_Seen], list[_Seen]]:
    asked: list[_Seen] = []
    outside: list[_Seen] = []
    for source in sources:
        text = _read(source.text)
        seen = _Seen(source.where, text, _joined(text), source.fleeting)
        (asked if source.trusted else outside).append(seen)
    return asked, outside


def _joined(text: str) -> str:
    return text.replace(" ", "").replace("-", "")


def _read(text: str) -> str:
    """Return a text as it reads. What is invisible goes first, so that it cannot part a word."""
    plain = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split())


def _distinct(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in sentences if one))
