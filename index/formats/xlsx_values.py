"""Numbers of a workbook as people see them: the format of a cell makes a date of 46024."""

import re
from datetime import datetime, timedelta
from enum import Enum

from index.formats.xml_events import Attributes, attribute, walk


class Kind(Enum):
    """What the format of a cell makes of its number."""

    NUMBER = 0
    DATE = 1
    TIME = 2
    PERCENT = 3


# Formats that a file need not define (ECMA-376, part 1, 18.8.30).
_BUILT_IN = {
    **dict.fromkeys((9, 10), Kind.PERCENT),
    **dict.fromkeys((14, 15, 16, 17, 22), Kind.DATE),
    **dict.fromkeys((18, 19, 20, 21, 45, 46, 47), Kind.TIME),
}
_LITERAL = re.compile(r'"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]|_.|\*.', re.IGNORECASE)
_DAY = re.compile(r"[yd]", re.IGNORECASE)
_CLOCK = re.compile(r"[hs]", re.IGNORECASE)
_LAST_DAY = 2_958_465
"""31 December 9999, the last day that Excel knows."""


def kinds_of_styles(content: bytes) -> list[Kind]:
    """Return the kind of each cell style of ``xl/styles.xml``, by number; it may be empty."""
    custom: dict[str, Kind] = {}
    kinds: list[Kind] = []
    inside = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal inside
        number = attribute(attributes, "numFmtId")
        if name == "numFmt":
            custom[number] = _kind(attribute(attributes, "formatCode"))
        elif name == "cellXfs":
            inside = True
        elif name == "xf" and inside:
            built_in = _BUILT_IN.get(int(number), Kind.NUMBER) if number.isdecimal() else None
            kinds.append(custom.get(number, built_in or Kind.NUMBER))

    def end(name: str) -> None:
        nonlocal inside
        inside = inside and name != "cellXfs"

    if content:
        walk(content, start, end)
    return kinds


def shown(text: str, kind: Kind, *, from_1904: bool) -> str:
    """Return a stored number as a person reads it; what is no number stays as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    if kind is Kind.PERCENT:
        return f"{number * 100:.12g} %"
    if kind in (Kind.DATE, Kind.TIME) and 0 <= number <= _LAST_DAY:
        return _moment(number, kind, from_1904)
    return f"{number:.15g}"


def _kind(code: str) -> Kind:
    code = _LITERAL.sub("", code)
    if _DAY.search(code):
        return Kind.DATE
    if _CLOCK.search(code):
        return Kind.TIME
    return Kind.PERCENT if "%" in code else Kind.NUMBER


def _moment(number: float, kind: Kind, from_1904: bool) -> str:
    # Excel counts a 29 February 1900 that never was, so that its days begin one earlier.
    first = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)
    try:
        moment = first + timedelta(seconds=round(number * 86_400))
    except OverflowError:
        return f"{number:.15g}"
    if kind is Kind.TIME and number < 1:
        return f"{moment:%H:%M:%S}".removesuffix(":00")
    day = f"{moment.year:04}-{moment:%m-%d}"
    return day if number == int(number) else f"{day} {moment:%H:%M:%S}".removesuffix(":00")
