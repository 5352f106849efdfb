"""True sentences of an answer, made from a passage: as they stand, or put in other words. Pure.

Each way keeps the meaning by its form alone, whatever the sentence says, so that nobody has to read
what comes out. What a way cannot keep for sure ("if", "only", "unless" in the part that it drops)
it leaves alone and returns nothing.
"""

import random
import re
from collections.abc import Callable

_WORDS = {
    2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine",
    10: "ten", 12: "twelve", 14: "fourteen", 15: "fifteen", 20: "twenty", 30: "thirty",
}  # fmt: skip
_DIGITS = {word: str(value) for value, word in _WORDS.items()}

# Closed pairs that stand for each other wherever the first one stands.
_SYNONYMS = {
    "colleagues": "employees",
    "Colleagues": "Employees",
    "receive": "get",
    "receives": "gets",
    "begins": "starts",
    "starts": "begins",
    "kept": "retained",
    "needed": "required",
    "at most": "no more than",
    "every year": "each year",
    "a year": "per year",
    "a month": "per month",
    "a week": "per week",
    "a day": "per day",
    "a night": "per night",
    "phone": "telephone",
    "choose": "select",
    "shown": "displayed",
    "need not": "do not need to",
    "cannot": "can't",
    "do not": "don't",
    "does not": "doesn't",
    "is not": "isn't",
    "are not": "aren't",
    "was not": "wasn't",
    "began": "started",
    "located": "situated",
    "company": "firm",
    "purchased": "bought",
    "big": "large",
    "also": "",
    "currently": "now",
    "approximately": "about",
    "several": "a number of",
    "during": "in",
}
_BINDING = re.compile(
    r"\b(?:if|unless|except|only|without|not|never|no|but|however|provided|while|whereas|although"
    r"|exception|excluding|apart|otherwise|because|until|before|after|than)\b",
    re.I,
)
_FRONTED = re.compile(
    r"^(?P<when>(?:In|For|On|After|During|At|From|With|By) [^,;:()]{3,45}), (?P<rest>[^,;:()]+)\.$"
)
_PARENTHESIS = re.compile(r" ?\([^()]{3,80}\)")
_CLAUSE = re.compile(r"^(?P<head>[^;]{30,}?)(?:;| , and it| , which|, which) [^;]+\.$")
_TELLING = (
    "According to the document, {}",
    "Yes, {}",
    "The document says that {}",
    "In short, {}",
    "Note that {}",
)


def verbatim(sentence: str, _following: str, _chance: random.Random) -> str:
    """Return the sentence itself."""
    return sentence


def number_format(sentence: str, _following: str, chance: random.Random) -> str:
    """Write a number as a word or a word as a number, or a unit as its sign or name."""
    ways: list[str] = []
    for found in re.finditer(r"(?<![\w.,:€$£–-])(\d{1,2})(?= [a-z])", sentence):
        if int(found[1]) in _WORDS:
            ways.append(_put(sentence, found, _WORDS[int(found[1])]))
    for found in re.finditer(rf"\b({'|'.join(_DIGITS)})(?= [a-z])", sentence):
        ways.append(_put(sentence, found, _DIGITS[found[1]]))
    for found in re.finditer(r"€(\d+(?:,\d{3})*)(?![.,]?\d|\w)", sentence):
        ways.append(_put(sentence, found, f"{found[1]} euros"))
    for found in re.finditer(r"\b(\d+) ?%", sentence):
        ways.append(_put(sentence, found, f"{found[1]} percent"))
    for found in re.finditer(r"\b(\d{1,3}),(\d{3})\b(?!,)", sentence):
        ways.append(_put(sentence, found, found[1] + found[2]))
    return chance.choice(ways) if ways else ""


def synonym(sentence: str, _following: str, chance: random.Random) -> str:
    """Exchange one word for one that always stands for it."""
    present = [w for w in _SYNONYMS if re.search(rf"(?<!\w){re.escape(w)}(?!\w)", sentence)]
    if not present:
        return ""
    word = chance.choice(present)
    changed = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", _SYNONYMS[word], sentence, count=1)
    return _tidy(changed)


def word_order(sentence: str, _following: str, _chance: random.Random) -> str:
    """Put what stands before the first comma behind the sentence."""
    found = _FRONTED.match(sentence)
    if not found or _BINDING.search(found["rest"]):
        return ""
    when = found["when"]
    return _upper(f"{found['rest']} {when[0].lower()}{when[1:]}.")


def shortened(sentence: str, _following: str, chance: random.Random) -> str:
    """Leave out a parenthesis or a further clause, none that could bind what stays."""
    ways: list[str] = []
    for found in _PARENTHESIS.finditer(sentence):
        if not _BINDING.search(found[0]):
            ways.append(_tidy(_put(sentence, found, "")))
    clause = _CLAUSE.match(sentence)
    if clause and not _BINDING.search(sentence[clause.end("head") :]):
        ways.append(_tidy(clause["head"].rstrip(" ,") + "."))
    return chance.choice(ways) if ways else ""


def merged(sentence: str, following: str, chance: random.Random) -> str:
    """Join two sentences that follow one another."""
    if not following.endswith(".") or not 20 <= len(following) <= 140:
        return ""
    return chance.choice(
        (f"{sentence[:-1]}; {_lower(following)}", f"{sentence[:-1]}, and {_lower(following)}")
    )


def told(sentence: str, _following: str, chance: random.Random) -> str:
    """Put the sentence into the mouth of the document, as models like to."""
    return chance.choice(_TELLING).format(_lower(sentence))


WAYS: dict[str, Callable[[str, str, random.Random], str]] = {
    way.__name__: way
    for way in (verbatim, number_format, synonym, word_order, shortened, merged, told)
}
"""Each way by its name: (sentence, the one that follows it, chance) -> true sentence, or ""."""


def _put(text: str, found: re.Match[str], instead: str) -> str:
    return text[: found.start()] + instead + text[found.end() :]


def _lower(text: str) -> str:
    """Begin in lower case where the first word is surely no name."""
    first = text.split(" ", 1)[0]
    plain = (
        "The A An In On For It They You Your If All Every Each There This These We Our At".split()
    )
    return text[0].lower() + text[1:] if first in plain else text


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _tidy(text: str) -> str:
    return _upper(re.sub(r" +([.,;])", r"\1", " ".join(text.split())))
