"""Nothing reaches a reader as fact unless a verbatim quote of an offered passage supports it. Pure.

The rules, in order:

1. Marks are read (``[1]``, ``[1][3]``, ``[1, 3]``, ``[^2]``, ``【1】``) and taken out of the text;
   a number that was not offered is dropped.
2. Links, images, mentions, HTML and hidden characters are taken out (``cleaning.py``).
3. For each number left, the one or two sentences of that passage that support the sentence best
   are its quote. A number whose passage does not support the sentence is dropped.
4. If none is left, a sentence that joins several cited passages may rest on all their quotes
   together.
5. If none is left still, the sentence may rest on another offered passage that supports it by
   itself, said by the model or not: what counts is that the quote supports it.
6. Else it is cut. Only a lead-in from a closed vocabulary ("Here is how:") stands without a
   footnote.

Footnotes are numbered in the order in which a reader meets them, one a (passage, quote), ten at
most.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise

from bot.conversation import Citation, Sentence
from handlers.answering.cleaning import clean, clean_code
from handlers.answering.quotes import cite
from handlers.answering.sentences import RawSentence
from handlers.answering.support import Reading, check
from index.chunking import sentences
from index.documents import Passage

MOST_FOOTNOTES = 10
MOST_A_SENTENCE = 3
LONGEST_QUOTE = 1500
"""A longer sentence is a broken table or a log, not something a person checks at a glance."""

_WIDE_CLAIM = 7
"""Content words from which a claim may rest on two sentences that merely follow one another."""

_MARK = re.compile(r"\\?\[\^?(\d{1,3}(?:\s*[,;–-]\s*\^?\d{1,3})*)\\?\]|【\^?(\d{1,3})[^】\n]*】")
_CODE_OR_MARK = re.compile(rf"(`+)[^`]+\1|{_MARK.pattern}")
_RANGE = re.compile(r"\^?(\d+)(?:\s*[–-]\s*\^?(\d+))?")
_ANAPHOR = re.compile(
    r"\W*(?:he|she|it|its|they|their|them|this|these|those|that|such|both|here|there|his|her)\b",
    re.I,
)
_LEAD_IN = frozenset(
    "here is are how the a these this following follow steps step to do it so in short summary"
    " brief below details options way ways as follows you can need what know key points overview"
    " for that hier so geht das sind die folgenden schritte".split()
)


class Cut(StrEnum):
    """Why a sentence is not shown."""

    EMPTY = "empty"
    UNCITED = "uncited"
    UNKNOWN_NUMBER = "unknown_number"
    UNSUPPORTED = "unsupported"
    TOO_MANY_FOOTNOTES = "too_many_footnotes"


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence that may be shown, or the reason why not. ``claim`` is false for a lead-in."""

    sentence: Sentence | None
    cut: Cut | None = None
    claim: bool = True


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    reading: Reading
    joined: bool
    bound: bool


