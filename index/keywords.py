"""Text as the keyword arm sees it: stems, parts of identifiers, pairs of neighbours. Pure.

The index and the question pass through the same analysis, so that the engine only has to compare
tokens. Beside the stems of its words a text holds each two neighbours as one token: a chunk with
"annual leave" beats one with "annual" here and "leave" there. ``getUserName`` is found by its name
and by its parts.
"""

import math
import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import Stemmer  # type: ignore[import-not-found]  # a compiled module without types

from index.documents import Chunk

ANALYSIS = "stems-parts-pairs-1"
"""Names this way of reading text; part of the table's name, so a change makes a new table."""

PAIR_WEIGHT = 0.5
"""What a pair of neighbours counts in a question beside the single words.

nDCG@10 over seven judged sets, keyword arm fused with vectors: .856 with .2, .858 with .5, .857
with 1, .850 without pairs.
"""

TITLE_TIMES = 2
"""How often the title stands in the text: a page about a thing beats one that mentions it."""

LONGEST_TERM = 40
LONGEST_TOKEN = 2 * LONGEST_TERM + 1
"""Characters; hashes and base64 are clipped."""

_STOP_WORDS = frozenset(
    "a about all also an and any are as at be been being but by can could did do does for from"
    " get gets give gives had has have he her his how i if in into is it its many me much my no"
    " not of on or our she should so such tell than that the their then there these they this to"
    " us use used using was we were what when where which who whom whose why will with would you"
    " your".split()
)
_WORD = re.compile(r"\w+")
_PARTS = re.compile(
    r"_+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])"
)
_CHARACTERS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that write no spaces: each character is a word, and pairs make the compounds."""

_local = threading.local()


def terms(text: str) -> list[str]:
    """Return the stems of the words that say what a text is about, in order.

    An identifier gives its whole name and its parts. Words that every text has are left out.
    """
    return [term for name, parts in _words(text) for term in (*name, *parts)]


def pairs(text: str) -> list[str]:
    """Return each two neighbouring stems as one token; what stands between them is left out."""
    stems = [part for _, parts in _words(text) for part in parts]
    return [f"{one}_{other}" for one, other in pairwise(stems)]


def keyword_text(title: str, chunk: Chunk) -> str:
    """Return the tokens of a chunk, parted by spaces: title, heading path, text."""
    text = _searched(title, chunk.heading_path, chunk.text)
    return " ".join((*terms(text), *pairs(text)))


def single_terms(title: str, heading_path: Sequence[str], text: str) -> list[str]:
    """Return those tokens of a chunk that are no pairs."""
    return terms(_searched(title, heading_path, text))


def _searched(title: str, heading_path: Sequence[str], text: str) -> str:
    return "\n".join([*[title] * TITLE_TIMES, " ".join(heading_path), text])


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tokens that a question looks for, each with its weight in (0, 1]."""

    terms: Mapping[str, float]
    pairs: Mapping[str, float]

    def by_weight(self) -> dict[float, list[str]]:
        """Return the tokens of each weight."""
        found: dict[float, list[str]] = {}
        for token, weight in (*self.terms.items(), *self.pairs.items()):
            found.setdefault(weight, []).append(token)
        return found


def wanted(text: str, earlier: Iterable[tuple[str, float]] = ()) -> Wanted:
    """Return what a question looks for. Its own words weigh 1, those of ``earlier`` turns less."""
    weights: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for part, weight in ((text, 1.0), *earlier):
        for found, tokens, each in (
            (weights[0], terms(part), weight),
            (weights[1], pairs(part), weight * PAIR_WEIGHT),
        ):
            for token in tokens:
                found[token] = max(found.get(token, 0.0), each)
    return Wanted(*weights)


def coverage(terms: Mapping[str, float], held: Sequence[frozenset[str]], total: int) -> list[float]:
    """Return for each chunk the share of the wanted ``terms`` that it holds, in [0, 1].

    Rare tokens count more, by BM25's inverse document frequency over ``total`` chunks, where the
    chunks given stand for all that hold a token: true of rare ones, and common ones weigh little.
    """
    counts = {token: sum(token in one for one in held) for token in terms}
    worth = {
        token: weight * math.log1p(max(total - counts[token] + 0.5, 0.5) / (counts[token] + 0.5))
        for token, weight in terms.items()
    }
    whole = sum(worth.values())
    if not whole:
        return [0.0] * len(held)
    # In one order, whatever that of a set is: equal chunks have equal shares, to the last bit.
    return [sum(worth[token] for token in worth if token in one) / whole for one in held]


def _words(text: str) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield for each word its name, if it is an identifier, and the stems of its parts."""
    for match in _WORD.finditer(_CHARACTERS.sub(r" \g<0> ", _unaccented(text))):
        word = match[0]
        # Words recur, but for the long ones, which would fill the memory of those that do.
        yield _known_word(word) if len(word) <= LONGEST_TERM else _word(word)


def _word(word: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    stem = _stemmer().stemWord
    parts = [part for part in _PARTS.split(word) if part]
    name = (word.strip("_").casefold()[:LONGEST_TERM],) if len(parts) > 1 else ()
    stems = (
        stem(part.casefold()[:LONGEST_TERM])
        for part in parts
        # IT, US and WHO are no stop words.
        if part.casefold() not in _STOP_WORDS or (len(part) > 1 and part.isupper())
    )
    return name, tuple(stems)


_known_word = lru_cache(maxsize=50_000)(_word)


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    return "".join(
        c
        for one in text
        for c in (unicodedata.normalize("NFKD", one) if not _CHARACTERS.match(one) else one)
        if not unicodedata.combining(c)
    )


def _stemmer() -> Any:
    # One of these must not be used by two threads at once.
    if not hasattr(_local, "stemmer"):
        _local.stemmer = Stemmer.Stemmer("english")
    return _local.stemmer
