"""The ways in which models write a citation, read as one. Pure.

All of these cite passage 1: ``[1]``, ``[ 1 ]``, ``［1］``, ``[^1]``, ``[^1^]``, ``【1†source】``,
``<sup>1</sup>``, ``¹``, ``[Passage 1]``, ``(source 1)``, also with a backslash before a bracket;
and several at once: ``[1][3]``, ``[1, 3]``, ``[1-3]``, ``[Passage 1, Passage 3]``.

``(1)`` is one only where it ends a sentence, and not behind a word that is numbered that way
("step (1)", "two (2)"). A small raised digit is one only behind a whole word or a stop: "km²" and
"10³" are no citations. What stands in inline code is code.
"""

import re

MOST_IN_RANGE = 10

_NAMED = (
    r"(?:see\s+)?(?:passages?|sources?|documents?|docs?|refs?\.?|references?|citations?|footnotes?"
    r"|quellen?)\s*[:#]?\s*"
)
_ONE = rf"(?:{_NAMED})?\^?\d{{1,3}}\^?"
_LIST = rf"{_ONE}(?:\s*(?:[,;&–-]|and)\s*{_ONE})*"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_DIGITS = str.maketrans(_RAISED, "0123456789")
_SMALL = (
    rf"(?:(?<=[^\W\d_]{{4}})|(?<=[^\W\d_]{{4}} )|(?<=[.!?,;:)”\"’])|(?<=[.!?] ))"
    rf"[{_RAISED}]{{1,2}}(?![\w{_RAISED}])"
)
MARK = (
    rf"(?:\\?[\[［]\s*{_LIST}\s*\\?[\]］]"
    rf"|【\s*{_ONE}[^】\n]{{0,20}}】"
    rf"|[(（]\s*{_NAMED}\^?\d{{1,3}}(?:\s*(?:[,;&–-]|and)\s*{_ONE})*\s*[)）]"
    rf"|<sup>\s*[\[(]?\s*{_LIST}\s*[\])]?\s*</sup>"
    rf"|{_SMALL})"
)
"""A citation in any of its forms but ``(1)``; the pattern has no groups of its own."""

PART_OF_MARK = (
    r"(?:\\?[\[［][\w\s,;:#.&^–-]{0,24}\\?|【[^】\n]{0,20}|[(（][\w\s,;:#.&–-]{0,24}"
    r"|<(?:s(?:u(?:p(?:>[^<\n]{0,16}(?:<(?:/(?:s(?:up?)?)?)?)?)?)?)?)?|\\)"
)
"""What may still become one when more text comes."""

ENDING = rf"[(（]\s*{_LIST}\s*[)）]"
"""``(1)``, which is a citation at the end of a sentence only."""

_CODE_OR_MARK = re.compile(rf"(?P<code>(?P<tick>`+)[^`]+(?P=tick))|(?P<mark>{MARK})", re.I)
_AT_END = re.compile(
    rf"(?P<word>[\w%]+)?(?P<stop>[.!?…\"”’]*)\s*(?P<marks>(?:{ENDING}\s*)+)(?P<end>[.!?…]*)\s*\Z",
    re.I,
)
_AT_START = re.compile(r"\A\s*[(（]\d{1,2}[)）]\s+(?=\w)")
_RANGE = re.compile(r"(\d+)\^?(?:\s*[–-]\s*\^?(\d+))?")
_NUMBERED = frozenset(
    "step steps option options figure fig table section item point part version phase level rule"
    " article no number numbers equation chapter paragraph case type class stage group schedule"
    " appendix annex clause line tier grade form question one two three four five six seven eight"
    " nine ten".split()
)


def plain_marks(text: str) -> str:
    """Return the text with each citation as ``[1]``, one pair of brackets a passage."""

    def rewrite(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        return "".join(f"[{number}]" for number in _numbers(found["mark"]))

    return _CODE_OR_MARK.sub(rewrite, _with_ending(text))


def take_marks(text: str) -> tuple[list[int], str]:
    """Return the numbers that a text cites, in order, and the text without its marks."""
    numbers: list[int] = []

    def read(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        numbers.extend(_numbers(found["mark"]))
        return ""

    text = _CODE_OR_MARK.sub(read, _with_ending(text))
    text = re.sub(r"\s+([.,;:!?…。](?:\s|$))", r"\1", text)
    return list(dict.fromkeys(numbers)), re.sub(r"\s{2,}", " ", text).strip()


def _with_ending(text: str) -> str:
    """Return the text with ``(1)`` at its end as ``[1]``, and without such a number in front."""
    text = _AT_START.sub("", text)
    ending = _AT_END.search(text)
    if ending is None or not text[: ending.start("marks")].strip():
        return text
    word = (ending["word"] or "").casefold()
    if not ending["stop"] and (word in _NUMBERED or word[-1:].isdigit()):
        return text
    marks = "".join(f"[{number}]" for number in _numbers(ending["marks"]))
    return f"{text[: ending.start('marks')]}{marks}{ending['end']}"


def _numbers(mark: str) -> list[int]:
    numbers: list[int] = []
    inner = re.sub(r":\d+", "", mark.partition("†")[0]).translate(_DIGITS)
    for first, last in _RANGE.findall(inner):
        low, high = int(first), int(last or first)
        numbers += range(low, min(high, low + MOST_IN_RANGE - 1) + 1)
    return numbers
