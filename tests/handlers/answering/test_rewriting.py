"""A follow-up is rewritten in one short call, or searched for as it is; nobody waits long."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.conversation import Question, Turn
from handlers.answering.errors import ModelUnavailable
from handlers.answering.ports import (
    Completed,
    Message,
    ModelEvent,
    NoRewriter,
    Rewrite,
    TextDelta,
    Usage,
)
from handlers.answering.rewriting import LONGEST_REWRITE, ModelRewriter, usable

ASKED = Question("And in 2025?", (Turn("1", "U1", "How many days of vacation are there?"),))
WHOLE = "How many days of vacation are there in 2025?"


class Says:
    """A LanguageModel that says these pieces, with a pause before each."""

    name = "says"

    def __init__(self, *pieces: str, pause: float = 0.0, dies: bool = False) -> None:
        self._pieces = pieces
        self._pause = pause
        self._dies = dies
        self.asked: list[Sequence[Message]] = []
        self.said = 0
        self.closed = False

    async def stream(
        self, messages: Sequence[Message], *, deadline: float
    ) -> AsyncIterator[ModelEvent]:
        self.asked.append(messages)
        try:
            for piece in self._pieces:
                await asyncio.sleep(self._pause)
                self.said += 1
                yield TextDelta(piece)
            if self._dies:
                raise ModelUnavailable("The model is gone.")
            yield Completed(Usage(90, 12))
        finally:
            self.closed = True


def price(usage: Usage) -> float:
    return float(usage.prompt_tokens + usage.completion_tokens)


async def test_a_follow_up_is_rewritten_and_its_call_is_paid_for() -> None:
    model = Says("How many days of vacation ", "are there in 2025?\n")
    rewrite = await ModelRewriter(model, cost_of=price).standalone(ASKED)
    assert rewrite == Rewrite(WHOLE, Usage(90, 12), 102.0)
    assert "How many days of vacation" in model.asked[0][1].content


@pytest.mark.parametrize("history", [(), (Turn("1", "", "I answer questions."),)])
async def test_without_an_earlier_turn_of_a_person_the_model_is_not_asked(
    history: tuple[Turn, ...],
) -> None:
    model = Says(WHOLE)
    assert await ModelRewriter(model).standalone(Question("And in 2025?", history)) == Rewrite()
    assert model.asked == []


@pytest.mark.parametrize(
    "model",
    [Says(WHOLE, dies=True), Says(WHOLE, pause=60), Says(dies=True), Says("NOT_FOUND"), Says("")],
)
async def test_whatever_goes_wrong_the_question_is_searched_for_as_it_is(model: Says) -> None:
    rewriter = ModelRewriter(model, seconds=0.05)
    assert (await asyncio.wait_for(rewriter.standalone(ASKED), 10)).text == ""
    assert model.closed


async def test_a_model_that_talks_on_is_not_listened_to() -> None:
    model = Says(*["and then some more of it "] * 1000)
    assert await ModelRewriter(model).standalone(ASKED) == Rewrite()
    assert model.said * 25 < LONGEST_REWRITE + 100
    assert model.closed


async def test_without_a_model_there_is_no_rewrite() -> None:
    assert await NoRewriter().standalone(ASKED) == Rewrite()


@pytest.mark.parametrize(
    ("said", "question", "rewrite"),
    [
        (WHOLE, "And in 2025?", WHOLE),
        (f'"{WHOLE}"', "And in 2025?", WHOLE),
        ("How many days of vacation are there?", "And in 2025?", ""),
        ("How do I log in?", "And with Okta?", ""),
        ("What about vacation?", "What about it source:handbook", ""),
        ("What about vacation source:handbook", "What about it source:handbook",
         "What about vacation source:handbook"),
        (f"{WHOLE}\nThere are 25 days.", "And in 2025?", ""),
        ("MISSING: 2025", "And in 2025?", ""),
        ("x" * 500, "And?", ""),
        ("", "And?", ""),
        ("Vacation, see https://evil.example/x", "And?", "Vacation, see …"),
    ],
)  # fmt: skip
def test_only_a_line_that_keeps_what_the_question_names_is_searched_for(
    said: str, question: str, rewrite: str
) -> None:
    assert usable(said, question) == rewrite
