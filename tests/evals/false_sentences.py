"""False sentences of an answer, made from true ones that their passage bears out. Pure.

Each way changes what the sentence says by its form alone. A way that might by chance leave a
sentence true returns nothing.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A sentence of a page, with the names of that page and its other sentences."""

    sentence: str
    passage: str
    title: str
    names: tuple[str, ...]
    others: tuple[str, ...]


_NUMBER = re.compile(r"(?<![\w.,:€$£–+-])([€$£]?)(\d{1,4}(?:,\d{3})*(?:\.\d+)?)(?![\w:]|[.,]\d)")
_NUMBER_WORDS = "two three four five six seven eight nine ten twelve twenty thirty".split()
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_UNITS = {
    "days": "weeks", "weeks": "months", "months": "weeks", "hours": "days", "minutes": "hours",
    "years": "months", "kilometres": "miles", "miles": "kilometres", "metres": "feet", "km": "mi",
    "day": "week", "week": "month", "hour": "day", "euros": "pounds", "seconds": "minutes",
}  # fmt: skip
_SCALES = {"million": "billion", "billion": "million", "thousand": "million", "hundred": "thousand"}
_AUXILIARY = (
    r"is|are|was|were|can|could|may|might|must|will|would|should|shall|has been|have been|had been"
)
_BE = re.compile(rf"(?<=[a-z)] )(?:{_AUXILIARY})(?= (?!not\b|no\b|never\b|only\b|n't)[a-z])")
_DENIED = re.compile(r"(?: not(?= )|n't| never(?= ))|\bcannot\b")
_ANTONYMS = (
    ("before", "after"), ("above", "below"), ("at least", "at most"), ("more", "fewer"),
    ("more than", "less than"), ("first", "last"), ("open", "closed"), ("allowed", "forbidden"),
    ("always", "never"), ("paid", "unpaid"), ("largest", "smallest"), ("later", "earlier"),
    ("higher", "lower"), ("increase", "decrease"), ("north", "south"), ("eastern", "western"),
    ("with", "without"), ("every", "hardly any"), ("must", "need not"),
    ("up to", "at least"), ("inside", "outside"), ("from", "until"), ("same", "opposite"),
    ("win", "lose"), ("won", "lost"), ("on foot", "by car"), ("included", "excluded"),
    ("born", "buried"),
    ("started", "ended"), ("begins", "ends"), ("possible", "impossible"),
    ("part-time", "full-time"),
    ("early", "late"), ("old", "new"), ("turned on", "turned off"), ("within", "after"),
    ("major", "minor"), ("public", "private"), ("long", "short"),
)  # fmt: skip
_ADDITIONS = (
    ", and the same holds for contractors and guests",
    ", because the auditors asked for it in writing",
    ", which has saved a great deal of money",
    ", as a court confirmed some time ago",
    ", although many people complained about it",
    " after a vote of the whole assembly",
)
_INVENTED = (
    "The rules on {} are reviewed by a committee every spring.",
    "{} was made into a television series by a Norwegian studio.",
    "A printed brochure on {} is kept at the reception.",
    "The history of {} goes back to a Roman manuscript.",
    "Questions about {} are answered by a hotline in Madrid.",
    "{} is taught at universities in Canada and Japan.",
)
_VERB = re.compile(
    r"^(?P<subject>(?:The |A |Your |Our )?[\w’' -]{3,50}?) "
    r"(?P<verb>is|are|was|were|can|may|must|has|have|had|will) (?P<rest>[^;:]{12,}\.)$"
)
_EITHER = re.compile(r"(?:,| and| or| nor| &)\s*\Z")


