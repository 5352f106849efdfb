"""Does a quoted span say what a sentence claims? Words only, no model, and careful. Pure.

A claim is supported when nearly all its content words stand in the span in compatible order, every
number with its unit and limit, every name and date stands there in the same place, the same persons
do the same things, and nothing in the span negates, excepts, doubts or contradicts it. In doubt the
answer is no: an unsupported claim is cut and an honest "not found" is shown instead. What words
cannot show is that a sentence with exactly the words of its quote means something else, which is
why the quote stands beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.answering.lexicon import META_WORDS, SAME_PREDICATE, US, YOU
from handlers.answering.polarity import wrong_polarity, wrong_strength
from handlers.answering.quantities import wrong_number
from handlers.answering.reading import Reading
from handlers.answering.relations import wrong_relation
from handlers.answering.words import Token, stem

__all__ = ["Reading", "Support", "check", "in_doubt"]

_PASSIVE = "by"
_ORDER_REACH = 6
_SHORT_CLAIM = 5
"""Content words up to which a predicate of the claim must stand in the span."""


@dataclass(frozen=True, slots=True)
class Support:
    """Whether a span supports a claim. ``score`` in [0, 1] orders spans; ``why`` names refusals."""

    score: float
    why: str = ""

    @property
    def given(self) -> bool:
        """Tell whether the claim may be shown with this span as its quote."""
        return not self.why


_LEAST_IN_DOUBT = 0.4
"""Share of the content words of a claim without which it is not worth asking a model."""


def check(claim: Reading, span: Reading, context: Reading) -> Support:
    """Judge a claim against a span. ``context`` is the title and the headings of the passage."""
    missing = _missing(claim, span, context)
    said = [t for t in claim.content if t.raw.casefold() not in META_WORDS]
    share = sum(t.stem in span.stems for t in said) / max(len(said), 1)
    order = _order(claim, span)
    score = 0.7 * share + 0.3 * order
    if not claim.hard:
        return Support(score, "no claim")
    why = (
        wrong_number(claim, span)
        or _wrong_words(claim, span, missing, share, order)
        or wrong_polarity(claim, span)
        or wrong_strength(claim, span)
        or wrong_relation(claim, span, context)
    )
    return Support(score, why)


def in_doubt(claim: Reading, span: Reading, context: Reading) -> Support:
    """Judge a claim as ``check`` does, but let common words be missing.

    Whoever asks has other grounds to believe that the rest says the same.
    """
    missing = _missing(claim, span, context)
    share = sum(t.stem in span.stems for t in claim.hard) / max(len(claim.hard), 1)
    if share < _LEAST_IN_DOUBT or any(t.name or t.kind == "number" for t in missing):
        return Support(share, "words")
    why = (
        wrong_number(claim, span)
        or wrong_polarity(claim, span)
        or wrong_strength(claim, span)
        or wrong_relation(claim, span, context)
    )
    return Support(share, why)


def _missing(claim: Reading, span: Reading, context: Reading) -> list[Token]:
    """Return the content words of the claim that neither span nor title and headings have."""
    known = span.stems | context.stems
    missing = [t for t in claim.hard if t.stem not in known and not _part_of(t, known)]
    return [t for t in missing if t.stem not in span.parts and not _stands_for(t, span)]


def _order(claim: Reading, span: Reading) -> float:
    """Share of neighbouring content words of the claim that stand near each other in the span.

    In the same order, unless exactly one of both is in the passive.
    """
    pairs = [(a.stem, b.stem) for a, b in zip(claim.hard, claim.hard[1:], strict=False)]
    if not pairs:
        return 1.0
    places = span.places
    turned = (_PASSIVE in claim.lower) != (_PASSIVE in span.lower)
    near = 0
    for first, second in pairs:
        near += any(
            (0 < b - a <= _ORDER_REACH) or (turned and 0 < a - b <= _ORDER_REACH) or first == second
            for a in places.get(first, ())
            for b in places.get(second, ())
        )
    return near / len(pairs)


def _part_of(token: Token, known: frozenset[str]) -> bool:
    parts = [p for p in token.raw.casefold().replace("/", "-").split("-") if p]
    return len(parts) > 1 and all(p in known or stem(p) in known for p in parts)


def _stands_for(token: Token, span: Reading) -> bool:
    """Tell whether a word names the writer or the reader, whom the span calls "we" or "you"."""
    return any(token.stem in group and group & span.lower for group in (US, YOU))


def _wrong_words(
    claim: Reading, span: Reading, missing: Sequence[Token], share: float, order: float
) -> str:
    """Every content word must be known; only a longer paraphrase may bring along soft words."""
    if missing or share < 0.6 or (len(claim.hard) >= 3 and order < 0.25):
        return "words"
    own = [t for t in claim.content if t.soft and t.raw.casefold() not in META_WORDS]
    foreign = [t for t in own if t.stem not in span.stems and not _has_predicate(span, t)]
    return "predicate" if foreign and len(claim.hard) <= _SHORT_CLAIM else ""


def _has_predicate(span: Reading, token: Token) -> bool:
    word = token.raw.casefold()
    return any(word in group and group & span.lower for group in SAME_PREDICATE)
