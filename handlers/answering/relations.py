"""Whether a claim lets the same one do the same to the same: persons, directions, names. Pure.

A sentence may hold every word of its quote and still say something else, because two of them have
changed places. None of this needs grammar: what is compared is what stands before, behind and
between the words that both texts share.
"""

from collections.abc import Sequence
from itertools import pairwise

from handlers.answering.lexicon import ANAPHORS, CLASHES, US, YOU
from handlers.answering.reading import CLAUSE_ENDS, Reading
from handlers.answering.words import Token, stem

_PASSIVE = "by"
_BEING = frozenset("is are was were be been being get gets got".split())
_NEAR = 6


def wrong_relation(claim: Reading, span: Reading, context: Reading) -> str:
    """Return what has changed places between claim and span, or "".

    ``context`` is the title and the headings of the passage, whose names count as known.
    """
    if _other_person(claim, span):
        return "person"
    if _other_direction(claim, span):
        return "direction"
    if _turned(claim, span):
        return "turned"
    return "name" if _exchanged(claim, span, context) else ""


def _other_person(claim: Reading, span: Reading) -> bool:
    """Tell whether "we" do in one text what "you" do in the other."""
    for word in claim.content:
        mine = _person(claim, word.at)
        theirs = {_person(span, at) for at in span.places.get(word.stem, ())}
        if mine and theirs and "" not in theirs and mine not in theirs:
            return True
    return False


def _person(reading: Reading, at: int) -> str:
    """Return who does the word at a position, if that is the writer or the reader."""
    for place in range(at - 1, max(at - 4, -1), -1):
        word = reading.words[place]
        if reading.parted(place, at, (*CLAUSE_ENDS, ",")):
            return ""
        if reading.raw[place] in YOU or word.stem in YOU:
            return "you" if reading.raw[place] != "your" else ""
        if reading.raw[place] in US or word.stem in US:
            return "we"
        if word.content:
            return ""
    return ""


def _other_direction(claim: Reading, span: Reading) -> bool:
    """Tell whether a word that goes "to" in one text comes "from" in the other, and the like."""
    for word in claim.content:
        mine = claim.preposition(word.at)
        if not mine or mine not in CLASHES:
            continue
        theirs = {span.preposition(at) for at in span.places.get(word.stem, ())}
        if theirs and theirs <= CLASHES[mine]:
            return True
    return False


def _turned(claim: Reading, span: Reading) -> bool:
    """Tell whether one word moved from before to behind a third one, and another the other way.

    Words that occur twice, and those that keep their preposition ("in Wesel"), may stand anywhere.
    """
    once = [
        t
        for t in claim.content
        if t.kind == "word"
        and len(claim.places[t.stem]) == 1
        and len(span.places.get(t.stem, ())) == 1
    ]
    where = {t.at: span.places[t.stem][0] for t in once}
    for place, pivot in enumerate(once):
        if _passive(claim, pivot.at) != _passive(span, where[pivot.at]):
            continue
        low, high = claim.stretch(pivot.at, CLAUSE_ENDS)
        moved_back = [
            t
            for t in once[:place]
            if low <= t.at and where[t.at] > where[pivot.at] and _bare(claim, span, t, where)
        ]
        moved_up = [
            t
            for t in once[place + 1 :]
            if t.at < high and where[t.at] < where[pivot.at] and _bare(claim, span, t, where)
        ]
        for one in moved_back:
            for other in moved_up:
                if not span.parted(where[one.at], where[other.at]):
                    return True
    return False


def _passive(reading: Reading, at: int) -> bool:
    return not _BEING.isdisjoint(reading.raw[max(at - 3, 0) : at])


def _bare(claim: Reading, span: Reading, token: Token, where: dict[int, int]) -> bool:
    mine, theirs = claim.preposition(token.at), span.preposition(where[token.at])
    return _PASSIVE not in (mine, theirs) and (not mine or mine != theirs)


