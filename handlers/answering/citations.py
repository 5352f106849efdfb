"""Nothing reaches a reader as fact unless a verbatim quote of an offered passage supports it. Pure.

The rules, in order:

1. Marks are read (``marks.py``) and taken out of the text; a number that was not offered is
   dropped.
2. Links, images, mentions, HTML and hidden characters are taken out (``cleaning.py``).
3. For each number left, the one or two sentences of that passage that support the sentence best
   are its quote. A number whose passage does not support the sentence is dropped.
4. If none is left, a sentence that joins several cited passages may rest on all their quotes
   together.
5. If none is left still, the sentence may rest on another offered passage that supports it by
   itself, said by the model or not: what counts is that the quote supports it.
6. With an entailment model, what words support must not be contradicted, and what words leave in
   doubt may be vouched for (``entailment.py``).
7. Else it is cut. Only a lead-in from a closed vocabulary ("Here is how:") stands without a
   footnote.

Footnotes are numbered in the order in which a reader meets them, one a (passage, quote), ten at
most.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import combinations

from bot.conversation import Citation, Sentence
from handlers.answering.cleaning import clean, clean_code
from handlers.answering.entailment import MOST_ASKED, Entailment
from handlers.answering.lexicon import ANAPHORS
from handlers.answering.marks import plain_marks, take_marks
from handlers.answering.quotes import cite
from handlers.answering.sentences import RawSentence
from handlers.answering.spans import Span, place_of_lines, spans
from handlers.answering.support import Reading, check, in_doubt
from index.documents import Passage

__all__ = ["MOST_FOOTNOTES", "Checked", "CitationChecker", "Cut", "is_lead_in", "take_marks"]

MOST_FOOTNOTES = 10
MOST_A_SENTENCE = 3
_WIDE_CLAIM = 7
"""Content words from which a claim may rest on two sentences that merely follow one another."""

_JOINT = re.compile(r"\s*(?:;|,? (?:and|but|while|whereas)\b)\s+(?![\d€$£])")
_LEAST_HALF = 3
MOST_JOINTS = 6
"""Places at which one sentence is tried as two."""

_SUBJECTS = frozenset("the a an this these you we they he she it there each every all its".split())
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


Place = tuple[int, int, int]
"""A quote: the place of its passage among those offered, and where it starts and ends there."""


class CitationChecker:
    """Checks the sentences of one answer, one after the other, and numbers its footnotes."""

    def __init__(self, passages: Sequence[Passage], entailment: Entailment | None = None) -> None:
        """``entailment`` gives a second opinion; with it ``check`` blocks and may raise.

        What it raises is EntailmentUnavailable.
        """
        self._passages = tuple(passages)
        self._entailment = entailment
        self._known = "\n".join(p.chunk.text for p in passages)
        # Reading a passage costs milliseconds, and most are never asked for.
        self._spans = cache(lambda index: spans(self._passages[index].chunk.text))
        self._context = cache(lambda index: _context_of(self._passages[index]))
        self._footnotes: dict[Place, Citation] = {}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The footnotes so far, numbered 1, 2, 3 ... in order."""
        return tuple(self._footnotes.values())

    def check(self, raw: RawSentence) -> Checked:
        """Return the sentence as it may be shown, or why it may not."""
        if raw.code:
            return self._check_code(raw)
        numbers, text = take_marks(clean(plain_marks(raw.text), self._known))
        if not re.search(r"\w", text):
            return Checked(None, Cut.EMPTY)
        claim = Reading.of_claim(text)
        offered = [n - 1 for n in numbers if 1 <= n <= len(self._passages)]
        places = self._supporting(claim, offered) or self._in_parts(text, offered)
        if self._entailment:
            places = self._confirmed(text, claim, places, offered)
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
            place = place_of_lines(text, lines)
            if place is not None:
                shown = f"```\n{clean_code(body)}\n```\n"
                return self._show(shown, raw.lead, [(index, *place)])
        return Checked(None, _why(numbers, offered))

    def _supporting(self, claim: Reading, offered: Sequence[int]) -> list[Place]:
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

    def _best(self, claim: Reading, index: int) -> Place | None:
        """Return the best supporting span of a passage; a quote already shown wins a tie."""
        context = self._context(index)
        best: tuple[float, bool, int] | None = None
        place: Place | None = None
        for span in self._spans(index):
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

    def _confirmed(
        self, text: str, claim: Reading, places: list[Place], offered: Sequence[int]
    ) -> list[Place]:
        """Return the places that words and model agree on."""
        assert self._entailment is not None
        if places:
            pairs = [(self._passages[i].chunk.text[a:b], text) for i, a, b in places]
            return [] if any(j.refuses for j in self._entailment.judge(pairs)) else places
        doubtful = [
            (found.score, (i, span.start, span.end))
            for i in dict.fromkeys(offered or range(len(self._passages)))
            for span in self._spans(i)
            if (found := in_doubt(claim, span.reading, self._context(i))).given
        ]
        asked = [place for _, place in sorted(doubtful, reverse=True)[:MOST_ASKED]]
        pairs = [(self._passages[i].chunk.text[a:b], text) for i, a, b in asked]
        judged = zip(self._entailment.judge(pairs), asked, strict=True) if pairs else ()
        sure = [(j.entailment, place) for j, place in judged if j.vouches]
        return [max(sure)[1]] if sure else []

    def _in_parts(self, text: str, offered: Sequence[int]) -> list[Place]:
        """Return a quote for each half of a sentence that joins two statements, or nothing.

        A second half without a subject of its own ("... and is kept for a year") takes that of the
        first, so its quote must speak of the same.
        """
        cited = list(dict.fromkeys(offered))[:MOST_A_SENTENCE]
        for joint in list(_JOINT.finditer(text))[:MOST_JOINTS]:
            first, second = Reading.of_claim(text[: joint.start()]), Reading(text[joint.end() :])
            if min(len(first.hard), len(second.hard)) < _LEAST_HALF:
                continue
            for place in (p for i in cited if (p := self._best(first, i))):
                others = [p for i in cited if (p := self._best(second, i))]
                for other in others:
                    if self._of_one_subject(first, second, other):
                        return [place] if place == other else [place, other]
        return []

    def _of_one_subject(self, first: Reading, second: Reading, place: Place) -> bool:
        """Tell whether a half names its subject itself, or its quote has that of the first half."""
        if second.raw[0] in _SUBJECTS or second.words[0].name:
            return True
        index, start, end = place
        quoted = Reading(self._passages[index].chunk.text[start:end])
        return quoted.raw[0] in ANAPHORS or first.hard[0].stem in quoted.stems

    def _together(self, claim: Reading, cited: Sequence[int]) -> list[Place]:
        """Return one span of each of two or three cited passages that only jointly support it."""
        if len(cited) < 2 or len(claim.hard) < _WIDE_CLAIM:
            return []
        candidates: list[tuple[int, Span, frozenset[str]]] = []
        needed = frozenset(t.stem for t in claim.hard)
        for index in cited[:MOST_A_SENTENCE]:
            single = [s for s in self._spans(index) if not s.joined]
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

    def _show(self, text: str, lead: str, places: Iterable[Place]) -> Checked:
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


def is_lead_in(text: str) -> bool:
    """Tell whether a text only announces what follows: a colon, and words of a closed list."""
    words = re.findall(r"\w+", text.casefold())
    return text.rstrip().endswith(":") and 0 < len(words) <= 8 and _LEAD_IN.issuperset(words)


def _context_of(passage: Passage) -> Reading:
    return Reading("\n".join((passage.title, *passage.chunk.heading_path)))


def _why(numbers: Sequence[int], offered: Sequence[int]) -> Cut:
    if offered:
        return Cut.UNSUPPORTED
    return Cut.UNKNOWN_NUMBER if numbers else Cut.UNCITED
