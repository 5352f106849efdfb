"""The words of a text that say what it is about, and what each is worth. Pure."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from handlers.answering.lexicon import FUNCTION_WORDS, SOFT_WORDS
from handlers.answering.words import stem
from index.documents import Passage

_EMPTY_WORDS = FUNCTION_WORDS | SOFT_WORDS
_POSSESSIVE = re.compile(r"['’]s\b")
_WORD = re.compile(r"\w+(?:[-.]\w+)*")


def content_stems(text: str) -> frozenset[str]:
    """Return the stems of the words of a text that say what it is about."""
    words = _WORD.findall(_POSSESSIVE.sub("", text.casefold()))
    return frozenset(stem(w) for w in words if w not in _EMPTY_WORDS and len(w) > 1)


def title_stems(passage: Passage) -> frozenset[str]:
    """Return the stems of title and headings of a passage."""
    return content_stems(" ".join((passage.title, *passage.chunk.heading_path)))


def worths(asked: Iterable[str], sentences: Sequence[frozenset[str]]) -> dict[str, float]:
    """Return what each asked stem is worth: more, the fewer of the sentences hold it.

    BM25's inverse document frequency, with the sentences that were found standing for all text.
    """
    total = len(sentences)
    counts = {word: sum(word in one for one in sentences) for word in asked}
    return {word: math.log1p((total - n + 0.5) / (n + 0.5)) for word, n in counts.items()}


def share(worth: Mapping[str, float], held: frozenset[str]) -> float:
    """Return the share of the worth of all asked stems that ``held`` has, in [0, 1]; 0.5 of none.

    The shares of the words of a question without content are unknown, so they count as half.
    """
    whole = sum(worth.values())
    if not whole:
        return 0.5
    return sum(value for word, value in worth.items() if word in held) / whole
