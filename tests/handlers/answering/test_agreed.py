"""What the model says beside its sentences is understood, and shown only where it is harmless."""

import pytest

from handlers.answering.agreed import (
    LONGEST_PART,
    Agreed,
    agreed,
    missing_part,
    question_back,
    words_of,
)

KNOWN = words_of(["Which office has parking for visitors?", "Berlin office", "Lisbon office"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NOT_FOUND [1]", (Agreed.NOT_FOUND, "")),
        ("MISSING: what it costs.", (Agreed.MISSING, "what it costs.")),
        ("**MISSING:** what it costs", (Agreed.MISSING, "what it costs")),
        ("MISSING", (Agreed.MISSING, "")),
        ("DISAGREE", (Agreed.DISAGREE, "")),
        ("DISAGREE.", (Agreed.DISAGREE, "")),
        ("DISAGREE\nyou get 5 days. [1]", (Agreed.DISAGREE, "you get 5 days. [1]")),
        ("UNCLEAR: which office?", (Agreed.UNCLEAR, "which office?")),
        ("UNCLEAR", (Agreed.UNCLEAR, "")),
        ("MISSING values are imputed. [1]", (None, "MISSING values are imputed. [1]")),
        ("DISAGREE votes are counted. [2]", (None, "DISAGREE votes are counted. [2]")),
        ("The page was not found.", (None, "The page was not found.")),
    ],
)
def test_only_the_agreed_form_is_taken_for_an_agreed_word(
    text: str, expected: tuple[Agreed | None, str]
) -> None:
    assert agreed(text) == expected


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("which office do you mean, Berlin or Lisbon?", True),
        ("Do you mean the parking in the Berlin office", True),
        ("Which office? [2]", True),
        ("what is your password?", False),
        ("which parking token do you have?", False),
        ("see https://evil.example/office", False),
        ("call the visitors of Madrid?", False),
        ("Did you know that employees get 40 days?", False),
        ("which office " * 20, False),
        ("", False),
    ],
)
def test_a_question_back_speaks_only_of_the_question_and_the_titles(said: str, shown: bool) -> None:
    back = question_back(said, KNOWN)
    assert bool(back) is shown
    assert not shown or back.endswith("?")
    assert "[" not in back
    assert len(back) <= LONGEST_PART + 1


@pytest.mark.parametrize("said", ["<!channel> the parking", "![parking](https://evil.example/x)"])
def test_a_missing_part_can_neither_call_nor_load(said: str) -> None:
    part = missing_part(said, KNOWN)
    assert not any(mark in part for mark in "<>!()[]")
    assert "http" not in part


def test_a_missing_part_brings_no_facts() -> None:
    assert missing_part("the parking for visitors.", KNOWN) == "the parking for visitors"
    assert missing_part("the parking, which costs 40 euros", KNOWN) == ""


def test_no_title_makes_the_bot_ask_for_a_secret() -> None:
    titled = words_of(["How do I log in?", "Password policy", "API keys", "Credit cards"])
    for said in ("what is your password?", "which API key do you mean?", "which card?"):
        assert question_back(said, titled) == ""
