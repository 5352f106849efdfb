"""Is there anything to search for in a question? Pure."""

from bot.conversation import Question
from handlers.answering.lexicon import SOFT_WORDS
from handlers.answering.words import tokens

_VAGUE = frozenset(
    "help please question questions ask asking thanks thank hello hi hey test testing ok okay tell"
    " explain know understand something anything everything stuff info information more again"
    " hilfe helfen hilf bitte danke hallo frage fragen moin servus mehr wissen erklär erkläre sag"
    " erzähl etwas irgendwas alles nochmal weiter und was wer wie wo wann warum wieso geht meinst"
    " damit davon dazu hier dort da".split()
)
"""Words in which nobody names what a question is about, besides function words."""


def nothing_to_search_for(question: Question) -> bool:
    """Tell whether neither the question nor an earlier turn of a person names anything.

    "help?" and "what about it?" do not; after "How long is the trial?" the latter does.
    """
    turns = [question.text, *(turn.text for turn in question.history if not turn.by_bot)]
    return not any(map(_names_something, turns))


def _names_something(text: str) -> bool:
    words = (t for t in tokens(text) if t.content)
    return any(t.name or t.raw.casefold() not in _VAGUE | SOFT_WORDS for t in words)
