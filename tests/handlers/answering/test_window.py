"""What is offered to a model fits its context window, the most valuable first."""

from collections.abc import Sequence

import pytest

from bot.conversation import Question
from handlers.answering.ports import Message
from handlers.answering.prompts import messages
from handlers.answering.window import ANSWER_TOKENS, fitting, tokens_in
from index.documents import Passage
from tests.handlers.answering.conftest import make_passage

OFFERED = [make_passage(f"Page {n}", f"Fact {n}. " + "word " * 120) for n in range(8)]


def asked(kept: Sequence[Passage]) -> list[Message]:
    return messages(Question("How long?"), kept, nonce="n0nce")


def needed(kept: Sequence[Passage]) -> int:
    return sum(tokens_in(m.content) for m in asked(kept))


def test_a_large_window_takes_all_passages() -> None:
    assert fitting(OFFERED, 100_000, asked) == tuple(OFFERED)


@pytest.mark.parametrize("window", [2200, 2600, 3000])
def test_a_small_window_takes_the_best_that_fit_and_room_for_the_answer(window: int) -> None:
    kept = fitting(OFFERED, window, asked)
    assert 1 <= len(kept) < len(OFFERED)
    assert kept == tuple(OFFERED[: len(kept)])
    assert needed(kept) + ANSWER_TOKENS <= window
    assert needed(OFFERED[: len(kept) + 1]) + ANSWER_TOKENS > window - 32


def test_the_very_best_passage_is_offered_in_any_case() -> None:
    assert fitting(OFFERED, 1, asked) == (OFFERED[0],)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abc", 1), ("abcd", 2), ("日本語", 3), ("Größe", 3)]
)
def test_tokens_are_rather_counted_too_many(text: str, tokens: int) -> None:
    assert tokens_in(text) == tokens
