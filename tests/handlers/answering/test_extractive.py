"""ExtractiveAnswerer. Words stand in for meaning here: the vectors count them."""

import threading
from collections.abc import Callable, Sequence

import pytest

from bot.conversation import Answer, Question, Sentence, Turn, Verdict
from handlers.answering.extractive import LIKELIEST, ExtractiveAnswerer
from handlers.answering.ports import Finished, SentenceReady
from handlers.answering.refusal import FLOOR
from handlers.runtime.settings import Settings
from index.documents import Passage
from index.ports import Vector, Vectors
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.handlers.answering.conftest import make_passage

WORDS = (
    *("door key window lamp chair table carpet curtain kettle oven fridge plate spoon".split()),
    *("garden fence ladder hammer bicycle train harbour bridge".split()),
)


async def ask(
    text: str,
    passages: Sequence[Passage],
    *,
    history: tuple[Turn, ...] = (),
    related: Sequence[Passage] = (),
    floor: float = 0.3,
) -> tuple[list[Sentence], Answer]:
    shown: list[Sentence] = []
    answer: Answer | None = None
    answerer = ExtractiveAnswerer(HashingEmbedder(512), floor=floor)
    async for event in answerer.answer(Question(text, history), passages, related=related):
        if isinstance(event, SentenceReady):
            assert answer is None
            shown.append(event.sentence)
        else:
            assert isinstance(event, Finished)
            answer = event.answer
    assert answer is not None
    assert answer.sentences == tuple(shown)
    return shown, answer


async def test_the_best_sentence_is_quoted_first_and_verbatim(passages: Sequence[Passage]) -> None:
    shown, answer = await ask("Are meals on business trips reimbursed?", passages)
    assert shown[0].text == "Meals on business trips are reimbursed up to 50 euros per day."
    assert shown[0].citations == (1,)
    assert shown[0].lead == ""
    assert answer.verdict is Verdict.ANSWERED
    assert answer.citations[0].title == "Expenses"
    assert answer.model == ""
    for citation in answer.citations:
        (passage,) = [p for p in passages if p.chunk.document_id == citation.document_id]
        assert citation.quote in passage.chunk.text


async def test_at_most_three_quotes_and_their_neighbours_are_shown(
    passages: Sequence[Passage],
) -> None:
    shown, answer = await ask("days", passages, floor=0.0)
    assert 1 <= len(shown) <= 8
    assert 1 <= len(answer.citations) <= 3


async def test_neighbours_share_a_footnote_in_reading_order(
    passage: Callable[..., Passage],
) -> None:
    offered = [passage("Bob", "Bob Lindgren leads the platform team. He approves hardware orders.")]
    shown, answer = await ask("Who approves hardware orders?", offered, floor=0.0)
    assert [s.text for s in shown] == [
        "Bob Lindgren leads the platform team.",
        "He approves hardware orders.",
    ]
    assert [s.citations for s in shown] == [(1,), (1,)]
    assert [c.quote for c in answer.citations] == [offered[0].chunk.text]


async def test_a_question_that_nothing_answers_gets_the_nearest_pages(
    passages: Sequence[Passage],
) -> None:
    related = [make_passage("Zoo", "Animals.")]
    shown, answer = await ask("What is the capital of Mongolia?", passages[:2], related=related)
    assert shown == []
    assert answer.verdict is Verdict.NOT_FOUND
    assert answer.citations == ()
    assert [n.title for n in answer.nearby] == ["Vacation", "Expenses", "Zoo"]


async def test_without_passages_nothing_is_found() -> None:
    shown, answer = await ask("Anything?", [])
    assert (shown, answer.verdict) == ([], Verdict.NOT_FOUND)


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my password?",
        "See also: reset your password in the portal guide.",
        "password_reset(user, password=reset);",
        "Reset password",
        "To reset your password, do this:",
    ],
)
async def test_headings_questions_pointers_and_code_are_not_answers(
    passage: Callable[..., Passage], text: str
) -> None:
    answer_text = "You reset a password in the self-service portal."
    offered = [passage("Passwords", f"{text}\n\n{answer_text}", heading=("Reset password",))]
    shown, _ = await ask("How do I reset my password?", offered, floor=0.0)
    assert [s.text for s in shown] == [answer_text]


