"""Which sentences may be quoted, and which of them together make an answer. Pure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from handlers.answering.content import content_stems
from index.chunking import sentences
from index.documents import Passage

MOST_SENTENCES = 120
"""Bounds the work for one question; eight passages of 120 words have about fifty."""

MOST_FOOTNOTES = 3
MOST_QUOTED = 5
MOST_WORDS = 120
"""Words of all quotes together; the best sentence is quoted however long it is."""

RELATIVE = 0.4
"""A further sentence is quoted only if it is at least so probable, measured by the best one.

With .3, .4 and .5 the quotes hold the answer to .855, .850 and .834 of SQuAD's questions (433 of
them, in 84, 76 and 66 words), and citation F1 on ClapNQ is .582, .586 and .588.
"""

_SHORTEST_WORDS = 4
_LONGEST = 700
_POINTER = re.compile(
    r"\W*(?:see also|see|read more|learn more|more information|for more (?:information|details)"
    r"|related (?:topics|pages|links)|next steps?|back to|table of contents|siehe auch)\b",
    re.I,
)
_CODE = re.compile(r"^\s*(?:[$>#]|```|\||[{}<>])|[{};]\s*$|=>|::|\(\)|</|^\s*\w+\s*[=:]\s*\S+$")
_ANAPHOR = re.compile(
    r"\W*(?:he|she|it|its|they|their|them|this|these|those|that|such|both|then|however|also"
    r"|otherwise|in (?:this|that) case)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that may be quoted: ``place`` counts the sentences of its passage."""

    passage: int
    place: int
    start: int
    end: int
    text: str
    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class Quote:
    """Sentences of one passage that stand together, in reading order, under one footnote."""

    passage: int
    spans: tuple[tuple[int, int], ...]


def quotable(passages: Sequence[Passage]) -> list[Sentence]:
    """Return the sentences that may be quoted: prose, once each."""
    found: list[Sentence] = []
    for index, passage in enumerate(passages):
        chunk = passage.chunk
        headings = {" ".join(h.casefold().split()) for h in (*chunk.heading_path, passage.title)}
        for place, (start, end) in enumerate(sentences(chunk.text)):
            text = " ".join(chunk.text[start:end].split())
            if not _is_prose(text) or text.casefold().strip("#* ") in headings:
                continue
            stems = content_stems(text)
            if any(_alike(stems, other.stems) for other in found):
                continue
            found.append(Sentence(index, place, start, end, text, stems))
            if len(found) == MOST_SENTENCES:
                return found
    return found


def chosen(log_odds: Sequence[float], offered: Sequence[Sentence]) -> list[int]:
    """Return which of the offered sentences answer together, the best first.

    They are taken in the order of their log-odds, as long as each is ``RELATIVE`` as probable as
    the best; one that would make the answer too long, or need a fourth footnote, is passed over.
    """
    order = sorted(range(len(offered)), key=lambda i: -log_odds[i])
    best = _probability(log_odds[order[0]])
    taken: list[int] = []
    words = 0
    for i in order:
        if len(taken) == MOST_QUOTED:
            break
        if _probability(log_odds[i]) < RELATIVE * best:
            break
        length = len(offered[i].text.split())
        together = [offered[j] for j in (*taken, i)]
        if taken and (words + length > MOST_WORDS or _runs(together) > MOST_FOOTNOTES):
            continue
        taken.append(i)
        words += length
    return taken


def grouped(
    picked: Sequence[int], offered: Sequence[Sentence], passages: Sequence[Passage]
) -> list[Quote]:
    """Join neighbours of one passage; keep the quote with the best sentence in front.

    A sentence that points back ("He approves ...") brings the one before it along.
    """
    places: dict[int, set[int]] = {}
    for i in picked:
        sentence = offered[i]
        held = places.setdefault(sentence.passage, set())
        held.add(sentence.place)
        if sentence.place and _ANAPHOR.match(sentence.text):
            held.add(sentence.place - 1)
    quotes: list[Quote] = []
    for passage, held in places.items():
        spans = sentences(passages[passage].chunk.text)
        for _, run in groupby(enumerate(sorted(held)), key=lambda pair: pair[1] - pair[0]):
            quotes.append(Quote(passage, tuple(spans[place] for _, place in run)))
    first = offered[picked[0]]

    def holds_best(quote: Quote) -> bool:
        return quote.passage == first.passage and (first.start, first.end) in quote.spans

    return sorted(quotes, key=lambda quote: not holds_best(quote))


def _runs(together: Sequence[Sentence]) -> int:
    places = {(one.passage, one.place) for one in together}
    return sum((passage, place - 1) not in places for passage, place in places)


def _probability(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))


def _is_prose(text: str) -> bool:
    words = re.findall(r"[^\W\d_]{2,}", text)
    letters = sum(c.isalpha() or c.isspace() for c in text)
    return (
        len(words) >= _SHORTEST_WORDS
        and len(text) <= _LONGEST
        and letters >= 0.7 * len(text)
        and not text.endswith(("?", ":"))
        and not _POINTER.match(text)
        and not _CODE.search(text)
        and not text.lstrip().startswith("#")
    )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= 0.9 * max(len(one | other), 1)
