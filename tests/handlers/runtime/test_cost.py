"""The prices in the settings reach the answer."""

from collections.abc import Sequence

import pytest

from bot.conversation import Answer, Question
from handlers.answering.ports import Finished
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import answerer
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.scripted_model import ScriptedModel, Streams
from tests.handlers.answering.conftest import make_passage


async def asked(*pieces: str, **settings: str) -> Answer:
    text = "Every full-time employee receives 25 days of paid vacation per calendar year."
    passages = [make_passage("Vacation", text)]
    finished: Sequence[Answer] = []
    async with ScriptedModel(Streams(pieces)) as server:
        environ = {"OPENAI_MODEL": "scripted", "OPENAI_BASE_URL": server.base_url, **settings}
        async with answerer(Settings.load(environ), HashingEmbedder(256)) as answers:
            events = answers.answer(Question("How many days of paid vacation?"), passages)
            finished = [event.answer async for event in events if isinstance(event, Finished)]
    return finished[0]


@pytest.mark.parametrize(
    ("prices", "rates"),
    [(("2.5", "10"), (2.5, 10.0)), (("2.5", "0"), (2.5, 0.0)), (("0", "10"), (0.0, 10.0))],
)
async def test_an_answer_costs_its_tokens_times_their_prices(
    prices: tuple[str, str], rates: tuple[float, float]
) -> None:
    answer = await asked(
        "NOT_FOUND", FOOTNOTE_MODEL_PRICE_IN=prices[0], FOOTNOTE_MODEL_PRICE_OUT=prices[1]
    )
    assert answer.prompt_tokens > 0
    assert answer.completion_tokens > 0
    expected = (answer.prompt_tokens * rates[0] + answer.completion_tokens * rates[1]) / 1e6
    assert answer.cost == pytest.approx(expected)


async def test_without_prices_the_cost_is_unknown_and_not_nothing() -> None:
    answer = await asked("NOT_FOUND")
    assert answer.cost is None
    assert answer.prompt_tokens > 0
