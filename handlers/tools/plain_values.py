"""Values that say nothing of where they come from: dates, times, short numbers, common words. Pure.

Half of all texts hold them, so that finding one in a text is chance. Where the name of an argument
says that its value is a target or an amount, this file is not asked.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

_YEAR = r"(?:19|20|21)\d\d"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]?\d|2[0-3])[:.h][0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
_ZONE = r"(?:\s?(?:z|utc|[ap]\.?m\.?|uhr|[+-]\d\d:?\d\d))?"
_DATE = (
    rf"(?:{_YEAR}-{_MONTH}-{_DAY}|{_YEAR}/{_MONTH}/{_DAY}|{_YEAR}[-/]{_YEAR}|{_YEAR}-{_MONTH}"
    rf"|{_DAY}([-./])\s?{_MONTH}\1\s?(?:{_YEAR}|\d\d)?|{_MONTH}/{_DAY}/{_YEAR})"
)
_DATES = re.compile(rf"(?<![\w-]){_DATE}(?:t(?=\d\d:)|(?![\w-]))", re.I)
_MOMENT = re.compile(rf"(?:{_DATE}(?:t|,?\s)?)?(?:{_CLOCK}{_ZONE})?", re.I)
_SHORT_NUMBER = re.compile(r"[+-]?(?:\d{1,4}|\d{1,2}[.,]\d{1,2}|\d{1,3}\.0)\s?%?")
_HOUR: Final = 2
_LONGEST_DATE: Final = 16

_WORDS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag"
    " freitag samstag sonntag january february march july september october november december"
    " januar februar märz juli oktober dezember today tomorrow yesterday heute morgen gestern"
    " daily weekly monthly yearly hourly täglich wöchentlich monatlich jährlich once never always"
    " true false none null default auto open opened closed done todo pending blocked active"
    " inactive high medium normal urgent critical high highest lowest major minor hoch mittel"
    " niedrig offen erledigt meeting task issue question answer note notes message text title"
    " page yes no".split()
)

_AMOUNT = re.compile(r"(?<![\w.,])\d[\d.,'’ ]*(?<=\d)(?!\w)|(?<=[$€£])\d[\d.,'’ ]*(?<=\d)")
_GROUPS = re.compile(r"\d{1,3}(?:([.,'’ ])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?")


def is_plain(value: str) -> bool:
    """Tell whether a value, as it reads, is a date, a time, a short number or a common word."""
    if value in _WORDS or _SHORT_NUMBER.fullmatch(value):
        return True
    return bool(value) and _MOMENT.fullmatch(value) is not None


def is_moment(value: str) -> bool:
    """Tell whether a value, as it reads, is a date, a time or both."""
    return bool(value) and _MOMENT.fullmatch(value) is not None


def is_of_dates(text: str, begins: int, ends: int) -> bool:
    """Tell whether a stretch of digits in a text is dates and no more, an hour aside."""
    rest = text[begins:ends]
    near = _DATES.finditer(text, max(0, begins - _LONGEST_DATE), ends + _LONGEST_DATE)
    for date in reversed(list(near)):
        if date.start() < ends and date.end() > begins:
            cut = (max(0, date.start() - begins), max(0, date.end() - begins))
            rest = f"{rest[: cut[0]]} {rest[cut[1] :]}"
    digits = sum(map(str.isdigit, rest))
    return digits <= _HOUR and rest != text[begins:ends]


def amounts(text: str) -> frozenset[Decimal]:
    """Return the numbers that stand in a text, however a country writes them.

    ``1.250`` may be either, so both are there; ``12.50`` is never 1250.
    """
    found: set[Decimal] = set()
    for match in _AMOUNT.finditer(text):
        whole = match.group()
        found.update(_readings(whole))
        for part in whole.split():
            found.update(_readings(part.strip(".,'’")))
    return frozenset(found)


def amount(value: str) -> Decimal | None:
    """Return the number that a value of a call is, or None: 120 and 120.0 are the same."""
    if not re.fullmatch(r"[+-]?\d{1,15}(?:\.\d{1,6})?", value):
        return None
    return None if re.match(r"[+-]?0\d", value) else Decimal(value)


def _readings(written: str) -> Iterator[Decimal]:
    forms = [written.replace(",", ".")] if len(re.findall(r"[.,]", written)) < 2 else []
    if _GROUPS.fullmatch(written):
        head, mark, tail = written, "", ""
        last = re.search(r"[.,](\d{1,2})$", written)
        if last:
            head, mark, tail = written[: last.start()], ".", last.group(1)
        forms.append(re.sub(r"\D", "", head) + mark + tail)
    for form in forms:
        try:
            yield Decimal(form)
        except InvalidOperation:
            continue
