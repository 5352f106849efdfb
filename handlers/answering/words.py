"""The words of a sentence as the support check sees them: stems, numbers, names. Pure."""

import re
from dataclasses import dataclass

from handlers.answering.lexicon import FUNCTION_WORDS, NUMBER_WORDS, SAME, SOFT_WORDS

_TOKEN = re.compile(
    r"(?P<number>[$€£¥]?(?<![\w.])(?:\d{4}-\d\d-\d\d|\d+(?:[.,:/]\d+)*)"
    r"(?:st|nd|rd|th)?(?!\w)[ ]?[%€£¥]?)"
    r"|(?P<word>\w+(?:[’'.&/+-]\w+)*)"
    r"|(?P<stop>[.!?;:,()—–]|\n)"
)
_SUFFIXES = (
    ("ational", "ate"), ("ations", "ate"), ("ation", "ate"), ("ements", ""), ("ement", ""),
    ("ments", ""), ("ment", ""), ("nesses", ""), ("ness", ""), ("ingly", ""), ("edly", ""),
    ("ings", ""), ("ing", ""), ("ies", "y"), ("ied", "y"), ("ions", ""), ("ion", ""),
    ("ally", "al"),
    ("ily", "y"), ("ly", ""), ("als", ""), ("al", ""), ("ers", "er"), ("es", ""), ("ed", ""),
    ("en", ""), ("s", ""), ("n", ""), ("e", ""), ("y", ""),
)  # fmt: skip


_LOOKALIKES = frozenset({"May", "Will"})
"""Names that in lower case are function words; so are acronyms such as IT and US."""


_DOUBLING = frozenset({"ing", "ings", "ed", "en"})
"""Endings before which a consonant is doubled: planned, planning."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or stop. ``stem`` is what is compared; ``at`` counts words before it.

    ``kind`` is "word", "number" or "stop"; ``name`` marks what looks like a proper name or an
    identifier; ``first`` marks the first word of the sentence.
    """

    kind: str
    raw: str
    stem: str
    at: int
    content: bool = False
    soft: bool = False
    name: bool = False
    first: bool = False
    marks: frozenset[str] = frozenset()


def stem(word: str) -> str:
    """Return a crude stem: equal for the inflections of a word, rarely for two words."""
    word = word.casefold().replace("’", "'").removesuffix("'s").strip("'.")
    if word in SAME:
        return SAME[word]
    for _ in range(2):
        for suffix, instead in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3 + (len(suffix) < 2):
                word = word.removesuffix(suffix) + instead
                if suffix in _DOUBLING and word[-1] == word[-2] and word[-1] not in "aeiouls":
                    word = word[:-1]
                break
    return word.removesuffix("e") if len(word) > 3 else word


def tokens(text: str) -> tuple[Token, ...]:
    """Return the words, numbers and stops of a text, in order."""
    text = _without_contractions(text)
    code = [(m.start(), m.end()) for m in re.finditer(r"`[^`]+`", text)]
    found: list[Token] = []
    at = 0
    first = True
    for match in _TOKEN.finditer(text):
        raw = match[0].strip()
        if match["stop"]:
            found.append(Token("stop", raw, raw, at))
            first = first or raw in ".!?\n"
            continue
        in_code = any(low <= match.start() < high for low, high in code)
        number = _number(raw) if match["number"] else None
        if number is not None:
            value, marks = number
            token = Token("number", raw, value, at, content=True, first=first, marks=marks)
        else:
            token = _word(raw, at, first=first, code=in_code)
        found.append(token)
        at += 1
        first = False
    return tuple(found)


def _word(raw: str, at: int, *, first: bool, code: bool) -> Token:
    lower = raw.casefold()
    if lower in NUMBER_WORDS and lower != "one":
        return Token("number", raw, NUMBER_WORDS[lower], at, content=True, first=first)
    inner = any(c.isupper() for c in raw[1:])
    mixed = any(c.isdigit() for c in raw) and any(c.isalpha() for c in raw)
    identifier = mixed or "_" in raw or "/" in raw.strip("/")
    name = raw != "I" and (identifier or code or inner or (raw[0].isupper() and not first))
    if lower in FUNCTION_WORDS and (
        (raw in _LOOKALIKES and not first) or (inner and raw.isupper())
    ):
        return Token("word", raw, raw, at, content=True, name=True)
    content = lower not in FUNCTION_WORDS or ((identifier or code) and len(raw) > 1)
    stemmed = lower if identifier else stem(lower)
    name = name and content
    soft = lower in SOFT_WORDS and not name
    return Token("word", raw, stemmed, at, content, soft, name, first)


def _number(raw: str) -> tuple[str, frozenset[str]]:
    marks = frozenset(c for c in raw if c in "%$€£¥")
    digits = re.sub(r"[%$€£¥\s]|(?:st|nd|rd|th)$", "", raw)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    if re.fullmatch(r"\d+\.\d*0+", digits):
        digits = (
            digits.rstrip("0").rstrip(".")
            if not re.fullmatch(r"\d+\.\d{2}", digits)
            else (digits.removesuffix(".00"))
        )
    return (digits.lstrip("0") or "0" if digits.isdigit() else digits), marks


def _without_contractions(text: str) -> str:
    text = re.sub(r"\b([Cc])an['’]t\b", r"\1an not", text)
    text = re.sub(r"\b([Ww])on['’]t\b", r"\1ill not", text)
    text = re.sub(r"\b([Cc])annot\b", r"\1an not", text)
    return re.sub(r"(\w)n['’]t\b", r"\1 not", text)