def wrong_number(source: Source, chance: random.Random) -> str:
    """Change a number, a date, a unit or a scale; make a range or a negative of it."""
    text, ways = source.sentence, []
    for found in _NUMBER.finditer(text):
        value = found[2].replace(",", "")
        whole = int(value) if value.isdigit() else 0
        year = whole if 1000 <= whole <= 2100 and not found[1] and "," not in found[2] else 0
        others = [year + chance.randint(1, 30)] if year else [whole + chance.randint(1, 9)]
        others += [whole * 10, max(2, whole // 2 + 1)] if whole and not year else []
        for other in others:
            if str(other) != value:
                ways.append(_put(text, found, f"{found[1]}{other}"))
        if not year and whole > 1:
            ways.append(_put(text, found, f"{found[1]}{whole} to {found[1]}{whole + 5}"))
            ways.append(_put(text, found, f"{found[1]}{value} {chance.choice(list(_SCALES))}"))
            if not text[: found.start()].rstrip().endswith(tuple(_MONTHS)):
                ways.append(_put(text, found, f"-{found[1]}{value}"))
    for word in _NUMBER_WORDS:
        for found in re.finditer(rf"\b{word}\b(?= [a-z])", text):
            other = chance.choice([w for w in _NUMBER_WORDS if w != word])
            ways.append(_put(text, found, other))
    ways += _exchanged(text, _MONTHS, chance) + _exchanged(text, _WEEKDAYS, chance)
    for unit, other in _UNITS.items():
        for found in re.finditer(rf"\b{unit}\b", text):
            if re.search(rf"(?:\d|\b(?:{'|'.join(_NUMBER_WORDS)})) \Z", text[: found.start()]):
                ways.append(_put(text, found, other))
    for scale, other in _SCALES.items():
        for found in re.finditer(rf"(?<=\d )\b{scale}\b", text):
            ways += [_put(text, found, other), _put(text, found, "").replace("  ", " ")]
    return _one(ways, source, chance)


def swapped_names(source: Source, chance: random.Random) -> str:
    """Put another name of the same page, or let two names of the sentence change places."""
    text = source.sentence
    own = [n for n in source.names if _name(n).search(text)]
    ways = []
    for name in own:
        for other in source.names:
            if other in text or name in other or other in name:
                continue
            ways.append(_name(name).sub(other, text))
    for one in own:
        for other in own:
            first, second = _name(one).search(text), _name(other).search(text)
            if not first or not second or first.end() >= second.start():
                continue
            between = text[first.end() : second.start()]
            if len(between.split()) < 2 or _EITHER.search(between) or one in other or other in one:
                continue
            if re.search(r",|\band\b|\bor\b|\bbetween\b|\bboth\b", between + text[: first.start()]):
                continue
            turned = text[: first.start()] + other + between + one + text[second.end() :]
            ways += [turned] * 3
    return _one(ways, source, chance)


def turned_round(source: Source, chance: random.Random) -> str:
    """Deny what is said, say what is denied, put an opposite, or call it a myth."""
    text = source.sentence
    kinds: list[list[str]] = [[], [], [], []]
    for some in ("Some", "Many", "some", "many", "several", "most"):
        kinds[2] += [re.sub(rf"\b{some}\b", "All" if some[0].isupper() else "all", text, count=1)]
    kinds[2] = [way for way in kinds[2] if way != text]
    for found in _BE.finditer(text):
        first = text[: found.end()], text[found.end() :]
        kinds[0] += [f"{first[0]} {chance.choice(('not', 'never'))}{first[1]}"]
        kinds[3] += [f"{first[0]} only{first[1]}"] if "only" not in text else []
        break
    for found in _DENIED.finditer(text):
        kinds[1].append(_put(text, found, "can" if found[0] == "cannot" else ""))
    for pair in _ANTONYMS:
        for one, other in (pair, pair[::-1]):
            for found in re.finditer(rf"(?<![\w-]){one}(?![\w-])", text):
                kinds[2].append(_put(text, found, other))
    lowered = text[0].lower() + text[1:] if text.split(" ")[0] in _STARTS else text
    kinds[3].append(f"It is a myth that {lowered}")
    kinds[3].append(f"It is not true that {lowered}")
    present = [ways for ways in kinds if ways]
    return _one(chance.choice(present), source, chance)


_STARTS = "The A An In On For It They You Your If All Every Each There This These We Our".split()


def unsupported(source: Source, chance: random.Random) -> str:
    """Add what is not said, tell of another thing on the topic, or mix two statements."""
    text = source.sentence
    topic = source.title or "this"
    ways = [[f"{text[:-1]}{addition}." for addition in _ADDITIONS]]
    ways.append([line.format(topic[0].upper() + topic[1:]) for line in _INVENTED])
    mixed = []
    mine = _VERB.match(text)
    if mine:
        for other in source.others:
            theirs = _VERB.match(other)
            if theirs and theirs["verb"] == mine["verb"] and _unlike(mine, theirs):
                mixed.append(f"{mine['subject']} {theirs['verb']} {theirs['rest']}")
    kinds = [*ways, *([mixed] * 3 if mixed else [])]
    return _one(chance.choice(kinds), source, chance)


WAYS: dict[str, Callable[[Source, random.Random], str]] = {
    way.__name__: way for way in (wrong_number, swapped_names, turned_round, unsupported)
}
"""Each way by its name: (source, chance) -> false sentence, or "". A foreign citation needs none:
there the sentence is true and its passage is withheld."""


def _unlike(one: re.Match[str], other: re.Match[str]) -> bool:
    """Tell whether two sentences speak of different things: no word of the subjects is shared."""
    pronouns = {"it", "they", "this", "these", "that", "he", "she", "there", "you", "we", "which"}
    mine, theirs = (set(re.findall(r"\w+", m["subject"].lower())) for m in (one, other))
    shared = (mine & theirs) - {"the", "a", "of", "in", "your", "our"}
    return not shared and not (mine | theirs) & pronouns


def _name(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


def _exchanged(text: str, group: Sequence[str], chance: random.Random) -> list[str]:
    return [
        _put(text, found, chance.choice([g for g in group if g != word and g not in text]))
        for word in group
        for found in re.finditer(rf"\b{word}\b", text)
    ]


def _put(text: str, found: re.Match[str], instead: str) -> str:
    return text[: found.start()] + instead + text[found.end() :]


def _one(ways: Sequence[str], source: Source, chance: random.Random) -> str:
    """Return one way; none that the page itself says somewhere else."""
    fresh = [way for way in dict.fromkeys(ways) if way not in source.passage]
    return chance.choice(fresh) if fresh else ""