class CitationChecker:
    """Checks the sentences of one answer, one after the other, and numbers its footnotes."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = tuple(passages)
        self._known = "\n".join(p.chunk.text for p in passages)
        self._spans = [_spans(p.chunk.text) for p in passages]
        self._contexts = [Reading("\n".join((p.title, *p.chunk.heading_path))) for p in passages]
        self._footnotes: dict[tuple[int, int, int], Citation] = {}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The footnotes so far, numbered 1, 2, 3 ... in order."""
        return tuple(self._footnotes.values())

    def check(self, raw: RawSentence) -> Checked:
        """Return the sentence as it may be shown, or why it may not."""
        if raw.code:
            return self._check_code(raw)
        numbers, text = take_marks(clean(raw.text, self._known))
        if not re.search(r"\w", text):
            return Checked(None, Cut.EMPTY)
        claim = Reading(text)
        offered = [n - 1 for n in numbers if 1 <= n <= len(self._passages)]
        places = self._supporting(claim, offered)
        if not places:
            if is_lead_in(text):
                return Checked(Sentence(text, (), raw.lead), claim=False)
            return Checked(None, _why(numbers, offered))
        return self._show(text, raw.lead, places)

    def _check_code(self, raw: RawSentence) -> Checked:
        """A block of code passes only if an offered passage holds each of its lines."""
        body, _, marks = raw.text.rpartition("\n")
        numbers, _ = take_marks(marks)
        lines = [" ".join(line.split()) for line in body.splitlines() if line.strip()]
        offered = [n - 1 for n in numbers if 1 <= n <= len(self._passages)]
        if not lines:
            return Checked(None, Cut.EMPTY)
        for index in (*offered, *range(len(self._passages))):
            text = self._passages[index].chunk.text
            place = _place_of_lines(text, lines)
            if place is not None:
                shown = f"```\n{clean_code(body)}\n```\n"
                return self._show(shown, raw.lead, [(index, *place)])
        return Checked(None, _why(numbers, offered))

    def _supporting(self, claim: Reading, offered: Sequence[int]) -> list[tuple[int, int, int]]:
        cited = list(dict.fromkeys(offered))
        alone = [place for i in cited if (place := self._best(claim, i)) is not None]
        if alone:
            return alone[:MOST_A_SENTENCE]
        together = self._together(claim, cited)
        if together:
            return together
        others = [i for i in range(len(self._passages)) if i not in cited]
        unasked = [place for i in others if (place := self._best(claim, i)) is not None]
        return unasked[:1]

    def _best(self, claim: Reading, index: int) -> tuple[int, int, int] | None:
        """Return the best supporting span of a passage; a quote already shown wins a tie."""
        context = self._contexts[index]
        best: tuple[float, bool, int] | None = None
        place: tuple[int, int, int] | None = None
        for span in self._spans[index]:
            if span.joined and not span.bound and len(claim.hard) < _WIDE_CLAIM:
                continue
            found = check(claim, span.reading, context)
            if not found.given:
                continue
            shown = (index, span.start, span.end) in self._footnotes
            rank = (round(found.score, 2), shown, span.start - span.end)
            if best is None or rank > best:
                best, place = rank, (index, span.start, span.end)
        return place

    def _together(self, claim: Reading, cited: Sequence[int]) -> list[tuple[int, int, int]]:
        """Return one span of each of two or three cited passages that only jointly support it."""
        if len(cited) < 2 or len(claim.hard) < _WIDE_CLAIM:
            return []
        candidates: list[tuple[int, _Span, frozenset[str]]] = []
        needed = frozenset(t.stem for t in claim.hard)
        for index in cited[:MOST_A_SENTENCE]:
            single = [s for s in self._spans[index] if not s.joined]
            if single:
                best = max(single, key=lambda s: len(s.reading.stems & needed))
                candidates.append((index, best, best.reading.stems & needed))
        for size in (2, 3):
            for group in combinations(candidates, size):
                gives = [g[2] for g in group]
                each_adds = all(
                    len(mine - frozenset().union(*(o for o in gives if o is not mine))) >= 2
                    for mine in gives
                )
                text = "\n".join(self._passages[i].chunk.text[s.start : s.end] for i, s, _ in group)
                context = Reading(
                    "\n".join(
                        part
                        for i, _, _ in group
                        for part in (self._passages[i].title, *self._passages[i].chunk.heading_path)
                    )
                )
                if each_adds and check(claim, Reading(text), context).given:
                    return [(i, s.start, s.end) for i, s, _ in group]
        return []

    def _show(self, text: str, lead: str, places: Iterable[tuple[int, int, int]]) -> Checked:
        numbers: list[int] = []
        for place in places:
            number = self.footnote(*place)
            if number and number not in numbers:
                numbers.append(number)
        if not numbers:
            return Checked(None, Cut.TOO_MANY_FOOTNOTES)
        return Checked(Sentence(text, tuple(sorted(numbers)), lead))

    def footnote(self, index: int, start: int, end: int) -> int:
        """Return the number of the footnote for ``[start, end)`` of a passage, 0 when full."""
        key = (index, start, end)
        if key not in self._footnotes:
            if len(self._footnotes) >= MOST_FOOTNOTES:
                return 0
            number = len(self._footnotes) + 1
            self._footnotes[key] = cite(self._passages[index], start, end, number)
        return self._footnotes[key].number


def take_marks(text: str) -> tuple[list[int], str]:
    """Return the numbers that a text cites, in order, and the text without its marks.

    Marks inside inline code are code and stay.
    """
    numbers: list[int] = []

    def read(found: re.Match[str]) -> str:
        if found[1]:
            return found[0]
        for first, last in _RANGE.findall(found[2] or found[3]):
            low, high = int(first), int(last or first)
            numbers.extend(range(low, min(high, low + 9) + 1))
        return ""

    text = _CODE_OR_MARK.sub(read, text)
    text = re.sub(r"\s+([.,;:!?…。](?:\s|$))", r"\1", text)
    return list(dict.fromkeys(numbers)), re.sub(r"\s{2,}", " ", text).strip()


def is_lead_in(text: str) -> bool:
    """Tell whether a text only announces what follows: a colon, and words of a closed list."""
    words = re.findall(r"\w+", text.casefold())
    return text.rstrip().endswith(":") and 0 < len(words) <= 8 and _LEAD_IN.issuperset(words)


def _why(numbers: Sequence[int], offered: Sequence[int]) -> Cut:
    if offered:
        return Cut.UNSUPPORTED
    return Cut.UNKNOWN_NUMBER if numbers else Cut.UNCITED


def _spans(text: str) -> tuple[_Span, ...]:
    """Return every sentence, and every two that follow one another, that may serve as a quote.

    ``bound``: the second of the two speaks of the first ("He ...", "These ..."), so that both
    together are one statement.
    """
    single = [(a, b) for a, b in sentences(text) if text[a:b].strip()]
    # A question states nothing, however much of a claim stands in it.
    spans = [
        _Span(a, b, Reading(text[a:b]), False, False)
        for a, b in single
        if b - a <= LONGEST_QUOTE and not text[a:b].rstrip().endswith(("?", "？"))
    ]
    for (a, b), (c, d) in pairwise(single):
        if d - a <= LONGEST_QUOTE and not text[a:b].rstrip().endswith("?"):
            bound = bool(_ANAPHOR.match(text[c:d]))
            spans.append(_Span(a, d, Reading(text[a:b] + "\n" + text[c:d]), True, bound))
    return tuple(spans)


def _place_of_lines(text: str, lines: Sequence[str]) -> tuple[int, int] | None:
    """Return the stretch of ``text`` that holds all ``lines`` in order, white space aside."""
    start = end = -1
    at = 0
    for line in lines:
        pattern = r"\s+".join(map(re.escape, line.split()))
        found = re.compile(pattern).search(text, at)
        if found is None:
            return None
        start = found.start() if start < 0 else start
        at = end = found.end()
    return (start, end) if end - start <= LONGEST_QUOTE else None
