"""Filters that a question names: where to look, and how old a page may be. Pure.

    source:handbook  source:"Human Resources"  in #travel        explicit, taken at its word
    since:2025-05-01  before:2024-06                             if there is such a source or day
    since May  since 1 May 2025  before June 2024  last week     taken for the age of pages only if
    in the last 30 days  seit Mai  letzten Monat                 the question asks what is new, or
                                                                 is no sentence

"What has changed since May?" asks for recent pages; "Who has led the team since May?" and "What was
the revenue last year?" ask about the world, and any page may tell. What is not understood stays
part of the question. In the 5,313 questions and turns of the seven judged sets, none of which is
about the age of a page, no filter is seen.
"""

import re
from calendar import monthrange
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from index.within import EVERYTHING, Within

OLDEST_YEAR = 2000
"""A year before that is about history, not about the age of a page."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jan jänner",
            "february februar feb",
            "march märz mar maerz",
            "april apr",
            "may mai",
            "june juni jun",
            "july juli jul",
            "august aug",
            "september sept sep",
            "october oktober oct okt",
            "november nov",
            "december dezember dec dez",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = (
    r"(?:(?P<y>\d{4})(?:-(?P<m>\d{2})(?:-(?P<d>\d{2}))?)?"
    r"|(?P<d2>\d{1,2})\.(?P<m2>\d{1,2})\.(?P<y2>\d{4})"
    rf"|(?:(?P<d3>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+)?(?P<name>{_MONTH})\b\.?"
    r"(?:\s+(?P<d4>\d{1,2})(?:st|nd|rd|th)?\b(?!\s*\d{3}))?(?:,?\s+(?P<y3>\d{4}))?)"
)
_UNIT = r"(?P<unit>week|month|year|woche|monat|jahr)"
_SPAN = (
    rf"(?:{_UNIT}"
    r"|(?P<count>\d{1,3})\s+(?P<units>day|week|month|year|tag|woche|monat|jahr)(?:s|en|e|n)?)"
)
_PLACED = (
    r"(?:(?:in|within|during|over|from|von|aus|innerhalb)\s+)?(?:the\s+|den\s+|der\s+|dem\s+)?"
)
_ENDS = (
    r"(?![\w'’-])(?=\s*(?:$|[?!.,;:)]|(?:in|on|at|to|for|from|about|regarding|with|of|and|the|our"
    r"|since|before|seit|vor|im|zu|zum|zur|bei|für|über|und|geändert|aktualisiert"
    r"|besprochen|beschlossen|passiert)\b))"
)
"""What may follow a day: "since May, ..." is a day, "since May left" is not."""

_EXPLICIT = re.compile(rf"(?<!\S)(?P<word>since|seit|before|vor):{_DAY}(?![\w-])", re.I)
_IN_WORDS = tuple(
    re.compile(rf"\b{pattern}{_ENDS}", re.I)
    for pattern in (
        rf"(?P<word>since|seit|before|vor)\s+(?:the\s+|dem\s+)?{_DAY}",
        rf"(?:since\s+|seit\s+)?{_PLACED}(?:last|past|letzte[nrsm]?|vergangene[nrsm]?)\s+{_SPAN}",
        rf"(?:since\s+|seit\s+)?{_PLACED}(?P<this>this|diese[nrsm]?)\s+{_UNIT}",
        r"(?:since|seit)\s+(?P<near>yesterday|gestern|today|heute)",
    )
)
_SOURCE = re.compile(
    r'(?<!\S)(?:(?:in|from|aus|von)\s+)?source:(?:"(?P<quoted>[^"\n]+)"|(?P<plain>[^\s"?!,;]+))',
    re.I,
)
_CHANNEL = re.compile(
    r"(?<!\S)(?:in|im|from|aus|von)\s+(?:(?:the|dem|der)\s+)?(?:(?:channel|kanal)\s+)?"
    r"(?:#(?P<plain>[\w-]+)|<#(?P<id>\w+)(?:\|(?P<quoted>[^>\s]*))?>)",
    re.I,
)
_NEWS = re.compile(
    r"\b(?:chang(?:e|es|ed|ing)|new(?!\s+(?-i:[A-Z]))|news|newest|latest|updat(?:e|es|ed|ing)"
    r"|announce(?:d|ments?)?|decided|discussed|posted|edited|added|mentioned|happened"
    r"|geändert|ändert|änderung(?:en)?|neue?[rsn]?|neuigkeiten|neuerungen|aktualisiert|besprochen"
    r"|beschlossen|entschieden|angekündigt|passiert|hinzugekommen)\b",
    re.I,
)
_SENTENCE = re.compile(
    r"\?\s*$|^\W*(?:who|whom|whose|what|when|where|why|which|how|is|are|was|were|do|does|did|has"
    r"|have|had|can|could|may|should|will|would|wer|wen|wem|was|wann|wo|warum|welche[rsmn]?|wie"
    r"|ist|sind|war|waren|hat|haben|kann|darf|muss|soll|gibt)\b"
    r"|\b(?:is|are|was|were|has|have|had|been|ist|sind|war|waren|hat|haben|wurde)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Understood:
    """A question without the words of its filters, and what they limit the search to."""

    text: str
    within: Within


def may_name_sources(question: str) -> bool:
    """Tell whether a question may limit the sources, so that their names have to be known."""
    return bool(_SOURCE.search(question) or _CHANNEL.search(question))


def understood(question: str, *, today: date, sources: Collection[str] = ()) -> Understood:
    """Return what a question asks, and of which pages.

    ``sources`` are the names that a filter may mean, whatever their case; a channel may be named
    ``general``, ``#general`` or end in ``:general``. A month without a year is the latest that has
    begun. The last week, month or year is meant up to today, since a page that was changed in it
    and again after it only tells of the later change. Days are those of UTC. If a question would
    consist of nothing but filters, it is searched for as it stands.
    """
    text, within = _places(question, sources)
    text, within = _dates(text, within, today)
    if within == EVERYTHING:
        return Understood(question, within)
    text = re.sub(r" (?=[?!.,;:])", "", " ".join(text.split())).lstrip(",;: ")
    return Understood(text if re.search(r"\w", text) else question, within)


def _places(text: str, sources: Collection[str]) -> tuple[str, Within]:
    chosen: set[str] = set()

    def known(match: re.Match[str]) -> str:
        named = [n for n in match.groupdict().values() if n]
        found = {one for one in sources if any(_is_called(one, name, match.re) for name in named)}
        chosen.update(found)
        return " " if found else match[0]

    for pattern in (_SOURCE, _CHANNEL):
        text = pattern.sub(known, text)
    return text, Within(sources=frozenset(chosen)) if chosen else EVERYTHING


def _is_called(source: str, name: str, pattern: re.Pattern[str]) -> bool:
    source, name = source.casefold(), name.casefold()
    return source == name or (pattern is _CHANNEL and re.split(r"[#:/]", source)[-1] == name)


def _dates(text: str, within: Within, today: date) -> tuple[str, Within]:
    text, within = _taken(text, within, _EXPLICIT, today)
    asks_for_news = _NEWS.search(text) or not _SENTENCE.search(text)
    for pattern in _IN_WORDS if asks_for_news else ():
        text, within = _taken(text, within, pattern, today)
    return text, within


def _taken(text: str, within: Within, pattern: re.Pattern[str], today: date) -> tuple[str, Within]:
    """Take the days that ``pattern`` finds out of ``text``, and limit the search to them."""
    for match in reversed(list(pattern.finditer(text))):
        groups = {name: found.casefold() for name, found in match.groupdict("").items()}
        day = _day(groups, today)
        if day is None or day > today or day.year < OLDEST_YEAR:
            continue
        moment = datetime.combine(day, time(), UTC)
        if groups.get("word") in {"before", "vor"}:
            within = replace(within, before=moment)
        else:
            within = replace(within, since=moment)
        text = f"{text[: match.start()]} {text[match.end() :]}"
    return text, within


def _day(groups: Mapping[str, str], today: date) -> date | None:
    """Return the day at which the named time begins; None if the calendar has no such day."""
    unit = groups.get("units") or groups.get("unit")
    if unit:
        back = int(groups.get("count") or (0 if groups.get("this") else 1))
        return _earlier(today, unit, back, whole=not groups.get("count"))
    if near := groups.get("near"):
        return today - timedelta(days=near in {"yesterday", "gestern"})
    try:
        if name := groups["name"]:
            month, day = _MONTHS[name], int(groups["d3"] or groups["d4"] or 1)
            year = int(groups["y3"] or today.year - ((month, day) > (today.month, today.day)))
            return date(year, month, day)
        return date(*(int(groups[one] or groups[f"{one}2"] or 1) for one in "ymd"))
    except ValueError:
        return None


def _earlier(today: date, unit: str, count: int, *, whole: bool) -> date | None:
    """Return the day ``count`` units ago, or the first day of its ``whole`` week, month or year."""
    if unit in {"day", "tag"}:
        return today - timedelta(days=count)
    if unit in {"week", "woche"}:
        return today - timedelta(days=7 * count + (today.weekday() if whole else 0))
    months = count * (12 if unit in {"year", "jahr"} else 1)
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    if whole:
        return date(year, 1 if unit in {"year", "jahr"} else month + 1, 1)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
