"""The bot speaks the language of the question where it can, and all of it."""

import dataclasses
import re

import pytest

from bot.conversation import Verdict
from bot.language import language_of
from bot.wording import ENGLISH, GERMAN, Wording, wording


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wie viele Tage Urlaub habe ich?", "de"),
        ("Was kostet ein Laptop", "de"),
        ("Laptop Kosten", "en"),  # no word tells
        ("Wo finde ich die VPN-Einstellungen?", "de"),
        ("Darf ich im Ausland arbeiten?", "de"),
        ("Wer genehmigt Reisen?", "de"),
        ("Reisekosten für Züge", "de"),
        ("How many days of leave do I have?", "en"),
        ("What does die cutting cost in Berlin?", "en"),
        ("vacation", "en"),
        ("Is the Müller account still open?", "en"),
        ("", "en"),
        ("¿Cuántos días?", "en"),
    ],
)
def test_the_language_of_a_question_is_recognised(text: str, language: str) -> None:
    assert language_of(text) == language


def said(words: Wording, name: str) -> str:
    """Return what the entry says, for callables with made-up arguments."""
    entry = getattr(words, name)
    if isinstance(entry, str):
        return entry
    given = {"disagree": ([(1, "2026-03-01"), (2, "")], 1), "filters": (["x"],), "cut": (3,)}
    given |= {"page": (3,), "updated": (400.0,)}
    return str(entry(*given.get(name, ("x",))))


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Wording)])
def test_no_sentence_of_another_language_is_forgotten(name: str) -> None:
    assert said(GERMAN, name) != said(ENGLISH, name)
    figures = re.compile(r"\d+|\bx\b")
    assert figures.findall(said(GERMAN, name)) == figures.findall(said(ENGLISH, name))


def test_a_language_that_the_bot_does_not_speak_gets_english() -> None:
    assert wording("fr") is ENGLISH


@pytest.mark.parametrize(
    ("days", "age"),
    [(-3.0, "heute"), (0.5, "heute"), (1.0, "vor 1 Tag"), (20.0, "vor 2 Wochen"),
     (70.0, "vor 2 Monaten"), (800.0, "vor 2 Jahren")],
)  # fmt: skip
def test_age_is_said_in_german_words(days: float, age: str) -> None:
    assert GERMAN.updated(days) == f"{age} geändert"


def test_verdicts_that_earlier_versions_stored_are_still_read() -> None:
    assert [Verdict(value) for value in ("answered", "partly", "not_found")] == [
        Verdict.ANSWERED,
        Verdict.PARTLY,
        Verdict.NOT_FOUND,
    ]
