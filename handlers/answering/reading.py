"""A text with everything that the support check asks of it, worked out once. Pure."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise

from handlers.answering.lexicon import (
    LIMITS,
    MONTHS,
    NEGATORS,
    NOT_NEGATIONS,
    PREPOSITIONS,
    UNITS,
)
from handlers.answering.words import Token, stem, tokens

Phrase = tuple[str, ...]

SENTENCE_ENDS = (".", "!", "?", "\n")
CLAUSE_ENDS = (";", *SENTENCE_ENDS)
_SIGNS = {"%": "percent", "$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
UNIT_STEMS = frozenset(map(stem, UNITS))
_YEAR = re.compile(r"1\d{3}|20\d\d")
_SKIPPED = frozenset("the a an its his her their our your this that these those".split())
_TELLING = re.compile(
    r"\s*(?:(?:in (?:short|brief|summary|other words)|to (?:sum up|summarise|summarize)|overall"
    r"|(?:as|according to) (?:stated |described |mentioned |noted )?(?:in )?"
    r"(?:the|your|our|these|this) (?:\w+ )?(?:documents?|documentation|handbook|passages?|sources?"
    r"|text|pages?|guide|manual|sections?|excerpts?))\s*[,:]\s*"
    r"|(?:please )?note that\s+"
    r"|(?:the|your|our|this) (?:documents?|documentation|handbook|passages?|sources?|text|page"
    r"|guide|manual|section|excerpt) (?:says?|states?|notes?|mentions?|explains?) that\s+)",
    re.I,
)


class Reading:
    """A text as words in order, with what stands where and what reaches how far."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.words = tuple(t for t in self.tokens if t.kind != "stop")
        self.raw = tuple(t.raw.casefold().replace("’", "'") for t in self.words)
        self.lower = frozenset(self.raw)
        signs = frozenset(_SIGNS[mark] for t in self.words for mark in t.marks)
        self.stems = frozenset(t.stem for t in self.words) | signs
        self.content = tuple(t for t in self.words if t.content)
        self.hard = tuple(t for t in self.content if not t.soft)

    @classmethod
    def of_claim(cls, text: str) -> "Reading":
        """Read a sentence of an answer, without what it says about saying it ("In short, ...")."""
        told = _TELLING.match(text)
        return cls(text[told.end() :] if told else text)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Positions of each stem."""
        found: dict[str, list[int]] = {}
        for token in self.words:
            found.setdefault(token.stem, []).append(token.at)
        return found

    @cached_property
    def parts(self) -> frozenset[str]:
        """Stems of the parts of compounds, and of neighbours written as one word."""
        parts: set[str] = set()
        for token in self.words:
            word = token.raw.casefold()
            if "-" in word and not word.startswith(("non-", "un-", "anti-", "ex-")):
                parts.update(stem(part) for part in word.split("-") if part)
        parts.update(stem(a + b) for a, b in zip(self.raw, self.raw[1:], strict=False))
        return frozenset(parts)

    @cached_property
    def _starts(self) -> dict[str, list[int]]:
        starts: dict[str, list[int]] = {}
        for at, word in enumerate(self.raw):
            starts.setdefault(word, []).append(at)
        return starts

    def find(self, phrase: Sequence[str]) -> list[int]:
        """Return the positions at which a phrase begins."""
        size, wanted = len(phrase), tuple(phrase)
        return [i for i in self._starts.get(phrase[0], ()) if self.raw[i : i + size] == wanted]

    @cached_property
    def _ends(self) -> tuple[tuple[int, str], ...]:
        return tuple((t.at, t.raw) for t in self.tokens if t.kind == "stop")

    def parted(self, one: int, other: int, by: Sequence[str] = SENTENCE_ENDS) -> bool:
        """Tell whether a stop stands between two positions."""
        low, high = sorted((one, other))
        return any(low < at <= high and raw in by for at, raw in self._ends)

    def stretch(self, at: int, by: Sequence[str] = SENTENCE_ENDS) -> tuple[int, int]:
        """Return the bounds of what stands between stops around a position: (first, behind)."""
        stops = [place for place, raw in self._ends if raw in by]
        first = max((p for p in stops if p <= at), default=0)
        return first, min((p for p in stops if p > at), default=len(self.words))

    def preposition(self, at: int) -> str:
        """Return the preposition that governs the word at a position, or ""."""
        for place in range(at - 1, max(at - 4, -1), -1):
            if self.raw[place] in PREPOSITIONS:
                return "" if self.parted(place, at, (*CLAUSE_ENDS, ",")) else self.raw[place]
            if self.raw[place] not in _SKIPPED and not self.words[place].name:
                return ""
        return ""

    @cached_property
    def skipped(self) -> frozenset[int]:
        """Positions of words that look like negations and are none ("no later than")."""
        return frozenset(
            i for p in NOT_NEGATIONS for start in self.find(p) for i in range(start, start + len(p))
        )

    @cached_property
    def negated(self) -> tuple[frozenset[str], ...]:
        """For each negation, the stems in its reach: what follows it, else what precedes."""
        scopes: list[frozenset[str]] = []
        for index, token in enumerate(self.tokens):
            if token.kind == "stop" or token.at in self.skipped:
                continue
            if token.raw.casefold() not in NEGATORS:
                continue
            if token.first and index + 1 < len(self.tokens) and self.tokens[index + 1].raw == ",":
                continue  # "No, ..." answers; it negates nothing by itself.
            scope = reach(self.tokens[index + 1 :], 5) or reach(reversed(self.tokens[:index]), 3)
            scopes.append(frozenset(scope))
        return tuple(scopes)

    @cached_property
    def limits(self) -> frozenset[str]:
        """Kinds of limit that the text names anywhere."""
        return frozenset(kind for kind, _, _ in self._limited)

    @cached_property
    def _limited(self) -> tuple[tuple[str, int, int], ...]:
        """Each limit as (kind, first position, position behind); the longest phrase wins."""
        taken: set[int] = set()
        found: list[tuple[str, int, int]] = []
        for kind, phrase in _LIMIT_PHRASES:
            for start in self.find(phrase):
                room = range(start, start + len(phrase))
                if taken.isdisjoint(room):
                    taken.update(room)
                    found.append((kind, start, room.stop))
        return tuple(found)

    def limits_at(self, at: int) -> frozenset[str]:
        """Kinds of limit that stand right before or behind the number at a position."""
        near: set[str] = set()
        for kind, start, end in self._limited:
            behind = self.raw[start] in ("or", "long") and 0 < start - at <= 3
            if (start < at and 0 <= at - end <= 1) or behind:
                near.add(kind)
        return frozenset(near)

    @cached_property
    def ranges(self) -> dict[int, tuple[str, bool]]:
        """For each end of a range, the value of the other end and whether both are one amount.

        "3 to 5 days" and "between 40 and 60" are one amount each; "from 5 to 10" may tell of a
        change, and years are dates.
        """
        numbers = [t for t in self.words if t.kind == "number"]
        found: dict[int, tuple[str, bool]] = {}
        for one, other in pairwise(numbers):
            low, high = _value(one.stem), _value(other.stem)
            if low is None or high is None or low >= high or not self._joined(one, other):
                continue
            dated = low >= 1000 and high <= 2100 and not one.marks
            whole = not dated and (one.at == 0 or self.raw[one.at - 1] != "from")
            found[one.at] = (other.stem, whole)
            found[other.at] = (one.stem, whole)
        return found

    def _joined(self, one: Token, other: Token) -> bool:
        between = self.raw[one.at + 1 : other.at]
        if self.parted(one.at, other.at, (*CLAUSE_ENDS, ",", ":", "(", ")")):
            return False
        if not between:
            return other.raw[0] not in "-−"
        pair = one.at > 0 and self.raw[one.at - 1] == "between" and between == ("and",)
        return between == ("to",) or pair

    def unit_of(self, at: int) -> str:
        """Return the unit that the number at a position counts, or "" when it has none."""
        number = self.words[at]
        if number.marks:
            return _SIGNS[min(number.marks)]
        for word in self.words[at + 1 : at + 4]:
            if word.kind == "number":
                return ""
            if word.stem in UNIT_STEMS:
                return word.stem
        return ""

    def measure(self, at: int) -> str:
        """Return the unit of the number at a position, "date" for a part of one, or ""."""
        unit = self.unit_of(at)
        if unit:
            return unit
        near = self.raw[max(at - 1, 0) : at + 2]
        dated = _YEAR.fullmatch(self.words[at].stem) or not MONTHS.isdisjoint(near)
        return "date" if dated else ""

    def counted(self, at: int) -> str:
        """Return the stem of what the number right before it may count, or ""."""
        if at + 1 < len(self.words) and not self.parted(at, at + 1, (*CLAUSE_ENDS, *",:()—–")):
            word = self.words[at + 1]
            return word.stem if word.kind == "word" and word.content else ""
        return ""

    @cached_property
    def _groups(self) -> dict[int, int]:
        """For each number the first one of its date or range."""
        found: dict[int, int] = {}
        last: Token | None = None
        for token in (t for t in self.words if t.kind == "number"):
            between = self.raw[last.at + 1 : token.at] if last else ()
            one = last is not None and (
                (token.at in self.ranges and self.ranges[token.at][0] == last.stem)
                or (len(between) <= 1 and self.measure(last.at) == "date" == self.measure(token.at))
            )
            found[token.at] = found[last.at] if one and last else token.at
            last = token
        return found

    def tied(self, word: int, number: int) -> bool:
        """Tell whether no rival number of the same unit and no clause end parts two positions."""
        low, high = sorted((word, number))
        own, unit = self._groups[number], self.measure(number)
        if self.parted(low, high, CLAUSE_ENDS):
            return False
        between = (t for t in self.words[low + 1 : high] if t.kind == "number")
        return all(self._groups[t.at] == own or self.measure(t.at) != unit for t in between)


_LIMIT_PHRASES = sorted(
    ((kind, phrase) for kind, phrases in LIMITS for phrase in phrases),
    key=lambda entry: -len(entry[1]),
)


def reach(following: Iterable[Token], limit: int) -> list[str]:
    """Return the stems of the content words up to the next stop, ``limit`` at most."""
    found: list[str] = []
    for token in following:
        if token.kind == "stop" or token.raw.casefold() in ("but", "however"):
            break
        if token.content and token.raw.casefold() != "longer":
            found.append(token.stem)
        if len(found) == limit:
            break
    return found


def _value(number: str) -> float | None:
    try:
        return float(number)
    except ValueError:
        return None
