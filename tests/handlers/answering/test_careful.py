"""Whoever answers: contradicting pages are quoted both, and an empty question is asked back."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from bot.conversation import Answer, Question, Verdict
from bot.notes import notes
from handlers.answering.careful import CarefulAnswerer
from handlers.answering.extractive import ExtractiveAnswerer
from handlers.answering.ports import Answerer, AnswerEvent
from index.documents import Passage
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.handlers.answering.conftest import make_passage
from tests.handlers.answering.test_rag import collect

ASKED = Question("How many days of paid vacation does a full-time employee receive?")
OLD = "Every full-time employee receives 28 days of paid vacation per calendar year."


@dataclass
class Unasked:
    """An Answerer that nobody may ask."""

    asked: list[Question] = field(default_factory=list)

    async def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        raise AssertionError("asked")
        yield


def quoting() -> Answerer:
    return CarefulAnswerer(ExtractiveAnswerer(HashingEmbedder(256), floor=0.0))


async def asked(
    passages: Sequence[Passage], question: Question = ASKED, answerer: Answerer | None = None
) -> Answer:
    return (await collect((answerer or quoting()).answer(question, passages)))[1]


async def test_a_question_that_names_nothing_is_asked_back_by_nobody_else() -> None:
    answer = await asked((), Question("help?"), CarefulAnswerer(Unasked()))
    assert (answer.verdict, answer.sentences) == (Verdict.UNCLEAR, ())


async def test_two_pages_that_contradict_each_other_are_both_quoted_with_their_dates(
    passages: Sequence[Passage],
) -> None:
    old = replace(make_passage("Benefits", OLD), updated_at=datetime(2024, 5, 1, tzinfo=UTC))
    answer = await asked([passages[0], old])
    assert answer.verdict is Verdict.DISAGREE
    text = " ".join(s.text for s in answer.sentences)
    assert "25 days" in text
    assert "28 days" in text
    cited = {c.number: c.title for c in answer.citations}
    assert sorted(cited[number] for number in answer.disagreement) == ["Benefits", "Vacation"]
    said = notes(answer)[0]
    assert "updated 2026-03-01" in said
    assert "updated 2024-05-01" in said
    newest = next(number for number, title in cited.items() if title == "Vacation")
    assert said.endswith(f"[{newest}] is the newest.")


async def test_a_contradiction_is_quoted_even_where_the_answer_had_left_it_out(
    passages: Sequence[Passage],
) -> None:
    far = "Meals on business trips are reimbursed up to 50 euros per day."
    near = make_passage("Travel", f"{far} Trains are booked by the team.", similarity=0.9)
    other = make_passage("Old rules", f"Trains are loud. {far.replace('50', '70')}", similarity=0.0)
    answer = await asked([near, other], Question("How much is reimbursed for meals on trips?"))
    assert answer.verdict is Verdict.DISAGREE
    assert {c.title for c in answer.citations} == {"Travel", "Old rules"}
    quotes = {c.number: c.quote for c in answer.citations}
    assert all(number in quotes for number in answer.disagreement)
    assert any("70 euros" in quote for quote in quotes.values())


async def test_pages_that_agree_or_speak_of_other_cases_do_not_disagree(
    passages: Sequence[Passage],
) -> None:
    same = make_passage("Benefits", OLD.replace("28", "25"))
    others = make_passage("Interns", OLD.replace("full-time employee", "intern"))
    answer = await asked([*passages, same, others])
    assert (answer.verdict, answer.disagreement) == (Verdict.ANSWERED, ())


async def test_what_a_page_says_of_itself_twice_is_no_disagreement_of_documents(
    passages: Sequence[Passage],
) -> None:
    again = make_passage("Vacation", OLD, ordinal=1)
    assert (await asked([passages[0], again])).verdict is Verdict.ANSWERED


@pytest.mark.parametrize(
    ("text", "language"),
    [("Wie viele Tage Urlaub bekomme ich?", "de"), ("How many days of vacation?", "en")],
)
async def test_the_answer_knows_the_language_of_its_question(
    text: str, language: str, passages: Sequence[Passage]
) -> None:
    assert (await asked(passages, Question(text))).language == language
