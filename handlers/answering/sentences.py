"""Cuts a stream of text into sentences, list items and code blocks as soon as each is complete.

Pure but for its own buffer. Marks such as ``[1]`` that follow a full stop belong to the sentence
before them, so a sentence is complete only when it is known that no further mark follows.
"""

import re
from dataclasses import dataclass

from handlers.answering.marks import ENDING, MARK, PART_OF_MARK

LONGEST_SENTENCE = 1000
"""Characters after which a sentence that does not end is cut; far above any honest sentence."""

LONGEST_CODE = 4000
"""Characters after which a code block that is not closed is cut."""

_FENCES = ("```", "~~~")
_ITEM = re.compile(r"(?:([-*+•–])|(\d{1,3})[.)])[ \t]+")
_MAYBE_ITEM = re.compile(r"(?:[-*+•–]|\d{1,3}[.)]?|`{1,2}|~{1,2})\Z")
_MARK = rf"(?:{MARK}|(?<=[.!?]){ENDING}|{ENDING}(?=[ \t]*(?:\n|\Z)))"
_MARKS = re.compile(rf"(?:[ \t]*{_MARK})+", re.I)
_LINE_OF_MARKS = re.compile(rf"\s*\n[ \t]*((?:[ \t]*{_MARK})+)[ \t]*(?=\n|\Z)", re.I)
_LEADING_MARKS = re.compile(rf"\s*(?:[ \t]*{_MARK})*", re.I)
_PART_OF_MARK = re.compile(rf"\s*{PART_OF_MARK}\Z", re.I)
_MARKED = re.compile(
    rf"(?:[.!?…。！？][\"'”’»)*_]*(?:[ \t]*{_MARK})+|{_MARK}[.!?…。！？][\"'”’»)*_]*)\s*\Z", re.I
)
_CLOSERS = "\"'”’»)*_"
_WIDE = "。！？"
_STOPS = ".!?…"
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“])(?:[A-Za-zÄÖÜ]|(?:[A-Za-z]\.)+[A-Za-z]|e\.g|i\.e|z\.\s?B|d\.\s?h|etc|vs|cf|approx"
    r"|ca|no|nr|fig|sec|ch|vol|pp?|dr|mr|mrs|ms|prof|st|inc|ltd|corp|dept|est|max|min|bzw|ggf|usw|inkl"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\Z",
    re.I,
)


@dataclass(frozen=True, slots=True)
class RawSentence:
    """A sentence as the model wrote it, marks included.

    ``lead`` is what stands before it: "" at the start, a space, line breaks, or a list mark.
    """

    text: str
    lead: str
    code: bool = False


class SentenceSplitter:
    """Feed it pieces of any size; it gives back what is complete."""

    def __init__(self) -> None:
        self._buffer = ""
        self._begun = False
        self._paused = False

    def feed(self, piece: str) -> list[RawSentence]:
        """Add text; return the sentences that became complete."""
        self._buffer += piece
        return self._take(final=False)

    def finish(self) -> list[RawSentence]:
        """Return what is left: the text ends here."""
        return self._take(final=True)

    def pause(self) -> list[RawSentence]:
        """Return what is whole while nothing more comes: a sentence with its stop and its marks.

        Only a further mark could still follow; it is dropped when it does, rather than taken for
        one of the next sentence.
        """
        if not _MARKED.search(self._buffer) or self._buffer.lstrip().startswith(_FENCES):
            return []
        taken = self._take(final=True)
        self._paused = bool(taken)
        return taken

    def _take(self, *, final: bool) -> list[RawSentence]:
        if self._paused and not self._past_late_marks(final):
            return []
        taken: list[RawSentence] = []
        while (raw := self._next(final)) is not None:
            if raw.text:
                self._begun = True
                taken.append(raw)
        return taken

    def _past_late_marks(self, final: bool) -> bool:
        """Drop marks that come after a pause; False while it cannot be known if they end."""
        marks = _MARKS.match(self._buffer)
        after = marks.end() if marks else 0
        if not final and (not self._buffer[after:] or _PART_OF_MARK.match(self._buffer, after)):
            return False
        self._buffer = self._buffer[after:]
        self._paused = False
        return True

    def _next(self, final: bool) -> RawSentence | None:
        rest = self._buffer.lstrip()
        if not rest:
            return None
        breaks = self._buffer[: len(self._buffer) - len(rest)].count("\n")
        line_start = not self._begun or breaks > 0
        lead = ("\n\n" if breaks > 1 else "\n" if breaks else " ") if self._begun else ""
        if line_start:
            if not final and _MAYBE_ITEM.match(rest):
                return None
            if rest.startswith(_FENCES):
                return self._code(rest, lead, final)
            item = _ITEM.match(rest)
            if item:
                mark = f"{item[2]}. " if item[2] else "- "
                lead = ("\n" if self._begun else "") + mark
                rest = rest[item.end() :]
                if not rest and not final:
                    return None
        end = _sentence_end(rest, final)
        if end is None:
            return None
        self._buffer = rest[end:]
        return RawSentence(rest[:end].strip(), lead)

    def _code(self, rest: str, lead: str, final: bool) -> RawSentence | None:
        closing = rest.find("\n" + rest[:3], 3)
        after = rest.find("\n", closing + 1) if closing >= 0 else -1
        if (closing < 0 or after < 0) and not final and len(rest) < LONGEST_CODE:
            return None
        body_start = rest.find("\n") + 1
        stop = closing if closing >= 0 else min(len(rest), LONGEST_CODE)
        body = rest[body_start:stop] if body_start else ""
        end = (after if after >= 0 else len(rest)) if closing >= 0 else stop
        marks = rest[closing + 4 : end].strip() if closing >= 0 else ""
        tail = _LINE_OF_MARKS.match(rest, end)
        if tail and (final or tail.end() < len(rest)):
            marks, end = f"{marks} {tail[1].strip()}", tail.end()
        elif not final and (tail or _may_become_marks(rest, end)):
            return None
        self._buffer = rest[end:]
        return RawSentence(f"{body}\n{marks.strip()}" if body.strip() else "", lead or "\n", True)


