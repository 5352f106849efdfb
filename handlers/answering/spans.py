"""The stretches of a passage that may be shown as a quote. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from handlers.answering.reading import Reading
from index.chunking import sentences

LONGEST_QUOTE = 1500
"""A longer sentence is a broken table or a log, not something a person checks at a glance."""

_ANAPHOR = re.compile(
    r"\W*(?:he|she|it|its|they|their|them|this|these|those|that|such|both|here|there|his|her)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]`` of a passage, read. ``joined``: it is two sentences.

    ``bound``: the second of the two speaks of the first ("He ...", "These ..."), so that both
    together are one statement.
    """

    start: int
    end: int
    reading: Reading
    joined: bool
    bound: bool


def spans(text: str) -> tuple[Span, ...]:
    """Return every sentence, and every two that follow one another, that may serve as a quote."""
    single = [(a, b) for a, b in sentences(text) if text[a:b].strip()]
    # A question states nothing, however much of a claim stands in it.
    found = [
        Span(a, b, Reading(text[a:b]), False, False)
        for a, b in single
        if b - a <= LONGEST_QUOTE and not _asks(text[a:b])
    ]
    for (a, b), (c, d) in pairwise(single):
        if d - a <= LONGEST_QUOTE and not _asks(text[a:b]) and not _asks(text[c:d]):
            bound = bool(_ANAPHOR.match(text[c:d]))
            found.append(Span(a, d, Reading(text[a:b] + "\n" + text[c:d]), True, bound))
    return tuple(found)


def place_of_lines(text: str, lines: Sequence[str]) -> tuple[int, int] | None:
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


def _asks(sentence: str) -> bool:
    return sentence.rstrip(" \n\t\"'”’»)*_").endswith(("?", "？"))
