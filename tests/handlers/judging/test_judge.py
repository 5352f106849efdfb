"""Judged questions asked of a real index and a real answerer."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.conversation import Answer, Question, Turn, Verdict
from handlers.answering.extractive import ExtractiveAnswerer
from handlers.answering.ports import Rewrite
from handlers.judging.evidence import Witness
from handlers.judging.judge import Desk, Judged, answer_values, judge
from handlers.judging.questions import Asked, questions_of, sample
from handlers.judging.remembering import NotingEmbedder, RememberingEmbedder
from index.audience import Audience
from index.documents import Passage, stable_id
from index.errors import EmbedderUnreachable
from index.lance import LanceIndex
from index.ports import Vector
from index.retrieval import Retriever
from index.sources.judged import JudgedSet
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.handlers.judging.conftest import make_answer, make_passage

PAGES = {
    "tea": "Tea is served at four in the garden. It is free for everybody.",
    "dogs": "Dogs sleep in the basement of the house. They bark at night.",
    "pay": "Salaries are paid on the last day of each month by bank transfer.",
}
FLOOR = 0.35


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder(dimensions=256)


@pytest.fixture
async def index(tmp_path: Path, embedder: HashingEmbedder) -> AsyncIterator[LanceIndex]:
    index = LanceIndex(
        str(tmp_path / "index"), embedder=embedder.name, dimensions=embedder.dimensions
    )
    await index.stage([entry(embedder, name, text) for name, text in PAGES.items()])
    await index.commit()
    yield index
    await index.close()


async def ids(index: LanceIndex, embedder: HashingEmbedder) -> dict[str, str]:
    """Text -> id of its document."""
    retriever = Retriever(index, embedder)
    found = await retriever.retrieve("tea dogs salaries", Audience.everyone())
    return {p.chunk.text: p.chunk.document_id for p in found.ranking}


async def asked_of(index: LanceIndex, embedder: HashingEmbedder) -> list[Asked]:
    documents = await ids(index, embedder)
    return [
        Asked(
            "tea",
            Question("When is tea served in the garden?"),
            gold={documents[PAGES["tea"]]: 1},
            answers=("at four",),
            gold_sentences=(("Tea is served at four in the garden .",),),
        ),
        Asked("moon", Question("Which rocket flew to Jupiter?"), impossible=True),
    ]


async def test_every_figure_that_applies_is_kept_and_no_other(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    answerer = ExtractiveAnswerer(embedder, floor=FLOOR)
    witness = Witness(embedder, floor=FLOOR)
    desk = Desk(Retriever(index, embedder), answerer, evidence=witness.of)
    steps: list[tuple[int, int]] = []
    heard: list[str] = []

    async def hear(one: Judged) -> None:
        heard.append(one.asked.id)

    tea, moon = await judge(
        await asked_of(index, embedder),
        lambda n: desk,
        progress=lambda done, total: steps.append((done, total)),
        also=hear,
    )
    for name in ("ndcg_at_10", "mrr_at_10", "recall_at_1", "answered", "decision"):
        assert tea.values[name] == 1.0, name
    for name in ("first_footnote_gold", "answer_in_quotes", "citation_recall"):
        assert tea.values[name] == 1.0, name
    assert tea.values["faithfulness"] > 0.9
    assert tea.values["exact_match"] == 0.0
    assert moon.values == {"refused": 1.0, "decision": 1.0}
    assert steps == [(1, 2), (2, 2)]
    assert heard == ["tea", "moon"]
    assert tea.seconds is not None and tea.retrieval_seconds is not None
    assert 0 < tea.retrieval_seconds < tea.seconds


async def test_the_evidence_of_a_witness_is_what_the_answerer_decides_by(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    questions = await asked_of(index, embedder)
    witness = Witness(embedder, floor=FLOOR)
    for floor in (0.0, FLOOR, 0.99):
        answerer = ExtractiveAnswerer(embedder, floor=floor)
        desk = Desk(Retriever(index, embedder), answerer, evidence=witness.of)
        for one in await judge(questions, lambda n, desk=desk: desk):
            assert one.evidence is not None and one.answer is not None
            assert (one.answer.verdict is Verdict.NOT_FOUND) == (one.evidence < floor)


async def test_with_retrieval_only_nothing_is_said_of_answers(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    desk = Desk(Retriever(index, embedder), None)
    tea, moon = await judge(await asked_of(index, embedder), lambda n: desk)
    assert set(tea.values) == {
        *("recall_at_1", "recall_at_5", "recall_at_10", "ndcg_at_10", "mrr_at_10")
    }
    assert (dict(moon.values), tea.answer, tea.seconds) == ({}, None, None)


async def test_earlier_turns_reach_the_search_and_a_rewrite_takes_their_place(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    class Rewriter:
        async def standalone(self, question: Question) -> Rewrite:
            return Rewrite("When are salaries paid?")

    documents = await ids(index, embedder)
    question = Question("And where?", (Turn("0", "user", "dogs sleep"), Turn("1", "", "Hm.")))
    asked = Asked("q", question, gold={documents[PAGES["dogs"]]: 1})
    assert asked.earlier == ("dogs sleep",)
    retriever = Retriever(index, embedder)
    (plain,) = await judge([asked], lambda n: Desk(retriever, None))
    assert plain.values["recall_at_1"] == 1.0
    (rewritten,) = await judge([asked], lambda n: Desk(retriever, None, Rewriter()))
    assert rewritten.values["recall_at_1"] == 0.0


def test_a_footnote_to_another_page_than_the_gold_one_is_not_gold() -> None:
    passage = make_passage("Tea", "Tea is served at four.")
    answer = make_answer("Tea is served at four.", passage)
    asked = Asked("q", Question("When?"), gold={stable_id("files", "Tea"): 1})
    right = answer_values(asked, answer, [passage], {passage.chunk.document_id})
    wrong = answer_values(asked, answer, [passage], set())
    assert (right["first_footnote_gold"], wrong["first_footnote_gold"]) == (1.0, 0.0)


def test_a_refused_question_counts_as_zero_where_an_answer_was_due() -> None:
    asked = Asked(
        "q", Question("When?"), gold={"d": 1}, answers=("four",), gold_sentences=(("At four.",),)
    )
    values = answer_values(asked, Answer(Verdict.NOT_FOUND), [], set())
    assert values == {
        **dict.fromkeys(("answered", "decision", "citation_recall", "citation_f1"), 0.0),
        **dict.fromkeys(("answer_in_quotes", "exact_match", "answer_f1"), 0.0),
    }


def test_a_set_gives_its_judged_and_its_impossible_questions_with_their_conversations(
    tmp_path: Path,
) -> None:
    turns = [{"speaker": "user", "text": "Hi"}, {"speaker": "agent", "text": "Yes?"}]
    rows = [
        {
            "id": "a",
            "text": "When?",
            "conversation": [*turns, {"speaker": "user", "text": "When?"}],
        },
        {"id": "b", "text": "Who?", "is_impossible": True},
        {"id": "c", "text": "Nobody judged this."},
        {"id": "d", "text": "Judged as irrelevant."},
    ]
    (tmp_path / "corpus.jsonl").write_text('{"id": "t", "title": "Tea", "text": "At four."}')
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "qrels.tsv").write_text("q\td\tg\na\tt\t1\nb\tt\t1\nd\tt\t0\n")
    judged = JudgedSet.load(tmp_path)
    first, second = questions_of(judged)
    assert first.gold == {stable_id(judged.name, "t"): 1}
    assert [(turn.text, turn.by_bot) for turn in first.question.history] == [
        ("Hi", False),
        ("Yes?", True),
    ]
    assert first.earlier == ("Hi",)
    assert (second.id, second.impossible, dict(second.judgements)) == ("b", True, {})
    assert questions_of(judged, last_turn=True)[0].question.history == ()


def test_a_sample_is_always_the_same_and_not_the_beginning() -> None:
    every = [Asked(str(n), Question("?"), impossible=n >= 500) for n in range(1000)]
    chosen = sample(every, 100)
    assert chosen == sample(list(every), 100)
    assert [one for one in every if one in chosen] == chosen
    assert 30 < sum(one.impossible for one in chosen) < 70
    assert {one.id for one in sample(every, 50)} <= {one.id for one in chosen}
    assert sample(every, None) == sample(every, 5000) == every


def test_what_was_embedded_once_is_remembered_and_kept(
    tmp_path: Path, embedder: HashingEmbedder
) -> None:
    place = tmp_path / "kept" / "vectors.npz"
    first = RememberingEmbedder(embedder, place=place)
    wanted = embedder.embed_documents(["a b", "c", "a b"])
    before = embedder.embedded
    assert (first.embed_documents(["a b", "c", "a b"]) == wanted).all()
    assert embedder.embedded == before + 2
    NotingEmbedder(embedder, first).embed_documents(["noted"])
    first.embed_query("a b")
    first.keep()

    class Forbidden(HashingEmbedder):
        def embed_query(self, text: str) -> Vector:
            raise AssertionError(f"{text} is embedded again")

    again = RememberingEmbedder(Forbidden(dimensions=256), place=place)
    assert (again.embed_documents(["c", "noted", "a b"])[[0, 2]] == wanted[[1, 2]]).all()
    assert (again.embed_query("a b") == embedder.embed_query("a b")).all()
    assert again.embed_documents([]).shape == (0, 256)


def test_documents_are_embedded_by_the_one_that_is_made_for_it() -> None:
    light, heavy = HashingEmbedder(dimensions=256), HashingEmbedder(dimensions=256)
    both = RememberingEmbedder(light, documents=heavy)
    both.embed_documents(["a", "b"])
    both.embed_query("a")
    assert (light.embedded, heavy.embedded) == (0, 2)


def test_vectors_of_another_embedder_or_of_a_broken_file_are_not_used(
    tmp_path: Path, embedder: HashingEmbedder
) -> None:
    place = tmp_path / "vectors.npz"
    first = RememberingEmbedder(embedder, place=place)
    first.embed_documents(["a"])
    first.keep()
    other = HashingEmbedder(dimensions=256, name="another")
    assert RememberingEmbedder(other, place=place).embed_documents(["a"]).shape == (1, 256)
    assert other.embedded == 1
    place.write_bytes(place.read_bytes()[:-40])
    RememberingEmbedder(embedder, place=place).embed_documents(["a"])
    place.write_bytes(b"no file of vectors")
    RememberingEmbedder(embedder, place=place).embed_documents(["a"])
    assert embedder.embedded == 3


async def test_questions_are_asked_side_by_side_unless_their_time_is_taken(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    answerer = ExtractiveAnswerer(embedder, floor=FLOOR)
    tea, moon = await asked_of(index, embedder)
    met = asyncio.Barrier(4)
    now, most = 0, 0

    async def waits_for_the_others(question: Question, passages: Sequence[Passage]) -> float:
        async with asyncio.timeout(10):
            await met.wait()
        return 0.5

    async def alone(question: Question, passages: Sequence[Passage]) -> float:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return 0.5

    retriever = Retriever(index, embedder)
    quick = Desk(retriever, answerer, evidence=waits_for_the_others, timed=False)
    slow = Desk(retriever, answerer, evidence=alone)
    questions = [tea, moon, tea, moon, tea, moon]
    judged = await judge(questions, lambda n: slow if n < 2 else quick)
    assert [one.asked.id for one in judged] == [one.id for one in questions]
    assert [one.seconds is None for one in judged] == [False] * 2 + [True] * 4
    assert most == 1


async def test_what_stops_one_of_many_stops_them_all_and_is_raised_itself(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    async def fails(question: Question, passages: Sequence[Passage]) -> float:
        raise EmbedderUnreachable("It does not answer.")

    answerer = ExtractiveAnswerer(embedder, floor=FLOOR)
    desk = Desk(Retriever(index, embedder), answerer, evidence=fails, timed=False)
    with pytest.raises(EmbedderUnreachable):
        await judge(await asked_of(index, embedder), lambda n: desk)
