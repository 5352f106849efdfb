"""What an answer is worth, question by question. Pure.

Words are compared as SQuAD compares them (Rajpurkar et al. 2016, ``normalize_answer`` of the
official evaluation script): lower case, without punctuation and without "a", "an" and "the".
Sentences are compared by their letters and digits alone, because a set may be cut into words and
joined again (``a one - year period``) where our quotes are verbatim.
"""

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.chunking import sentences

COVERED = 0.5
"""A quote that holds a part of a gold sentence finds it if the part is at least this share."""

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation + "’‘“”–—…")


@dataclass(frozen=True, slots=True)
class Cited:
    """What an answer showed: its text, the quotes below it, and the passages of these quotes."""

    text: str
    quotes: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()


def normalised(text: str) -> list[str]:
    """Return the words of a text as SQuAD compares them."""
    return _ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split()


def verbatim(answers: Iterable[str], pages: Sequence[str]) -> list[str]:
    """Return the answers that a page holds word for word, so that a quote can be held against them.

    "Yes" and "no" are none of them. Without ``pages`` every other answer is taken for one.
    """
    said = [answer for answer in answers if normalised(answer) not in ([], ["yes"], ["no"])]
    return [answer for answer in said if not pages or answer_in_quotes(pages, [answer])]


def exact_match(text: str, answers: Sequence[str]) -> float:
    """Return 1.0 if the text is one of the answers and nothing else, else 0.0."""
    return float(any(normalised(text) == normalised(answer) for answer in answers))


def answer_f1(text: str, answers: Sequence[str]) -> float:
    """Return the best F1 of the text's words against an answer's, in [0, 1]."""
    return max((_word_f1(normalised(text), normalised(answer)) for answer in answers), default=0.0)


def answer_in_quotes(quotes: Sequence[str], answers: Sequence[str]) -> float:
    """Return 1.0 if one of the quotes holds one of the answers as whole words, else 0.0."""
    held = [f" {' '.join(normalised(quote))} " for quote in quotes]
    wanted = [f" {' '.join(normalised(answer))} " for answer in answers]
    return float(any(answer in quote for answer in wanted for quote in held))


def citation_figures(
    quotes: Sequence[str], gold: Sequence[Sequence[str]]
) -> tuple[float | None, float, float]:
    """Return precision, recall and F1 of the quoted sentences against the gold ones.

    ``gold`` holds the sentences of each acceptable answer; the one that fits best counts. Precision
    is the share of quoted sentences that are gold, and None when nothing is quoted; recall is the
    share of gold sentences that are quoted; without a quote, both recall and F1 are 0.
    """
    quoted = [_letters(part) for quote in quotes for part in _sentences(quote)]
    quoted = list(dict.fromkeys(filter(None, quoted)))
    if not quoted:
        return None, 0.0, 0.0
    return max((_overlap(quoted, way) for way in gold), key=lambda found: found[2])


def faithfulness(shown: Cited) -> float | None:
    """Return the share of the answer's bigrams that its cited passages hold; None without any.

    Needs no model. On answers that people rated for faithfulness it agreed with them as well as the
    best published metric did (Spearman .67).
    """
    said = _bigrams(normalised(shown.text))
    if not said:
        return None
    held = {pair for passage in shown.passages for pair in _bigrams(normalised(passage))}
    return sum(pair in held for pair in said) / len(said)


def _overlap(quoted: Sequence[str], way: Sequence[str]) -> tuple[float, float, float]:
    gold = [letters for sentence in way if (letters := _letters(sentence))]
    right = sum(any(one in other or other in one for other in gold) for one in quoted)
    found = sum(any(_finds(one, other) for one in quoted) for other in gold)
    precision = right / len(quoted)
    recall = found / len(gold) if gold else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def _finds(quoted: str, gold: str) -> bool:
    return gold in quoted or (quoted in gold and len(quoted) >= COVERED * len(gold))


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _word_f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    shared = (Counter(said) & Counter(wanted)).total()
    return 2 * shared / (len(said) + len(wanted)) if shared else 0.0


def _bigrams(words: Sequence[str]) -> list[tuple[str, str]]:
    return list(pairwise(words))
