"""Do two documents contradict each other? Words and figures only, no model. Pure.

Two sentences disagree when they say the same of the same thing, except for one figure: the same
content words (a word that only one has must stand in the title or heading above the other), the
same conditions, exceptions and bounds in time, and then

    number     one number of the same unit and the same kind of limit, different in value
    day        one date, month or day of the week, different
    negation   one says of these words that it is not so

In doubt they do not: "25 days" and "22 days in Lisbon" are a rule and its exception, so are the
same words on the pages "Berlin office" and "Lisbon office", and a page that is wrongly said to
contradict another costs more trust than the note is worth.
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property

from handlers.answering.support import Reading
from handlers.answering.words import Token, stem

FEWEST_WORDS = 3
"""Content words that two sentences must share; with fewer, no subject is known to be the same."""

ALIKE = 0.75
"""Share of all their words that two sentences with fewer must have in common."""

LONGEST_STATEMENT = 400
"""Characters of a sentence that is looked at; a longer one states several things."""

_MONTHS = frozenset(
    "january february march april may june july august september october november december januar"
    " februar märz mai juni juli oktober dezember".split()
)
_WEEKDAYS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag"
    " freitag samstag sonntag mondays tuesdays wednesdays thursdays fridays saturdays"
    " sundays".split()
)
_DAYS = ("weekday", "date")
_POINTS_BACK = re.compile(
    r"\W*(?:he|she|it|its|they|their|them|this|these|those|that|such|both|another|others?|here|there"
    r"|his|her|each|one|some|er|sie|es|dies\w*|jene\w*)\b",
    re.I,
)
_HISTORY = re.compile(
    r"\b(?:was|were|had|used to|formerly|previously|since|war|waren|hatte\w*|früher|seit)\b"
    r"|\b(?:1[0-9]|20)\d\d\b",
    re.I,
)

_STAFF = frozenset({stem("employees"), stem("everyone"), stem("everybody")})
_SCOPES = frozenset(
    "before after during until between without outside inside above below beyond except first"
    " second third last next previous main additional certain some most other only all every main"
    " vor nach während bis zwischen ohne außerhalb innerhalb erste ersten zweite zweiten letzte"
    " letzten nächste nächsten nur alle if unless when where while provided excluding apart than"
    " wenn falls sofern außer ausser".split()
)
"""Words that carry no subject and yet decide which of two cases is meant."""

_NO_PROSE = re.compile(r"[{}<>=|]|://")


@dataclass(frozen=True)
class Statement:
    """One sentence of a document, and the title and heading above it.

    ``passage`` is the place of its passage in a list, ``start`` and ``end`` are its span there.
    """

    document_id: str
    text: str
    title: str = ""
    heading: str = ""
    passage: int = 0
    start: int = 0
    end: int = 0

    @cached_property
    def reading(self) -> Reading:
        """Return its words."""
        return Reading(self.text)

    @cached_property
    def figures(self) -> dict[str, tuple[str, frozenset[str]]]:
        """Return {what is counted: (value, kinds of limit)}; {} when one thing has two values."""
        found: dict[str, tuple[str, frozenset[str]]] = {}
        for token in self.reading.words:
            what, value = self._figure(token)
            if not what:
                continue
            if what in found and found[what][0] != value:
                return {}
            limits = self.reading.limits_at(token.at) if token.kind == "number" else frozenset()
            found[what] = (value, limits)
        return found

    def _figure(self, token: Token) -> tuple[str, str]:
        """Return what a word counts or dates, and the value; ("", "") for a word without one."""
        raw = token.raw.casefold()
        if raw in _WEEKDAYS:
            return "weekday", raw.removesuffix("s")
        beside = [w for w in self.reading.words if abs(w.at - token.at) == 1]
        if _is_month(token):
            day = next((w.stem for w in beside if w.kind == "number"), "")
            return "date", f"{day} {raw}"
        if token.kind != "number" or any(map(_is_month, beside)):
            return "", ""
        unit = self.reading.unit_of(token.at)
        if unit:
            return unit, token.stem
        after = next((w for w in beside if w.at > token.at and w.content), None)
        return (f"of {after.stem}" if after else "plain"), token.stem

    @cached_property
    def content(self) -> frozenset[str]:
        """Return the stems that say what the sentence is about, figures apart."""
        return frozenset(
            t.stem for t in self.reading.hard if t.kind != "number" and not self._figure(t)[0]
        )

    @cached_property
    def above(self) -> frozenset[str]:
        """Return the stems of title and heading."""
        return _stems(self.title) | _stems(self.heading)

    @property
    def judgeable(self) -> bool:
        """Tell whether the sentence says by itself what it speaks of, and states it for now."""
        return (
            len(self.text) <= LONGEST_STATEMENT
            and not self.text.rstrip().endswith(("?", ":"))
            and not _POINTS_BACK.match(self.text)
            and not _HISTORY.search(self.text)
            and not _NO_PROSE.search(self.text)
            # Last, for it reads the sentence word by word.
            and len(self.content) >= FEWEST_WORDS - 1
        )


def disagree(one: Statement, other: Statement) -> str:
    """Return what two statements disagree about: "number", "day", "negation" or "" if nothing."""
    if one.document_id == other.document_id or not _same_subject(one, other):
        return ""
    whats = one.figures.keys() | other.figures.keys()
    differing = [what for what in whats if _value(one, what) != _value(other, what)]
    if bool(one.reading.negated) != bool(other.reading.negated):
        return "" if differing else "negation"
    if len(differing) != 1 or any(
        what not in s.figures for what in differing for s in (one, other)
    ):
        return ""
    (what,) = differing
    if one.figures[what][1] != other.figures[what][1]:
        return ""
    return "day" if what in _DAYS else "number"


def _value(statement: Statement, what: str) -> str:
    return statement.figures[what][0] if what in statement.figures else ""


def _same_subject(one: Statement, other: Statement) -> bool:
    own = one.content - other.content - _people(other)
    its = other.content - one.content - _people(one)
    if not (own <= other.above and its <= one.above):
        return False
    if _SCOPES & (one.reading.lower ^ other.reading.lower):
        return False
    if _siblings(one.title, other.title) or _siblings(one.heading, other.heading):
        return False
    shared = one.content & other.content
    if len(shared) >= FEWEST_WORDS:
        return True
    said, also = (s.reading.stems - {v for v, _ in s.figures.values()} for s in (one, other))
    return len(said & also) >= ALIKE * len(said | also)


def _people(statement: Statement) -> frozenset[str]:
    """Return the words that "you" stands for in a handbook, where it stands."""
    return (
        _STAFF if statement.reading.lower & {"you", "we", "everyone", "everybody"} else frozenset()
    )


def _is_month(token: Token) -> bool:
    raw = token.raw.casefold()
    return raw in _MONTHS and (raw not in ("may", "march", "mai") or token.raw[0].isupper())


def _siblings(one: str, other: str) -> bool:
    """Tell whether two titles name two cases of one thing. A year names no other case."""
    these, those = _stems(one), _stems(other)
    return bool(these & those) and bool(these - those) and bool(those - these)


@cache
def _stems(title: str) -> frozenset[str]:
    words = (t for t in Reading(title).words if t.content)
    return frozenset(t.stem for t in words if not re.fullmatch(r"(?:19|20)\d\d", t.stem))
