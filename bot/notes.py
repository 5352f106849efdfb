"""What is less than whole about an answer, and what is said where there is none. Pure."""

from datetime import UTC

from bot.conversation import Answer, Verdict
from bot.markup import cut, one_line
from bot.wording import Wording, wording

LONGEST_PART = 160
"""UTF-16 units of a missing part or a question back: a line, no speech."""

_MOST_FILTERS = 5


def instead(answer: Answer) -> str:
    """Return the sentence that stands in for an answer without sentences; plain text."""
    words = wording(answer.language)
    if answer.verdict is Verdict.UNCLEAR:
        return words.unclear(_line(answer.question_back))
    return words.not_found


def notes(answer: Answer) -> list[str]:
    """Return the sentences that stand below an answer; plain text, one line each."""
    words = wording(answer.language)
    said = [_disagreement(answer, words)] if answer.disagreement and answer.sentences else []
    if answer.fallback:
        if not answer.sentences:
            said.append(words.fallback_empty)
        else:
            said.append(words.broke_off if answer.model else words.fallback)
    elif answer.sentences and not answer.model:
        said.append(words.quotes_only)
    said += _gaps(answer, words)
    if answer.filters:
        said.append(words.filters([_line(shown) for shown in answer.filters[:_MOST_FILTERS]]))
    return said


def _gaps(answer: Answer, words: Wording) -> list[str]:
    """Say what is missing, and why: each reason that is known, or none of them."""
    gaps = []
    if answer.missing and answer.sentences:
        gaps.append(words.missing(_line(answer.missing)))
    if answer.cut > 0:
        gaps.append(words.cut(answer.cut))
    if answer.truncated and answer.sentences:
        gaps.append(words.cut_short)
    if not gaps and answer.sentences and answer.verdict is Verdict.PARTLY and not answer.fallback:
        gaps.append(words.partly)
    return gaps


def _disagreement(answer: Answer, words: Wording) -> str:
    cited = {c.number: c.updated_at for c in answer.citations if c.number in answer.disagreement}
    days = {
        number: (at.astimezone(UTC) if at.tzinfo else at).date().isoformat() if at else ""
        for number, at in cited.items()
    }
    newest = max(days, key=lambda number: days[number], default=0)
    # Of two of one day, and beside one without a date, none can be called the newest.
    certain = all(days.values()) and list(days.values()).count(days.get(newest, "")) == 1
    return words.disagree(list(days.items()), newest if certain else 0)


def _line(text: str) -> str:
    return cut(one_line(text), LONGEST_PART)
