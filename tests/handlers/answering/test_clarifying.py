"""A question that names nothing is asked back; one that names anything is searched for."""

import pytest

from bot.conversation import Question, Turn
from handlers.answering.clarifying import nothing_to_search_for


@pytest.mark.parametrize(
    "text",
    ["help?", "What about it?", "???", "hello", "Can you help me please?", "why", "And then?",
     "Tell me more", "Hilfe!", "Was ist das?", "Wie geht das?", "👍"],
)  # fmt: skip
def test_a_question_that_names_nothing_has_nothing_to_search_for(text: str) -> None:
    assert nothing_to_search_for(Question(text))


@pytest.mark.parametrize(
    "text",
    ["vacation", "How do I log in?", "What is IT?", "401k", "deploy", "Who is Anna?", "VPN?",
     "休暇は何日ですか", "Urlaub", "What changed?", "holiday help", "error 404", "`make test`"],
)  # fmt: skip
def test_a_question_that_names_anything_is_searched_for(text: str) -> None:
    assert not nothing_to_search_for(Question(text))


def test_an_earlier_turn_of_a_person_names_what_a_follow_up_is_about() -> None:
    asked = (Turn("1", "U1", "How long is the trial?"), Turn("2", "", "14 days."))
    assert not nothing_to_search_for(Question("What about it?", asked))


def test_what_the_bot_said_names_nothing() -> None:
    assert nothing_to_search_for(Question("What about it?", (Turn("1", "", "Trial pages."),)))
