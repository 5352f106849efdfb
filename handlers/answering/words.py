"""The words of a sentence as the support check sees them: stems, numbers, names. Pure."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from handlers.answering.lexicon import FUNCTION_WORDS, NUMBER_WORDS, SAME, SCALES, SOFT_WORDS

_TOKEN = re.compile(
    r"(?P<number>(?:(?<![^\s(])[-−])?[$€£¥]?(?<![\w.])(?:\d{4}-\d\d-\d\d|\d+(?:[.,:/]\d+)*)"
    r"(?:st|nd|rd|th)?(?!\w)(?:[ ]?[%€£¥])?"
    r"|[-−]?[$€£¥]\d+(?:[.,]\d+)*(?:k|mn?|bn)(?!\w))"
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


_AMOUNT = re.compile(r"(?P<digits>.*?)(?P<scale>k|mn?|bn)?")
_SHORT_SCALES = {"k": 1_000, "m": 1_000_000, "mn": 1_000_000, "bn": 1_000_000_000}
_SPELLINGS = (
    (re.compile(r"is(ation|ations|e|ed|es|ing|er|ers)$"), r"iz\1"),
    (re.compile(r"(?<=[a-z]{3})our(s|ed|ing|ful|al|ite|ites|hood|hoods)?$"), r"or\1"),
    (re.compile(r"(?<=[a-z]{2})tre(s?)$"), r"ter\1"),
    (re.compile(r"programme(s?)$"), r"program\1"),
    (re.compile(r"ogue(s?)$"), r"og\1"),
)
"""British endings that American English spells otherwise."""

_MINUS = re.compile(r"\bminus (?=[$€£¥]?\d)", re.I)
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


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return a crude stem: equal for the inflections of a word, rarely for two words."""
    word = word.casefold().replace("’", "'").removesuffix("'s").strip("'.")
    if word in SAME:
        return SAME[word]
    if len(word) > 4:
        for pattern, american in _SPELLINGS:
            word = pattern.sub(american, word)
    for _ in range(2):
        for suffix, instead in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3 + (len(suffix) < 2):
                word = word.removesuffix(suffix) + instead
                if suffix in _DOUBLING and word[-1] == word[-2] and word[-1] not in "aeiouls":
                    word = word[:-1]
                break
    word = word.removesuffix("e") if len(word) > 3 else word
    return word[:-1] if word.endswith("ll") and len(word) > 4 else word


def tokens(text: str) -> tuple[Token, ...]:
    """Return the words, numbers and stops of a text, in order."""
    text = _MINUS.sub("-", _without_contractions(text))
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
        elif raw.casefold() in SCALES and (scaled := _scaled(found, raw)) is not None:
            found[-1] = scaled
            continue
        else:
            token = _word(raw, at, first=first, code=in_code)
        found.append(token)
        at += 1
        first = False
    return tuple(found)


def _scaled(found: list[Token], scale: str) -> Token | None:
    """Return the number before a scale word with its value in full, or None if none is there."""
    last = found[-1] if found else None
    if last is None or last.kind == "stop" or last.raw.casefold() not in ("a", "one"):
        if last is None or last.kind != "number":
            return None
        value = last.stem
    else:
        value = "1"
    worth = _times(value, SCALES[scale.casefold()])
    if worth is None:
        return None
    return replace(last, kind="number", raw=f"{last.raw} {scale}", stem=worth, content=True)


def _times(value: str, scale: int) -> str | None:
    try:
        worth = Decimal(value.replace(",", "")) * scale
    except InvalidOperation:
        return None
    return f"{worth:f}".rstrip("0").rstrip(".") if "." in f"{worth:f}" else f"{worth:f}"


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
    sign = "-" if raw[0] in "-−" else ""
    digits = re.sub(r"[%$€£¥\s−]|^-|(?:st|nd|rd|th)$", "", raw)
    amount = _AMOUNT.fullmatch(digits)
    if amount and amount["scale"]:
        return sign + (_times(amount["digits"], _SHORT_SCALES[amount["scale"]]) or digits), marks
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    if re.fullmatch(r"\d+\.\d*0+", digits):
        digits = (
            digits.rstrip("0").rstrip(".")
            if not re.fullmatch(r"\d+\.\d{2}", digits)
            else (digits.removesuffix(".00"))
        )
    return sign + (digits.lstrip("0") or "0" if digits.isdigit() else digits), marks


def _without_contractions(text: str) -> str:
    text = re.sub(r"\b[Aa] number of\b", "several", text)
    text = re.sub(r"\b([Cc])an['’]t\b", r"\1an not", text)
    text = re.sub(r"\b([Ww])on['’]t\b", r"\1ill not", text)
    text = re.sub(r"\b([Cc])annot\b", r"\1an not", text)
    return re.sub(r"(?:(?<=\w)| )n['’]t\b", " not", text)
