"""Whether a claim says yes where its span does: negation, opposites, conditions, doubt. Pure."""

from collections.abc import Iterable, Sequence

from handlers.answering.lexicon import (
    CONDITIONS,
    DOUBTS,
    EXCEPTIONS,
    HEDGES,
    MYTHS,
    NEGATIVE_PREFIXES,
    NO_CONDITIONS,
    NO_MYTHS,
    OBLIGATION,
    OPPOSITES,
    PARTIAL,
    PERMISSION,
    RESTRICTIVE,
    UNIVERSAL,
    WHENEVER,
)
from handlers.answering.reading import CLAUSE_ENDS, Phrase, Reading
from handlers.answering.words import stem

_OPPOSITES = tuple((frozenset(map(stem, a)), frozenset(map(stem, b))) for a, b in OPPOSITES)
_LETTING = frozenset({"may"})
_SWITCHES = ("on", "off")


def wrong_polarity(claim: Reading, span: Reading) -> str:
    """Return what the claim turns round, leaves out or makes stronger, or ""."""
    if _makes(claim, EXCEPTIONS) != _makes(span, EXCEPTIONS) and (
        _makes(claim, EXCEPTIONS) or _binds(span, claim, EXCEPTIONS)
    ):
        return "exception"
    if _wrong_condition(claim, span):
        return "condition"
    if _myth(claim) != _myth(span):
        return "myth"
    asserted = (s for s in span.negated if s and len(s & claim.stems) / len(s) >= 0.5)
    denied = (s for s in claim.negated if s)
    if not all(_has_scope(claim.negated, s) for s in asserted):
        return "negation"
    if not all(_has_scope(span.negated, s) for s in denied):
        return "negation"
    if len(claim.negated) > len(span.negated):
        return "negation"
    return "opposite" if _contradicts(claim, span) else ""


def wrong_strength(claim: Reading, span: Reading) -> str:
    """Return how the claim obliges, restricts or generalises otherwise than the span, or ""."""
    if claim.lower & OBLIGATION and not span.lower & OBLIGATION and span.lower & PERMISSION:
        return "must"
    if claim.lower & _LETTING and not span.lower & PERMISSION and span.lower & OBLIGATION:
        return "may"
    if claim.lower & RESTRICTIVE and not span.lower & RESTRICTIVE:
        return "only"
    if claim.lower & UNIVERSAL and not span.lower & UNIVERSAL and span.lower & PARTIAL:
        return "all"
    if not claim.lower & HEDGES:
        for doubt in DOUBTS:
            for at in span.find((doubt,)):
                if _touches(span, at, claim):
                    return "certainty"
    return ""


def _makes(reading: Reading, phrases: Iterable[Phrase]) -> bool:
    return any(map(reading.find, phrases))


def _wrong_condition(claim: Reading, span: Reading) -> bool:
    """Tell whether one of both sets a condition that the other does not."""
    spared = {
        at + place
        for phrase in NO_CONDITIONS
        for at in span.find(phrase)
        for place in range(len(phrase))
    }
    quoted = [p for p in CONDITIONS if any(at not in spared for at in span.find(p))]
    if _drops_measure(claim, span):
        return True
    if _makes(claim, CONDITIONS):
        return not quoted and not span.lower & WHENEVER
    if claim.lower & WHENEVER:
        quoted = []
    return _binds(span, claim, quoted) or _drops_only(claim, span)


def _binds(span: Reading, claim: Reading, phrases: Iterable[Phrase]) -> bool:
    """Tell whether what a phrase introduces stands in a sentence that the claim draws on."""
    return any(_touches(span, at, claim) for p in phrases for at in span.find(p))


def _touches(span: Reading, at: int, claim: Reading) -> bool:
    """Tell whether the claim draws on the sentence that holds a position of the span."""
    first, behind = span.stretch(at)
    own = {t.stem for t in span.words[first:behind] if t.content and not t.soft}
    shared = own & {t.stem for t in claim.hard}
    return len(shared) >= min(2, len(claim.hard)) and len(shared) >= 0.3 * len(claim.hard)


def _drops_measure(claim: Reading, span: Reading) -> bool:
    """Tell whether the claim keeps a condition ("when you are ill") without how much it takes."""
    for word in WHENEVER | {"if"}:
        for at in span.find((word,)) if word in claim.lower else ():
            clause = span.words[at : span.stretch(at, (*CLAUSE_ENDS, ","))[1]]
            measured = [t for t in clause if t.kind == "number" and span.limits_at(t.at)]
            shared = any(t.content and t.stem in claim.stems for t in clause)
            if shared and any(t.stem not in claim.stems for t in measured):
                return True
    return False


def _drops_only(claim: Reading, span: Reading) -> bool:
    """Tell whether the claim leaves out the one case for which the span allows something."""
    if claim.lower & RESTRICTIVE:
        return False
    for word in RESTRICTIVE:
        for at in span.find((word,)):
            following = span.words[at + 1 : span.stretch(at)[1]]
            case = [t.stem for t in following if t.content][:3]
            # "Only managers may ...": the claim keeps the case. "... only on weekends": it must.
            if case and not claim.stems & set(case) and _touches(span, at, claim):
                return True
    return False


def _myth(reading: Reading) -> bool:
    spared = sum(len(reading.find(p)) for p in NO_MYTHS)
    return sum(len(reading.find(p)) for p in MYTHS) > spared


def _has_scope(scopes: Sequence[frozenset[str]], scope: frozenset[str]) -> bool:
    return any(len(scope & o) >= 0.5 * min(len(scope), len(o)) > 0 for o in scopes)


def _contradicts(claim: Reading, span: Reading) -> bool:
    """Tell whether the span has the opposite of a word of the claim, and not the word itself."""
    for one, other in _OPPOSITES:
        for mine, theirs in ((one, other), (other, one)):
            claimed = claim.stems & mine and not claim.stems & theirs
            if claimed and span.stems & theirs and not span.stems & mine:
                return True
    if _switched(claim, span):
        return True
    for word in claim.lower ^ span.lower:
        here, there = (claim, span) if word in claim.lower else (span, claim)
        for prefix in NEGATIVE_PREFIXES:
            plain = word.removeprefix(prefix)
            if plain == word or len(plain) < 4:
                continue
            if plain in there.lower and plain not in here.lower:
                return True
    return False


def _switched(claim: Reading, span: Reading) -> bool:
    """Tell whether the span has an opposite between the same two words, or "off" behind the same.

    That one of both texts has either word somewhere else does not save it.
    """
    for mine, theirs in (_SWITCHES, _SWITCHES[::-1]):
        if mine in claim.lower and theirs in span.lower:
            before = {stem(claim.raw[at - 1]) for at in claim.find((mine,)) if at}
            there = {stem(span.raw[at - 1]) for at in span.find((theirs,)) if at}
            same = {stem(span.raw[at - 1]) for at in span.find((mine,)) if at}
            if before & (there - same):
                return True
    for one, other in _OPPOSITES:
        for mine_, theirs_ in ((one, other), (other, one)):
            if claim.stems & mine_ and span.stems & theirs_:
                there = _settings(span, theirs_) - _settings(span, mine_)
                if _settings(claim, mine_) & there:
                    return True
    return False


def _settings(reading: Reading, stems: frozenset[str]) -> set[str]:
    """Return the words right before and behind each of some words."""
    last = len(reading.words) - 1
    return {
        f"{reading.words[at - 1].stem} {reading.words[at + 1].stem}"
        for word in stems
        for at in reading.places.get(word, ())
        if 0 < at < last
    }
