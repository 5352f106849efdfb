"""The sentences around an answer, in the language of the question. Pure.

English stands in messages.py. What is said before a question is read, apologies, the buttons that
ask whether an answer helped, opened footnotes and the App Home are English only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot import messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What the bot says around an answer in one language; English where nothing else is given."""

    not_found: str = messages.NOT_FOUND
    only_alone: str = messages.ONLY_ALONE
    quotes_only: str = messages.QUOTES_ONLY
    broke_off: str = messages.BROKE_OFF
    fallback: str = messages.FALLBACK
    fallback_empty: str = messages.FALLBACK_EMPTY
    partly: str = messages.PARTLY
    cut_short: str = messages.CUT_SHORT
    nearest: str = messages.NEAREST
    more_footnotes: str = messages.MORE_FOOTNOTES
    open_quote: str = messages.OPEN_QUOTE
    untitled: str = messages.UNTITLED
    unclear: Callable[[str], str] = messages.unclear
    missing: Callable[[str], str] = messages.missing
    disagree: Callable[[Sequence[tuple[int, str]], int], str] = messages.disagree
    filters: Callable[[Sequence[str]], str] = messages.filters
    cut: Callable[[int], str] = messages.cut
    page: Callable[[int], str] = messages.page
    updated: Callable[[float], str] = messages.updated


def wording(language: str) -> Wording:
    """Return the sentences of a language ("en", "de"); English for any other."""
    return GERMAN if language == "de" else ENGLISH


def _unclear(question_back: str) -> str:
    if question_back:
        return f"Ich bin nicht sicher, wonach ich suchen soll: „{question_back}“"
    return (
        "Ich bin nicht sicher, wonach ich suchen soll. Um welches Thema, Dokument oder Produkt "
        "geht es?"
    )


def _disagree(sources: Sequence[tuple[int, str]], newest: int) -> str:
    shown = [f"[{number}] ({f'Stand {day}' if day else 'ohne Datum'})" for number, day in sources]
    said = f"Die Dokumente widersprechen sich: Vergleiche {' mit '.join(shown)}."
    return f"{said} [{newest}] ist das neueste." if newest else said


def _cut(count: int) -> str:
    if count == 1:
        return "Ein Satz wurde weggelassen, weil kein Zitat ihn belegt."
    return f"{count} Sätze wurden weggelassen, weil kein Zitat sie belegt."


def _updated(days: float) -> str:
    if days < 1:
        return "heute geändert"
    units = (
        ("Jahr", "Jahren", 365.0),
        ("Monat", "Monaten", 30.5),
        ("Woche", "Wochen", 7.0),
        ("Tag", "Tagen", 1.0),
    )
    one, many, length = next(unit for unit in units if days >= unit[2])
    count = int(days // length)
    return f"vor {count} {one if count == 1 else many} geändert"


ENGLISH = Wording()
GERMAN = Wording(
    not_found="Das konnte ich in den Dokumenten nicht finden.",
    only_alone=(
        "Manche Seiten, die du lesen darfst, blieben hier außen vor, weil nicht alle in diesem "
        "Kanal sie lesen dürfen. Frag mich in einer Direktnachricht oder mit `/ask`, dann suche "
        "ich auch dort."
    ),
    quotes_only="Das sind Zitate aus den Dokumenten, ohne Sprachmodell ausgewählt.",
    broke_off="Das Sprachmodell hat abgebrochen; was hier steht, wurde geprüft.",
    fallback=(
        "Das Sprachmodell gab keine Antwort, die gezeigt werden kann; das hier sind Zitate aus den "
        "Dokumenten."
    ),
    fallback_empty=(
        "Das Sprachmodell gab keine Antwort, die gezeigt werden kann; die Dokumente wurden ohne es "
        "durchsucht."
    ),
    partly="Die Dokumente beantworten nur einen Teil der Frage.",
    cut_short="Das Sprachmodell wurde unterbrochen; hier kann etwas fehlen.",
    nearest="Die nächstliegenden Seiten",
    more_footnotes="Nicht alle Fußnoten haben hier Platz.",
    open_quote="Zitat öffnen",
    untitled="Dokument ohne Titel",
    unclear=_unclear,
    missing=lambda part: f"Diesen Teil der Frage beantworten die Dokumente nicht: „{part}“.",
    disagree=_disagree,
    filters=lambda shown: f"Die Suche war eingeschränkt: {', '.join(shown)}.",
    cut=_cut,
    page=lambda number: f"Seite {number}",
    updated=_updated,
)
