"""Whether two texts say the same, so that one of them is enough. Pure.

Copies of a page differ in a greeting, a link, a comma. Two pages that share nearly all words may
yet contradict each other in the one that counts, so texts that differ in a number, a name, a
negation or an operator, or in the order of these, are never the same: a reader has to see both.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ALIKE = 0.9
"""Least share of common words, of all words of both texts (Jaccard)."""

_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+(?:['’]\w+)?|[<>=!+\-*/%&|^~$€£]+")
_NEGATION = re.compile(
    r"(?:no|not|never|none|nobody|nothing|neither|nor|without|except|unless|cannot|\w+n['’]t"
    r"|kein\w*|nicht|nie|niemals|nichts|niemand|ohne|außer)"
)


@dataclass(frozen=True, slots=True)
class Wording:
    """A text and its words, each once."""

    text: str
    words: frozenset[str]


def wording(text: str) -> Wording:
    """Return what is compared first of a text."""
    return Wording(text, frozenset(_WORD.findall(text.casefold())))


def says_the_same(one: Wording, other: Wording) -> bool:
    """Tell whether two texts differ in nothing that counts.

    A word counts as a name if it bears a capital letter, also where it only begins a sentence: two
    texts are rather kept both than folded wrongly.
    """
    together = len(one.words | other.words)
    if len(one.words & other.words) < ALIKE * together:
        return False
    if _normalised(one.text) == _normalised(other.text):
        return True
    return bool(together) and _decisive(one.text) == _decisive(other.text)


def first_alike(wanted: Wording, others: Iterable[tuple[str, Wording]]) -> str:
    """Return the name of the first of ``others`` that says the same; empty if none does."""
    return next((name for name, other in others if says_the_same(wanted, other)), "")


def _normalised(text: str) -> str:
    return " ".join(text.split()).casefold()


def _decisive(text: str) -> list[str]:
    return [
        token
        for token in _TOKEN.findall(text)
        if not token[0].isalnum()
        or any(one.isdigit() or one.isupper() for one in token)
        or _NEGATION.fullmatch(token.casefold())
    ]
