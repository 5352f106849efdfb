"""Makes everything in a text visible that deceives the eye. Pure; nothing is lost or hidden.

A character that cannot be seen, changes the direction of others, or passes for another one is shown
as its code point, ``‹U+202E›``. Letters that run from right to left stand between ``‹RTL›`` and
``‹LTR›``, which keeps the order of everything around them. Where the text itself holds what looks
like such a sign, its ``‹`` is shown as a code point, so that no text can imitate one and what was
there can be read back exactly.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache

_PLAIN = re.compile(r"[\n\x20-\x7e]*")
_SIGN = re.compile("‹(?=U\\+|RTL|LTR)")
_WORD = re.compile(r"[^\W\d_]+")
_EMOJI_LOOK = "\ufe0f"
_TOKEN = re.compile(r"[^\s\"'<>(),;{}\[\]]+")
_FROM_THE_RIGHT = (
    "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff"
)
_RIGHT_TO_LEFT = re.compile(f"[{_FROM_THE_RIGHT}](?:[ .,!?-]*[{_FROM_THE_RIGHT}])*")

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Me"})
_UNSEEN = re.compile(
    "[\u0300-\u036f\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\u2800\u3164\ufe00-\ufe0f\ufe20-\ufe2f\uffa0\U000e0100-\U000e01ef]"
)
"""Marks that join what stands before them, selectors of a variant, and letters without a shape."""

_LIKE_PUNCTUATION = frozenset("\u2010\u2011\u2212\u2215\u2044\u29f8\u2024\u0589\u2236\ua789\u02d0")
_LIKE_LATIN = frozenset("асеорхуѕіјһԁԛԝӏѵАВСЕНІЈКМОРЅТХУԜӀԚοναιρυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧօոսհ")
_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
)


def made_visible(text: str) -> str:
    """Return ``text`` with everything that deceives the eye made visible; line breaks are kept."""
    if _PLAIN.fullmatch(text):
        return text
    shown = conspicuous(text)
    turns = [found.span() for found in _RIGHT_TO_LEFT.finditer(text)]
    before = {start: "‹RTL›" for start, _ in turns} | {end: "‹LTR›" for _, end in turns}
    out: list[str] = []
    for at, character in enumerate(text):
        out.append(before.get(at, ""))
        out.append(code_point(character) if at in shown else character)
    return "".join(out) + before.get(len(text), "")


def conspicuous(text: str) -> frozenset[int]:
    """Return the positions of the characters that are to be shown as code points."""
    if _PLAIN.fullmatch(text):
        return frozenset()
    return frozenset(
        [
            *(at for at, letter in enumerate(text) if _deceives(letter) and not _dresses(text, at)),
            *(found.start() for found in _SIGN.finditer(text)),
            *_foreign_letters(text),
        ]
    )


def code_point(character: str) -> str:
    """Return the sign that stands for a character."""
    return f"‹U+{ord(character):04X}›"


@cache
def _deceives(character: str) -> bool:
    """Tell whether a character cannot be seen, or passes for one of ASCII wherever it stands."""
    if "\x20" <= character <= "\x7e" or character == "\n":
        return False
    category = unicodedata.category(character)
    if category in _UNSEEN_CATEGORIES or _UNSEEN.match(character):
        return True
    if character in _LIKE_PUNCTUATION:
        return True
    plain = unicodedata.normalize("NFKC", character)
    return len(plain) == 1 and plain.isascii() and category != "No"


def _dresses(text: str, at: int) -> bool:
    """Tell whether the selector at this place only asks for the picture of the symbol before it."""
    if text[at] != _EMOJI_LOOK or at == 0:
        return False
    return unicodedata.category(text[at - 1]) == "So"


def _foreign_letters(text: str) -> Iterator[int]:
    """Yield the letters of another script inside a word, and words that only look Latin.

    Such a word is left alone in prose of its own script, where it may well be a real one.
    """
    words = list(_WORD.finditer(text))
    scripts = {word.start(): Counter(filter(None, map(_script, word.group()))) for word in words}
    prose = {
        script
        for word in words
        if not _LIKE_LATIN.issuperset(word.group())
        for script in scripts[word.start()]
        if len(scripts[word.start()]) == 1
    }
    compounds = [token.span() for token in _TOKEN.finditer(text)]
    place = 0
    for word in words:
        while compounds[place][1] < word.end():
            place += 1
        kinds = scripts[word.start()]
        letters = enumerate(word.group(), start=word.start())
        if len(kinds) > 1 and not any(kinds.keys() <= allowed for allowed in _TOGETHER):
            own = "LATIN" if "LATIN" in kinds else kinds.most_common(1)[0][0]
            yield from (at for at, letter in letters if _script(letter) not in ("", own))
        elif _LIKE_LATIN.issuperset(word.group()):
            alone = word.span() == compounds[place]
            if not alone or (len(word.group()) > 2 and not kinds.keys() <= prose):
                yield from (at for at, _ in letters)


@cache
def _script(letter: str) -> str:
    """Return the script of a letter, "" for what is none or belongs to every script."""
    if letter == "µ" or not unicodedata.category(letter).startswith("L"):
        return ""
    script = unicodedata.name(letter, "UNNAMED").partition(" ")[0]
    return "CJK" if script == "IDEOGRAPHIC" else script
