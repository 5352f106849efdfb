"""Where sentences begin and end, as exact spans of the text. Pure.

Written for what company documents hold: prose between lists, tables, code and headings. A line
break is a border unless the lines are hard-wrapped prose; a full stop is one unless the word before
it or the word after it speaks against it. The rules need no language model and run in linear time.
"""

import re
from itertools import pairwise

_NEVER_LAST = frozenset(
    "dr mr mrs ms prof st mt messrs mme mlle rev hon gen col lt sgt capt cmdr gov sen rep"
    " pres supt vs v cf e.g i.e eg ie viz approx ca resp incl excl esp aka a.k.a z.b d.h bzw"
    " ggf usw.z fig figs eq eqs sec sect ch chap vol vols ed eds art para pp pg app appx ref"
    " refs ex tab".split()
)
"""Words whose full stop does not end a sentence, whatever follows."""

_BEFORE_NUMBER = frozenset(
    "no nos nr p jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur"
    " thurs fri sat sun ver max min avg ext tel rel abs".split()
)
"""Words whose full stop does not end a sentence when a number follows: ``No. 5``, ``Jan. 3``."""

_SOMETIMES_LAST = frozenset(
    "etc inc ltd corp co llc plc bros jr sr esq al dept univ assn est u.s u.k u.n e.u u.s.a"
    " d.c a.m p.m b.c a.d ph.d m.d b.a m.a m.sc b.sc ll.m usw gmbh".split()
)
"""Abbreviations that may also end a sentence: it ends only if the next word is an opener."""

_OPENERS = frozenset(
    "the a an this that these those it its he she we you they i there here in on at by for"
    " from to of with without if when while where after before since until because although"
    " however but and or so then thus therefore also as all any each every both some many most"
    " more no not now please see use do does did is are was were can could will would should"
    " may must let note once only our your their his her my what who why how which during"
    " under over unless otherwise instead finally first next such one two another other"
    " others".split()
)
"""Words that open a sentence far more often than they continue a name."""

_CLOSERS = "\"'”’»›)\\]}*_`」』）】》〉"
_TERMINATOR = re.compile(
    rf"(?P<wide>[。！？｡]+[{_CLOSERS}]*)"
    rf"|(?P<mark>(?:\.(?:[ \u00a0]\.){{2,}}|[.!?…‽؟۔।]+)[{_CLOSERS}]*(?:\[\d{{1,3}}\])*)(?=\s|$)"
)
_NEXT_WORD = re.compile(r"\s*([\"'“‘«‹(\[{*_`¿¡「『（【]*)(\S*)")
_LAST_WORD = re.compile(r"[^\s(\[{\"“‘«/—–]+$")
_LIST_MARK = re.compile(r"[ \t]*(?:[-*+•‣▪◦·–]|\d{1,3}[.)]|[A-Za-z]\)|\((?:\d{1,3}|[a-z])\))[ \t]+")
_LINE = re.compile(r"[^\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_CODE = re.compile(r"[{}<>=\\|]|[;,(]$|\(\)|::|->|//|^\s*(?:#|\$|@)|\t")
_LONGEST_WORD = 64
_WRAP = 50
"""Characters from which on a line counts as wrapped rather than short by intent."""


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Return the (start, end) spans of the sentences of ``text``, in order and without overlap.

    A span carries neither the white space around a sentence nor the mark of a list item; every
    other character lies in exactly one span. A heading, a list item, a table row and a line of
    code are sentences of their own.
    """
    spans: list[tuple[int, int]] = []
    for start, end in _stretches(text):
        mark = _LIST_MARK.match(text, start, end)
        if mark and mark.end() < end:
            start = mark.end()
        spans.extend(_split(text, start, end))
    return tuple(spans)


def _stretches(text: str) -> list[tuple[int, int]]:
    """Return lines, and paragraphs of hard-wrapped prose as one stretch each."""
    result: list[tuple[int, int]] = []
    paragraph: list[tuple[int, int]] = []
    for line in _LINE.finditer(text):
        start, end = line.span()
        blank = not line.group().strip()
        adjacent = paragraph and start - paragraph[-1][1] <= len("\r\n")
        if paragraph and (blank or not adjacent or text.count("\n", paragraph[-1][1], start) > 1):
            result.extend(_unwrap(text, paragraph))
            paragraph = []
        if not blank:
            paragraph.append((start, end))
    result.extend(_unwrap(text, paragraph))
    return result


def _unwrap(text: str, lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join the lines of a paragraph if an editor, not an author, broke them.

    The sign of a greedy line breaker: no line could have taken the first word of the next one.
    """
    result: list[tuple[int, int]] = []
    group: list[tuple[int, int]] = []
    for line in lines:
        if group and _LIST_MARK.match(text, *line):
            result.extend(_joined(text, group))
            group = []
        group.append(line)
    if group:
        result.extend(_joined(text, group))
    return result


def _joined(text: str, lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if len(lines) < 2:
        return lines
    rows = [text[start:end].rstrip() for start, end in lines]
    width = max(map(len, rows))
    greedy = all(
        len(row) + 1 + len(following.split(maxsplit=1)[0]) > width
        for row, following in pairwise(rows)
    )
    continued = any(row.lstrip()[:1].islower() for row in rows[1:])
    if width < _WRAP or not greedy or not continued or any(_CODE.search(row) for row in rows):
        return lines
    return [(lines[0][0], lines[-1][1])]


def _split(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Split one stretch at the marks that end a sentence."""
    spans: list[tuple[int, int]] = []
    begin = start
    for match in _TERMINATOR.finditer(text, start, end):
        if match.group("wide") or _ends(text, begin, match.start(), match.end(), end):
            _add(spans, text, begin, match.end())
            begin = match.end()
    _add(spans, text, begin, end)
    return spans


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        spans.append((start, end))


def _ends(text: str, begin: int, mark: int, after: int, end: int) -> bool:
    """Tell whether the mark at ``text[mark:after]`` ends the sentence that began at ``begin``."""
    following = _NEXT_WORD.match(text, after, min(end, after + 2 * _LONGEST_WORD))
    word = following.group(2) if following else ""
    if not word:
        return True
    first = word[0]
    bare = word.rstrip(".,;:!?'\")]}”’")
    if first.islower() and not _is_name(bare):
        return False
    if first in ",;:)]}%&|=+/":
        return False
    if text[mark] != "." or text[mark + 1 : after].lstrip(" \u00a0").startswith("."):
        return True
    if text[mark + 1 : mark + 2] in ('"', "”", "»"):
        return True
    return _full_stop_ends(text, begin, mark, bare)


def _is_name(word: str) -> bool:
    """Tell whether a word in lower case may open a sentence: ``pg_dump``, ``iPhone``, ``boto3``."""
    return (
        any(c.isupper() or c.isdigit() or c in "_/()`" for c in word[1:])
        or "." in word
        or word.startswith("http")
    )


def _full_stop_ends(text: str, begin: int, mark: int, following: str) -> bool:
    before = _LAST_WORD.search(text, max(begin, mark - _LONGEST_WORD), mark)
    word = before.group().lower() if before else ""
    opener = following.lower().split("'")[0].split("’")[0] in _OPENERS and following[:1].isupper()
    if word in _NEVER_LAST:
        return False
    if word in _BEFORE_NUMBER:
        return not following[:1].isdigit()
    if word in _SOMETIMES_LAST:
        return opener
    if len(word) == 1 and word.isalpha():
        return opener
    if re.fullmatch(r"(?:[a-z]\.)+[a-z]", word):
        return opener
    return not (word.isdigit() and begin == mark - len(word))