async def test_the_same_sentence_is_quoted_once(passage: Callable[..., Passage]) -> None:
    text = "Meals on business trips are reimbursed up to 50 euros per day."
    offered = [passage("Old", text), passage("New", text.replace(" are ", " were "))]
    shown, answer = await ask("Are meals reimbursed?", offered, floor=0.0)
    assert len(shown) == len(answer.citations) == 1


async def test_an_earlier_question_helps_a_short_follow_up(passage: Callable[..., Passage]) -> None:
    offered = [
        passage("One", "Receipts for contractors are collected by finance every month."),
        passage("Two", "Vacation for contractors is agreed in their own contract."),
    ]
    alone, _ = await ask("And for contractors?", offered, floor=0.0)
    history = (
        Turn("1", "U1", "How much vacation is there?"),
        Turn("2", "", "25 days of receipts."),
    )
    followed, _ = await ask("And for contractors?", offered, history=history, floor=0.0)
    assert followed[0].text.startswith("Vacation")
    assert {s.text for s in alone} >= {followed[0].text}


async def test_links_in_documents_are_not_passed_on(passage: Callable[..., Passage]) -> None:
    text = "Report phishing at https://evil.example/x or tell <!channel> about phishing mails."
    shown, answer = await ask("Where to report phishing?", [passage("P", text)], floor=0.0)
    assert "evil" not in shown[0].text
    assert "<!" not in shown[0].text
    assert answer.citations[0].quote == text


async def test_marks_of_a_document_are_not_taken_for_footnotes(
    passage: Callable[..., Passage],
) -> None:
    shown, _ = await ask(
        "Who founded it?", [passage("P", "It was founded in Bonn by Ada.[2] [7]")], floor=0.0
    )
    assert shown[0].text == "It was founded in Bonn by Ada."


async def test_no_prose_means_not_found(passage: Callable[..., Passage]) -> None:
    shown, answer = await ask("run", [passage("Code", "$ run --now\n\n{}\n\n| a | b |")], floor=0.0)
    assert (shown, answer.verdict) == ([], Verdict.NOT_FOUND)


class _Threaded(HashingEmbedder):
    """Notes on which threads it worked."""

    def __init__(self) -> None:
        super().__init__(64)
        self.threads: set[int] = set()

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.threads.add(threading.get_ident())
        return super().embed_documents(texts)

    def embed_query(self, text: str) -> Vector:
        self.threads.add(threading.get_ident())
        return super().embed_query(text)


async def test_the_embedder_never_blocks_the_event_loop(passages: Sequence[Passage]) -> None:
    embedder = _Threaded()
    async for _ in ExtractiveAnswerer(embedder).answer(Question("days?"), passages):
        pass
    assert embedder.threads
    assert threading.get_ident() not in embedder.threads


async def test_the_floor_is_compared_with_the_certainty(passages: Sequence[Passage]) -> None:
    question = "Are meals on business trips reimbursed?"
    sure = await ExtractiveAnswerer(HashingEmbedder(512)).certainty(Question(question), passages)
    assert 0.0 < sure < 1.0
    for floor, verdict in ((sure - 0.01, Verdict.ANSWERED), (sure + 0.01, Verdict.NOT_FOUND)):
        _, answer = await ask(question, passages, floor=floor)
        assert answer.verdict is verdict


async def test_without_a_sentence_nothing_is_certain(passage: Callable[..., Passage]) -> None:
    answerer = ExtractiveAnswerer(HashingEmbedder(512))
    assert await answerer.certainty(Question("run"), [passage("Code", "$ run --now")]) == 0.0
    assert await answerer.certainty(Question("run"), []) == 0.0


def test_only_the_likeliest_are_embedded_with_their_title(passage: Callable[..., Passage]) -> None:
    text = " ".join(f"Rule number {n} is about the {word}." for n, word in enumerate(WORDS))
    embedder = HashingEmbedder(256)
    weighed = ExtractiveAnswerer(embedder).weigh(Question("rule about lamps"), [passage("R", text)])
    assert weighed is not None
    assert len(weighed.offered) == LIKELIEST
    assert embedder.embedded == len(WORDS) + LIKELIEST


def test_the_setting_has_the_floor_that_was_calibrated() -> None:
    assert Settings.load({}).refusal_floor == FLOOR
