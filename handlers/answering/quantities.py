"""Whether a span gives the numbers of a claim: value, unit, limit, range and owner. Pure."""

from handlers.answering.reading import UNIT_STEMS, Reading
from handlers.answering.words import Token

_NUMBER_REACH = 4


def wrong_number(claim: Reading, span: Reading) -> str:
    """Return why a number of the claim is not the one of the span, or ""."""
    for number in (t for t in claim.words if t.kind == "number"):
        spots = [t for t in span.words if t.stem == number.stem and t.kind == "number"]
        if not spots and number.stem == "1" and "one" in span.lower:
            continue
        unit = claim.measure(number.at)
        spots = [t for t in spots if not unit or span.measure(t.at) in (unit, "")]
        spots = [t for t in spots if unit or not number.marks]
        spots = [t for t in spots if _same_range(claim, number, span, t)]
        if _too_often(number, claim, span):
            return "number"
        if not any(_same_limit(claim, number, span, t) for t in spots):
            return "number"
        if not any(_same_owner(claim, number, span, t) for t in spots):
            return "other number"
    return ""


def _too_often(number: Token, claim: Reading, span: Reading) -> bool:
    """Tell whether the claim repeats a number where the span has another one."""
    if len(claim.places[number.stem]) <= len(span.places.get(number.stem, ())):
        return False
    return any(t.kind == "number" and t.stem not in claim.stems for t in span.words)


def _same_range(claim: Reading, number: Token, span: Reading, spot: Token) -> bool:
    claimed, quoted = claim.ranges.get(number.at), span.ranges.get(spot.at)
    if claimed and claimed[1]:
        return quoted is not None and quoted[0] == claimed[0]
    if claimed or quoted is None or not quoted[1]:
        return True
    wanted = "max" if _is_high(span, spot) else "min"
    return wanted in claim.limits_at(number.at)


def _is_high(span: Reading, spot: Token) -> bool:
    return span.ranges.get(spot.at, ("", False))[0] in {t.stem for t in span.words[: spot.at]}


def _same_owner(claim: Reading, number: Token, span: Reading, spot: Token) -> bool:
    """Tell whether the span gives the number to the words that stand with it in the claim."""
    unit = span.measure(spot.at)
    numbers = (t for t in span.words if t.kind == "number" and t.stem != spot.stem)
    rivals = [t for t in numbers if span.measure(t.at) == unit]
    what = claim.counted(number.at)
    if what and what == span.counted(spot.at):
        rivals = [t for t in rivals if span.counted(t.at) in ("", what)]
    if not rivals:
        return True  # Nothing to mistake it for: a paraphrase may place it freely.
    # A word that the claim itself keeps apart from the number need not be tied to it in the span.
    near = (
        t
        for t in claim.hard
        if t.kind == "word" and t.stem not in UNIT_STEMS and abs(t.at - number.at) <= _NUMBER_REACH
    )
    owners = {t.stem for t in near if t.stem in span.stems and claim.tied(t.at, number.at)}
    return owners <= {t.stem for t in span.words if span.tied(t.at, spot.at)}


def _same_limit(claim: Reading, number: Token, span: Reading, spot: Token) -> bool:
    claimed, quoted = claim.limits_at(number.at), span.limits_at(spot.at)
    if not claimed and claim.ranges.get(number.at) is None and span.ranges.get(spot.at):
        return True
    if claimed:
        ends = span.ranges.get(spot.at)
        if ends and ends[1] and not quoted:
            return True  # Which end it is was looked at with the range.
        return claimed <= quoted | (span.limits if len(span.limits) == 1 else frozenset())
    return not quoted or bool(quoted & claim.limits)
