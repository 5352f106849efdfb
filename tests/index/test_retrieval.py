"""From a question to passages, on a real index."""

from collections.abc import Sequence

import numpy as np
import pytest

from index.audience import Audience, Principal
from index.errors import EmbedderMismatch, IndexMissing
from index.lance import LanceIndex
from index.ports import Vector
from index.retrieval import Retriever
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder


class RecordingEmbedder(HashingEmbedder):
    """Remembers the questions, to see which vector a search must have used."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []

    def embed_query(self, text: str) -> Vector:
        self.questions.append(text)
        return super().embed_query(text)


async def fill(index: LanceIndex, embedder: HashingEmbedder) -> int:
    await index.stage(
        [
            entry(embedder, "leave", "Annual leave is thirty days.", "Carry over ends in March."),
            entry(embedder, "travel", "Travel is booked by the office.", "Trains come first."),
            entry(embedder, "long", *(f"Leave rule number {n} of many." for n in range(6))),
        ]
    )
    return await index.commit()


async def test_the_passage_that_answers_comes_first_with_its_version(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    version = await fill(index, embedder)
    found = await Retriever(index, embedder).retrieve("annual leave days", Audience.everyone())
    assert found.passages[0].chunk.text == "Annual leave is thirty days."
    assert found.passages[0].score == pytest.approx(1.0)
    assert found.index_version == version


async def test_the_context_keeps_its_budget_and_the_rest_is_related(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    await fill(index, embedder)
    retriever = Retriever(index, embedder, limit=3, context_characters=80)
    found = await retriever.retrieve("leave rule number", Audience.everyone())
    assert 1 <= len(found.passages) <= 3
    assert sum(len(one.chunk.text) for one in found.passages) <= 80
    shown = {one.chunk.document_id for one in found.passages}
    related = [one.chunk.document_id for one in found.related]
    assert related and len(set(related)) == len(related)
    assert not shown & set(related)


async def test_one_document_gives_three_passages_at_most(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    await fill(index, embedder)
    found = await Retriever(index, embedder).retrieve("leave rule number", Audience.everyone())
    documents = [one.chunk.document_id for one in found.passages]
    assert max(documents.count(one) for one in documents) == 3


async def test_a_ranking_for_evaluation_is_whole(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    await fill(index, embedder)
    retriever = Retriever(index, embedder, limit=1, context_characters=10)
    ranked = await retriever.rank("leave rule number", Audience.everyone())
    assert len(ranked) == 10
    assert [one.score for one in ranked] == sorted((o.score for o in ranked), reverse=True)
    assert (
        await retriever.rank("leave", Audience.everyone(), limit=2)
        == (await retriever.rank("leave", Audience.everyone()))[:2]
    )


async def test_only_what_the_audience_may_read_is_offered_or_related(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    boss = Principal("group", "boss")
    await fill(index, embedder)
    await index.stage(
        [entry(embedder, "pay", "Leave pay of the board.", readers=frozenset({boss.id}))]
    )
    await index.commit()
    found = await Retriever(index, embedder, limit=20).retrieve("leave pay", Audience.everyone())
    offered = [*found.passages, *found.related]
    assert offered
    assert all("board" not in one.chunk.text for one in offered)
    theirs = await Retriever(index, embedder).retrieve("leave pay", Audience.of([boss]))
    assert [one.chunk.text for one in theirs.passages] == ["Leave pay of the board."]


async def test_earlier_turns_pull_a_follow_up_to_their_subject(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    await index.stage(
        [
            entry(embedder, "printer", "Printers: who repairs them?", title="Printers"),
            entry(embedder, "laptop", "Laptops: who repairs them?", title="Laptops"),
        ]
    )
    await index.commit()
    retriever = Retriever(index, embedder)

    async def similarity(page: str, earlier: Sequence[str]) -> float:
        ranked = await retriever.rank("and who repairs them?", Audience.everyone(), earlier=earlier)
        return next(one.similarity for one in ranked if one.title == page)

    for page in ("Printers", "Laptops"):
        assert await similarity(page, [f"How are {page} ordered?"]) > await similarity(page, [])


async def test_an_earlier_turn_weighs_less_the_longer_ago_it_was(index: LanceIndex) -> None:
    embedder = RecordingEmbedder()
    await fill(index, embedder)
    retriever = Retriever(index, embedder)
    ranked = await retriever.rank("trains", Audience.everyone(), earlier=["oldest", "latest"])
    vectors = {text: HashingEmbedder().embed_query(text) for text in ("trains", "oldest", "latest")}
    query = vectors["trains"] + 0.6 * vectors["latest"] + 0.3 * vectors["oldest"]
    query = query / np.linalg.norm(query)
    best = ranked[0]
    stored = entry(embedder, "travel", "Travel is booked by the office.", "Trains come first.")
    assert best.chunk.text == "Trains come first."
    assert best.similarity == pytest.approx(float(query @ stored.vectors[1]), abs=2e-3)


async def test_a_thread_of_any_length_embeds_its_last_turns_only(index: LanceIndex) -> None:
    embedder = RecordingEmbedder()
    await fill(index, embedder)
    embedder.questions.clear()
    turns = [f"turn {n}" for n in range(40)]
    await Retriever(index, embedder).retrieve("now", Audience.everyone(), earlier=turns)
    assert embedder.questions == ["now", *reversed(turns[-8:])]


async def test_no_index_and_a_foreign_embedder_are_told_apart(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    with pytest.raises(IndexMissing):
        await Retriever(index, embedder).retrieve("x", Audience.everyone())
    await fill(index, embedder)
    with pytest.raises(EmbedderMismatch):
        await Retriever(index, HashingEmbedder(32)).retrieve("x", Audience.everyone())