def _exchanged(claim: Reading, span: Reading, context: Reading) -> bool:
    """Tell whether a name stands where the span has another one.

    Claim and span are laid side by side along the content words they share in order. Between two of
    these, a name of the claim that the span does not have there, and a name of the span that the
    claim does not have there, are an exchange. So is a name that the span puts between two words
    which the claim has side by side, when it begins a statement of its own.
    """
    told = {t.stem for r in (claim, span) for t in r.content if t.name}
    names = told | {t.stem for t in context.content if t.name}
    mine, theirs = _compared(claim, names), _compared(span, names)
    if not names or len(mine) < 2:
        return False
    pairs = _aligned(mine, theirs, names)
    bounds = [(-1, -1), *pairs, (len(mine), len(theirs))]
    for (a, b), (c, d) in pairwise(bounds) if pairs else ():
        own, gap = mine[a + 1 : c], theirs[b + 1 : d]
        if a < 0:
            gap = [t for t in gap if _beside(span, t, theirs[d])]
        elif d == len(theirs):
            gap = [t for t in gap if _beside(span, t, theirs[b])]
        here, there = _with_parts(own), _with_parts(gap)
        strangers = [
            t
            for t in own
            if t.stem in names and not _with_parts([t]) & there and not _kept(claim, span, t)
        ]
        sure = any(t.stem in told for t in strangers)
        rivals = [
            t
            for t in gap
            if (t.name or (sure and t.first and t.raw[0].isupper()))
            and t.stem not in here
            and not _also(claim, t, own)
            and span.preposition(t.at) != _PASSIVE
        ]
        if strangers and rivals:
            return True
        linked = a >= 0 and d < len(theirs) and not own
        if linked and not claim.parted(mine[a].at, mine[c].at, (*CLAUSE_ENDS, ",")):
            if any(_begins(span, t, gap, names) for t in rivals):
                return True
            if names & {mine[a].stem, mine[c].stem} and _leaps(span, theirs[b], theirs[d], gap):
                return True
    return False


def _compared(reading: Reading, names: set[str]) -> list[Token]:
    words = (t for t in reading.content if t.kind == "word")
    return [t for t in words if not t.soft or t.stem in names]


def _with_parts(words: Sequence[Token]) -> set[str]:
    """Return the stems of some words and of the parts of those that are compounds."""
    found = {t.stem for t in words}
    return found.union(*(map(stem, t.raw.split("-")) for t in words if "-" in t.raw))


def _beside(span: Reading, one: Token, other: Token) -> bool:
    return abs(one.at - other.at) <= _NEAR and not span.parted(one.at, other.at)


def _kept(claim: Reading, span: Reading, name: Token) -> bool:
    """Tell whether a name may have moved: it has the same preposition in both texts, or "by"."""
    mine = claim.preposition(name.at)
    if mine == _PASSIVE:
        return name.stem in span.stems
    return bool(mine) and mine in {span.preposition(at) for at in span.places.get(name.stem, ())}


def _also(claim: Reading, rival: Token, own: Sequence[Token]) -> bool:
    """Tell whether the claim has the rival name too, side by side with what it has here."""
    return any(abs(at - t.at) <= 2 for at in claim.places.get(rival.stem, ()) for t in own)


def _begins(span: Reading, name: Token, gap: Sequence[Token], names: set[str]) -> bool:
    """Tell whether a name begins a further statement, after "and" and more than other names."""
    if name.at == 0 or span.preposition(name.at) or name.at + 1 >= len(span.raw):
        return False
    told = any(t.at < name.at and t.stem not in names for t in gap)
    joined = span.raw[name.at - 1] in ("and", "but", "while", "whereas")
    return told and joined and span.raw[name.at + 1] not in ("and", "or")


def _leaps(span: Reading, one: Token, other: Token, gap: Sequence[Token]) -> bool:
    """Tell whether another name stands between two words of different sentences.

    Unless the second sentence speaks of the first: then "he" is the one who was named there.
    """
    first = span.stretch(other.at)[0]
    if not span.parted(one.at, other.at) or span.raw[first] in ANAPHORS:
        return False
    return any(t.name or (t.first and t.raw[0].isupper() and t.at > 0) for t in gap)


def _aligned(
    mine: Sequence[Token], theirs: Sequence[Token], names: set[str]
) -> list[tuple[int, int]]:
    """Return the longest common subsequence as pairs of places; of equal ones, names give way."""
    rows = len(mine) + 1
    table = [[0.0] * (len(theirs) + 1) for _ in range(rows)]
    for i in range(len(mine) - 1, -1, -1):
        row, below, own = table[i], table[i + 1], mine[i].stem
        worth = 0.9 if own in names else 1.0
        for j in range(len(theirs) - 1, -1, -1):
            best = below[j] if below[j] >= row[j + 1] else row[j + 1]
            if own == theirs[j].stem and below[j + 1] + worth > best:
                best = below[j + 1] + worth
            row[j] = best
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(mine) and j < len(theirs):
        worth = 0.9 if mine[i].stem in names else 1.0
        same = mine[i].stem == theirs[j].stem
        if table[i][j + 1] >= table[i][j] - 1e-9:
            j += 1
        elif same and abs(table[i][j] - table[i + 1][j + 1] - worth) < 1e-9:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        else:
            i += 1
    return pairs
