"""From a question to passages, on a real index."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np
import pytest

from index.audience import Audience, Principal
from index.context import Fate
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
    rows = found.explanation.considered()
    documents = [row.document_id for row in rows if row.fate is Fate.TAKEN]
    assert max(documents.count(one) for one in documents) == 3
    assert Fate.CROWDED in {row.fate for row in rows}


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


async def fill_pages(index: LanceIndex, embedder: HashingEmbedder) -> None:
    """Index pages on which only one of five lines has the words of the questions below."""
    pages = []
    for page in ("leave", "travel", "office"):
        lines = [
            f"{page} line {n} {' '.join(f'{page}{n}x{w}' for w in range(9))}" for n in range(5)
        ]
        lines[2] = f"{page} rule that everybody looks for first of all"
        pages.append(entry(embedder, page, *lines, title=page, source=f"wiki:{page}"))
    await index.stage(pages)
    await index.commit()


async def test_the_best_passages_are_read_with_what_stands_around_them(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    await fill_pages(index, embedder)
    retriever = Retriever(index, embedder, limit=2)
    found = await retriever.retrieve("leave or travel rule", Audience.everyone())
    places = [(one.title, one.chunk.ordinal) for one in found.passages]
    first, second = ("leave", "travel") if places[0][0] == "leave" else ("travel", "leave")
    assert places == [(page, n) for page in (first, second) for n in (1, 2, 3)]
    everywhere = await retriever.rank("leave or travel rule", Audience.everyone())
    cosines = {one.chunk.id: one.similarity for one in everywhere}
    assert all(one.similarity == cosines[one.chunk.id] for one in found.passages)


async def test_surroundings_that_no_search_found_are_fetched_for_the_same_audience(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    lines = ["what comes first", "the zebra rule", "what comes last"]
    many = [entry(embedder, f"o{n}", f"zebra {n} " + "zebra " * n) for n in range(220)]
    await index.stage([entry(embedder, "z", *lines, title="Else"), *many])
    await index.commit()
    found = await Retriever(index, embedder, limit=1).retrieve("zebra rule", Audience.everyone())
    assert [one.chunk.text for one in found.passages] == lines
    ranked = {one.chunk.text for one in found.ranking}
    assert lines[1] == found.ranking[0].chunk.text and not ranked & {lines[0], lines[2]}
    vector = embedder.embed_query("zebra rule")
    for one in found.passages:
        place = (one.chunk.document_id, one.chunk.ordinal)
        [again] = await index.at([place], vector, Audience.everyone())
        assert (again.chunk, again.readers) == (one.chunk, one.readers)
        assert again.similarity == pytest.approx(one.similarity)
    rows = found.explanation.considered()
    assert [row.text for row in rows if row.rank is None] == [lines[2], lines[0]]


async def test_one_search_gives_context_ranking_and_explanation(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    await fill(index, embedder)
    retriever = Retriever(index, embedder, limit=3)
    found = await retriever.retrieve("leave rule number", Audience.everyone(), earlier=["trains"])
    assert list(found.ranking) == await retriever.rank(
        "leave rule number", Audience.everyone(), earlier=["trains"]
    )
    explanation = found.explanation
    assert (explanation.searched, explanation.filters) == ("leave rule number", ())
    assert explanation.earlier[0][0] == "trains" and 0 < explanation.earlier[0][1] < 1
    rows = explanation.considered()
    assert [row.rank for row in rows] == list(range(1, len(found.ranking) + 1))
    assert [row.score for row in rows] == [one.score for one in found.ranking]
    assert rows[0].keyword > 0.0 and 0.0 < rows[0].coverage <= 1.0
    read = {row.text for row in rows if row.fate in (Fate.TAKEN, Fate.SURROUNDING)}
    assert read == {one.chunk.text for one in found.passages}
    assert {row.fate for row in rows} > {Fate.TAKEN, Fate.BELOW}


async def test_a_copy_is_left_out_and_named_and_offered_nowhere_else(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    line = "The parking garage opens at six and closes at midnight on every working day."
    await index.stage(
        [entry(embedder, "new", line, title="Garage"), entry(embedder, "old", line, title="Old")]
    )
    await index.commit()
    found = await Retriever(index, embedder).retrieve("Garage opens", Audience.everyone())
    assert [one.title for one in found.passages] == ["Garage"]
    assert found.related == ()
    assert [one.title for one in found.ranking] == ["Garage", "Old"]
    copy = found.explanation.considered()[1]
    assert (copy.fate, copy.like) == (Fate.DUPLICATE, 1)


async def test_filters_that_the_question_names_limit_the_search_and_are_told(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    old, new = (datetime(2026, month, 3, tzinfo=UTC) for month in (2, 6))
    boss = Principal("group", "boss")
    await index.stage(
        [
            entry(embedder, "a", "leave rule, old", source="wiki", updated_at=old),
            entry(embedder, "b", "leave rule, new", source="wiki", updated_at=new),
            entry(embedder, "c", "leave rule, undated", source="wiki", updated_at=None),
            entry(embedder, "d", "leave rule, talk", source="slack:general", updated_at=new),
            entry(embedder, "e", "pay", source="board", readers=frozenset({boss.id})),
        ]
    )
    await index.commit()
    now = datetime(2026, 7, 1, tzinfo=UTC)
    retriever = Retriever(index, embedder, clock=lambda: now)

    async def asked(question: str) -> tuple[set[str], tuple[str, ...]]:
        found = await retriever.retrieve(question, Audience.everyone())
        texts = {one.chunk.text.rpartition(", ")[2] for one in found.passages}
        assert {o.chunk.id for o in found.ranking} == {o.chunk.id for o in found.passages}
        return texts, found.filters

    everything = {"old", "new", "undated", "talk"}
    assert await asked("leave rule") == (everything, ())
    since = "only pages updated since 2026-05-01"
    assert await asked("What is new about the leave rule since May?") == ({"new", "talk"}, (since,))
    assert await asked("leave rule source:Wiki since May") == (
        {"new"},
        ("only from wiki", since),
    )
    assert await asked("leave rule in #general") == ({"talk"}, ("only from slack:general",))
    # A source of which nobody here may know is no filter.
    assert (await asked("leave rule source:board"))[1] == ()
    assert await retriever.rank("leave rule before:2026-01", Audience.everyone()) == []


async def test_a_reranker_puts_the_best_into_its_order_and_leaves_the_rest(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    class Shortest:
        name = "shortest first"
        asked: ClassVar[list[tuple[str, int]]] = []

        def scores(self, question: str, texts: Sequence[str]) -> list[float]:
            self.asked.append((question, len(texts)))
            return [-float(len(text)) for text in texts]

    await fill(index, embedder)
    plain = (await Retriever(index, embedder).retrieve("leave rules", Audience.everyone())).ranking
    retriever = Retriever(index, embedder, reranker=Shortest(), rerank_limit=4)
    found = await retriever.retrieve("leave rules", Audience.everyone(), earlier=["trains, please"])
    assert Shortest.asked == [("leave rules trains, please", 4)]
    found = await retriever.retrieve("leave rules", Audience.everyone())
    head = sorted(plain[:4], key=lambda one: len(one.chunk.text))
    assert [one.chunk.id for one in found.ranking] == [o.chunk.id for o in [*head, *plain[4:]]]
    assert found.explanation.reranker == "shortest first"
    scores = [row.reranked for row in found.explanation.considered()]
    assert scores[:4] == sorted((s for s in scores[:4] if s is not None), reverse=True)
    assert scores[4:] == [None] * len(scores[4:])
