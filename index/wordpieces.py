"""How many word pieces a text will be, without a tokenizer. Pure.

The embedder reads 256 pieces of its English vocabulary of 30,522 and drops the rest in silence. The
estimate leans upwards; it was fitted on English manuals, source code, and eleven other languages
(``tests/index/test_chunking.py`` holds it against the real tokenizer).
"""

import re
import unicodedata
from functools import lru_cache

_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\sA-Za-z0-9]")
_WORD = re.compile(r"[A-Za-z]+")
_CONSONANTS = re.compile(r"[b-df-hj-np-tv-xz]{5}", re.IGNORECASE)
_ACCENTED = re.compile(r"[^\W\d_A-Za-z]")
_VOWELS = frozenset("aeiouyAEIOUY")
_ENGLISH = frozenset(
    "the of and to in a is that for it as with on be are this by or an from not you can at if has"
    " have was which when will your all use more but one their its than other into only any"
    " also".split()
)
_ENGLISH_SHARE = 0.15
"""Share of these words above which a stretch is English prose; it is about 0.35 in manuals."""

_IDENTIFIERS, _FOREIGN = 0.45, 0.55
"""Pieces a letter where the text is not English: in plain letters, and with accents among them."""

_CODES = 0.6
"""Pieces a letter in runs of capitals such as ECDHE."""


def estimated(text: str) -> float:
    """Return about how many word pieces ``text`` will be, rather too many than too few."""
    letter = _price_of_a_letter(text)
    return sum(_pieces(run, letter) for run in _RUN.findall(text))


def clipped(text: str, pieces: float) -> str:
    """Return a long beginning of ``text``, in whole words if it has any, within ``pieces``."""
    kept = _clipped(text, pieces, _price_of_a_letter(text))
    # The beginning alone may look less English than the whole, and then counts for more.
    return kept if estimated(kept) <= pieces else _clipped(text, pieces, _FOREIGN)


def _clipped(text: str, pieces: float, letter: float) -> str:
    total = 0.0
    for run in _RUN.finditer(text):
        total += _pieces(run.group(), letter)
        if total > pieces:
            return _before(text, run.start(), run.end(), pieces)
    return text


def _before(text: str, cut: int, end: int, pieces: float) -> str:
    """Cut at the last space before ``cut``, or inside a word that fills the room by itself."""
    border = text.rfind(" ", cut // 2, cut)
    if border > 0:
        return text[:border].rstrip()
    return text[: cut or min(end, int(pieces))].rstrip()


def _price_of_a_letter(text: str) -> float:
    """Return pieces a letter, or 0 for English prose, where words count rather than letters."""
    words = _WORD.findall(text)
    if sum(word.lower() in _ENGLISH for word in words) >= _ENGLISH_SHARE * len(words):
        return 0.0
    return _FOREIGN if _ACCENTED.search(text) else _IDENTIFIERS


def _pieces(run: str, letter: float) -> float:
    size = len(run)
    if not run.isascii():
        return _letters(run)
    if run.isdigit():
        return max(1.0, 0.65 * size)
    if size <= 2:
        return float(size)
    if _CONSONANTS.search(run) or not _VOWELS & set(run):
        return max(1.0, 0.65 * size)
    if letter:
        return max(1.0, max(letter, _CODES if run.isupper() else 0.0) * size)
    if size <= 8:
        return 1.3
    return max(2.0, size / 4.5)


@lru_cache(maxsize=4096)
def _letters(character: str) -> float:
    """Count a character as the model sees it: without accents, Korean syllables as letters."""
    parts = unicodedata.normalize("NFD", character)
    return float(sum(unicodedata.category(part) != "Mn" for part in parts))
