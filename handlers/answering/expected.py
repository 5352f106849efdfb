"""What kind of thing a question asks for, and whether a sentence shows such a thing. Pure.

Closed lists for English and German. A question in another language, or of another kind, expects
nothing: then every sentence counts the same, and nothing is lost.
"""

import re
from enum import Enum

from handlers.answering.content import content_stems


class Expected(Enum):
    """The kind of answer that the words of a question call for."""

    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    REASON = "reason"


_ASKED = (
    (
        Expected.NUMBER,
        r"how (?:many|much|long|old|often|far|large|big|tall|fast|high|soon|late)\b|population\b"
        r"|what (?:number|percent\w*|amount|share|age)\b|wie ?(?:viel\w*|lange?|oft|hoch)\b",
    ),
    (
        Expected.DATE,
        r"when\b|(?:what|which) (?:year|date|century|decade|month|day|time|period)\b"
        r"|(?:ab|bis|seit)? ?wann\b",
    ),
    (
        Expected.NAME,
        r"who(?:se|m)?\b|where\b|we[rnm]\b|wo\b|(?:what|which) (?:person|man|woman|king|emperor"
        r"|leader|author|president|general|country|city|state|place|region|river|continent|area"
        r"|town)\b",
    ),
    (Expected.REASON, r"why\b|reasons?\b|causes?\b|warum\b|weshalb\b"),
)
_QUESTIONS = tuple((kind, re.compile(rf"\b(?:{words})", re.I)) for kind, words in _ASKED)

_SHOWN = {
    Expected.NUMBER: re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty"
        r"|forty|fifty|hundred|thousand|million|billion|half|third|dozen|twice|once|several|many"
        r"|percent|most|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|hundert|tausend"
        r"|hälfte|prozent)\b",
        re.I,
    ),
    Expected.DATE: re.compile(
        r"\b\d{3,4}s?\b|\b\d+(?:st|nd|rd|th)\b|\bcentur|\bjahrhundert"
        r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day"
        r"|\b(?:day|week|month|year|hour|minute|decade)s?\b"
        r"|\b(?:tage?|wochen?|monate?|jahre?|stunden?|minuten?)\b"
        r"|\b(?:january|february|march|april|may|june|july|august|september|october|november"
        r"|december|januar|februar|märz|mai|juni|juli|oktober|dezember)\b",
        re.I,
    ),
    Expected.REASON: re.compile(
        r"\b(?:because|since|due to|so that|in order|therefore|reasons?|cause[ds]?|result|led to"
        r"|as a|weil|da|denn|wegen|deshalb)\b",
        re.I,
    ),
}
_CAPITALISED = re.compile(r"\b[A-ZÄÖÜ][\w’'-]+")


def expected(question: str) -> Expected | None:
    """Return what a question asks for, or None if its words do not tell."""
    return next((kind for kind, words in _QUESTIONS if words.search(question)), None)


def shows(kind: Expected | None, sentence: str, asked: frozenset[str]) -> float:
    """Return 1.0 if a sentence shows what is expected, 0.0 if not, 0.5 if nothing is.

    ``asked`` holds the stems of the question: a name that it brings itself is no answer.
    """
    if kind is None:
        return 0.5
    if kind is Expected.NAME:
        names = _CAPITALISED.findall(sentence[1:])
        return float(any(not content_stems(name) <= asked for name in names))
    return float(bool(_SHOWN[kind].search(sentence)))