def _sentence_end(text: str, final: bool) -> int | None:
    """Return where the first sentence of ``text`` ends, or None while that cannot be known."""
    at = 0
    while at < len(text):
        if at >= LONGEST_SENTENCE:
            return _cut(text)
        character = text[at]
        if character == "`":
            closing = text.find("`", at + 1)
            line_end = text.find("\n", at + 1)
            if closing >= 0 and (line_end < 0 or closing < line_end):
                at = closing + 1
                continue
        if character == "\n":
            end = _line_end(text, at, final)
        elif character in _WIDE or character in _STOPS:
            end = _stop_end(text, at, final)
        else:
            end = -1
        if end is None:
            return _cut(text) if len(text) >= LONGEST_SENTENCE else None
        if end >= 0:
            return end
        at += 1
    if final:
        return len(text)
    return _cut(text) if len(text) >= LONGEST_SENTENCE else None


def _cut(text: str) -> int:
    blank = text.rfind(" ", 1, LONGEST_SENTENCE)
    return blank if blank > 0 else min(len(text), LONGEST_SENTENCE)


def _line_end(text: str, at: int, final: bool) -> int | None:
    """A line break ends a sentence unless a softly wrapped line goes on in lower case."""
    rest = text[at:]
    following = rest.lstrip()
    if not following:
        return at if final else None
    marks = _LINE_OF_MARKS.match(text, at)
    if marks and (final or marks.end() < len(text)):
        return marks.end()
    if not final and (marks or _may_become_marks(text, at)):
        return None
    wrapped = rest[: len(rest) - len(following)].count("\n") == 1 and following[0].islower()
    return -1 if wrapped else at


def _stop_end(text: str, at: int, final: bool) -> int | None:
    """Return the end of a sentence that may stop at ``at``, -1 if it does not, None if unknown."""
    end = at + 1
    while end < len(text) and (text[end] in _STOPS or text[end] in _WIDE or text[end] in _CLOSERS):
        end += 1
    marks = _MARKS.match(text, end)
    after = marks.end() if marks else end
    if after >= len(text):
        return after if final else None
    if not final and _PART_OF_MARK.match(text, after):
        return None
    if text[at] in _WIDE:
        return after if final or text[after:].strip() else None
    following = text[after:].lstrip()
    blank = text[after : len(text) - len(following)]
    if marks and (not blank or not following):
        return after if following or final else None
    if not blank:
        return -1
    if not following:
        return after if final or ("\n" in blank and not _may_be_marks(text, after)) else None
    if "\n" in blank:
        return _line_end(text, after, final) if _may_be_marks(text, after) else after
    if marks:
        return after
    if text[at] == "." and _ABBREVIATION.search(text[:at]):
        return -1
    return -1 if following[0].islower() else after


def _may_be_marks(text: str, at: int) -> bool:
    following = text[at:].lstrip()
    return not following or following[0] in "[［【(（<\\"


def _may_become_marks(text: str, at: int) -> bool:
    """Tell whether all that stands behind ``at`` is marks, the last of them perhaps unfinished."""
    marks = _LEADING_MARKS.match(text, at)
    after = marks.end() if marks else at
    return not text[after:].strip() or bool(_PART_OF_MARK.match(text, after))
