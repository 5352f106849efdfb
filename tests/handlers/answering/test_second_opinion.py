"""An answer is read by a second model as well, when the operator names one."""

from collections.abc import Sequence

from bot.conversation import Answer, Question, Verdict
from handlers.adapters.openai_model import OpenAIModel
from handlers.answering.entailment import Entailment, EntailmentUnavailable, Judgement
from handlers.answering.extractive import ExtractiveAnswerer
from handlers.answering.ports import Finished
from handlers.answering.rag import ModelAnswerer
from index.documents import Passage
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.scripted_model import ScriptedModel, Streams
from tests.doubles.tiny_entailment import ToldEntailment

VACATION = "Every full-time employee receives 25 days of paid vacation per calendar year."
CARRIED = "Up to 5 unused days may be carried over until 31 March."


async def answered(passages: Sequence[Passage], entailment: Entailment) -> Answer:
    async with ScriptedModel(Streams([f"{VACATION} [1] {CARRIED} [1]"])) as server:
        model = OpenAIModel(
            model="scripted", api_key="k", base_url=server.base_url, first_token_timeout=10
        )
        answerer = ModelAnswerer(
            model,
            ExtractiveAnswerer(HashingEmbedder(256), floor=0.0),
            deadline_seconds=10,
            entailment=entailment,
        )
        events = [e async for e in answerer.answer(Question("How much vacation?"), passages)]
        await model.aclose()
    (answer,) = (event.answer for event in events if isinstance(event, Finished))
    return answer


async def test_a_sentence_that_the_second_model_contradicts_is_cut(
    passages: Sequence[Passage],
) -> None:
    opinions = {VACATION: Judgement(0.9, 0.0), CARRIED: Judgement(0.1, 0.8)}
    answer = await answered(passages, ToldEntailment(opinions))
    assert [sentence.text for sentence in answer.sentences] == [VACATION]
    assert (answer.verdict, answer.cut) == (Verdict.PARTLY, 1)


async def test_a_second_model_that_fails_leaves_quotes(passages: Sequence[Passage]) -> None:
    class Broken:
        name = "broken"

        def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
            raise EntailmentUnavailable("out of order")

    answer = await answered(passages, Broken())
    assert answer.fallback
