"""The words that the prompt agrees on with the model, and what may be shown of what follows. Pure.

    NOT_FOUND                 the passages do not answer
    MISSING: a part           they do not answer this part of the question
    DISAGREE                  the sentences that follow contradict each other
    UNCLEAR: a question?      it cannot be told what is asked

What stands behind MISSING and UNCLEAR rests on no quote, and a passage may have made the model say
it. So it is shown inside a sentence of the bot, in quotation marks, and only if it is short, holds
nothing to follow or to be called by, and says nothing but words of the question and of the titles.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from handlers.answering.cleaning import GONE, clean
from handlers.answering.lexicon import SOFT_WORDS
from handlers.answering.marks import take_marks
from handlers.answering.words import tokens

LONGEST_PART = 160
"""Characters of a part or a question; a longer one is no short line, and none is shown."""

_OPENING = re.compile(
    r"[\s*_`#>\"'-]*(?:(?P<part>MISSING|UNCLEAR)[*_`\"']*\s*(?::|\Z)"
    r"|(?P<alone>DISAGREE)[*_`\"']*\s*(?:[:.]|\n|\Z))"
)
_ASKING = frozenset(
    "mean means meant kind kinds type types sort sorts refer refers referring talk talking exact"
    " exactly meinst meinen meint gemeint art genau sorte".split()
)
"""What a question back says besides the words of the question."""

_SECRETS = re.compile(
    r"pass\s*(?:word|code|phrase|wort)|kennwort|\bpins?\b|tokens?\b|secret|credential|geheim"
    r"|zugangsdaten|\bkeys?\b|schlüssel|\botp\b|card|karte|iban",
    re.I,
)
"""A bot never asks for one, whatever a title says."""


class Agreed(StrEnum):
    """An agreed word."""

    NOT_FOUND = "NOT_FOUND"
    MISSING = "MISSING"
    DISAGREE = "DISAGREE"
    UNCLEAR = "UNCLEAR"


def agreed(text: str) -> tuple[Agreed | None, str]:
    """Return the agreed word that a sentence of the model begins with, and what follows it.

    NOT_FOUND counts only where it is all of the sentence; for any other sentence (None, text).
    """
    letters = re.sub(r"[^A-Za-z]", "", re.sub(r"\[[^\]]*\]", "", text)).upper()
    if letters == "NOTFOUND":
        return Agreed.NOT_FOUND, ""
    opening = _OPENING.match(text)
    if opening is None:
        return None, text
    return Agreed(opening["part"] or opening["alone"]), text[opening.end() :].strip(" \t\n*_:-")


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return what a part or a question back may speak of: the stems of these texts."""
    return frozenset(token.stem for text in texts for token in tokens(text))


def missing_part(text: str, known: frozenset[str]) -> str:
    """Return the part of a question that is missing as it may be shown, or ""."""
    part = _harmless(text).rstrip(" .!?;:")
    return part if part and _speaks_of(part, known) else ""


def question_back(text: str, known: frozenset[str]) -> str:
    """Return the model's question as it may be shown, ending in a question mark, or ""."""
    asked = _harmless(text).rstrip(" .!?;:")
    allowed = known | words_of(_ASKING)
    if not asked or _SECRETS.search(asked) or not _speaks_of(asked, allowed):
        return ""
    return f"{asked}?"


def _harmless(text: str) -> str:
    """Return the text on one line without links, mentions, marks and code; "" if it is long."""
    shown = " ".join(take_marks(clean(text))[1].replace("`", "").split()).strip("\"'“”„«»")
    return shown if len(shown) <= LONGEST_PART and GONE not in shown else ""


def _speaks_of(text: str, known: frozenset[str]) -> bool:
    said = [t for t in tokens(text) if t.content and t.raw.casefold() not in SOFT_WORDS]
    return all(token.stem in known for token in said)
