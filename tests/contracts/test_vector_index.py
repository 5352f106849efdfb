"""What every VectorIndex promises, on a folder and on S3 alike."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from index.audience import EVERYONE, Audience, Principal
from index.chunking import searchable_text
from index.documents import stable_id
from index.errors import EmbedderMismatch, IndexMissing
from index.lance import LanceIndex
from index.ports import IndexEntry, VectorIndex
from index.within import EVERYTHING, Within
from tests.doubles.entries import UPDATED, entry
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.object_storage import ObjectStorage, running_object_storage

Open = Callable[[HashingEmbedder], VectorIndex]

EMBEDDER = HashingEmbedder()
TEAM = Principal("group", "team")


@pytest.fixture(scope="session")
def object_storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as storage:
        yield storage


@pytest.fixture(params=["folder", "s3"])
async def open_with(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Open the index of this test with an embedder; each call is another process's view of it."""
    uri, options = str(tmp_path / "index"), None
    if request.param == "s3":
        storage: ObjectStorage = request.getfixturevalue("object_storage")
        uri, options = storage.new_uri(), storage.storage_options
    opened: list[LanceIndex] = []

    def open_one(embedder: HashingEmbedder) -> VectorIndex:
        index = LanceIndex(
            uri,
            embedder=embedder.name,
            dimensions=embedder.dimensions,
            storage_options=options,
        )
        opened.append(index)
        return index

    yield open_one
    for index in opened:
        await index.close()


@pytest.fixture
def index(open_with: Open) -> VectorIndex:
    return open_with(EMBEDDER)


async def found(
    index: VectorIndex, text: str, audience: Audience | None = None, limit: int = 10
) -> list[str]:
    vector = EMBEDDER.embed_query(text)
    candidates = await index.search(vector, text, audience or Audience.everyone(), limit)
    return [one.chunk.text for one in candidates]


async def test_a_search_before_the_first_sync_says_that_there_is_no_index(
    index: VectorIndex,
) -> None:
    assert await index.version() == 0
    assert await index.fingerprints("handbook") == {}
    assert await index.vectors([stable_id("x")]) == {}
    assert await index.remove([stable_id("x")]) == 0
    await index.maintain()
    assert await index.commit() == 0
    with pytest.raises(IndexMissing):
        await found(index, "anything")


async def test_staged_documents_appear_at_the_commit_and_not_before(index: VectorIndex) -> None:
    await index.stage([entry(EMBEDDER, "a", "The office opens at nine.")])
    with pytest.raises(IndexMissing):
        await found(index, "office")
    version = await index.commit()
    assert version > 0
    assert await found(index, "office") == ["The office opens at nine."]
    assert await index.version() == version


async def test_a_found_chunk_comes_back_exactly_as_it_was_stored(index: VectorIndex) -> None:
    stored = entry(EMBEDDER, "a", "First line.", "Zweite Zeile, ümläut and 😀.", title="Titel ß")
    await index.stage([stored])
    await index.commit()
    vector = EMBEDDER.embed_query("zweite Zeile")
    best, *_ = await index.search(vector, "zweite Zeile", Audience.everyone(), 5)
    assert best.chunk == stored.chunks[1]
    assert best.source == "handbook"
    assert best.title == "Titel ß"
    assert best.url == "https://docs.example/a"
    assert best.readers == frozenset({EVERYONE.id})
    assert best.updated_at == UPDATED
    assert best.keyword > 0.0
    assert best.similarity == pytest.approx(float(vector @ stored.vectors[1]), abs=2e-3)


async def test_a_chunk_that_only_the_keywords_found_has_its_cosine_too(index: VectorIndex) -> None:
    fillers = [entry(EMBEDDER, f"f{n}", "tariff " * 3 + f"number{n}") for n in range(6)]
    odd = entry(EMBEDDER, "odd", "zebra " + " ".join(f"w{n}" for n in range(60)))
    await index.stage([*fillers, odd])
    await index.commit()
    query = EMBEDDER.embed_query("tariff")
    by_text = {
        one.chunk.text: one for one in await index.search(query, "zebra", Audience.everyone(), 3)
    }
    candidate = by_text[odd.chunks[0].text]
    assert candidate.keyword > 0.0
    assert candidate.similarity == pytest.approx(float(query @ odd.vectors[0]), abs=2e-3)


async def test_a_replaced_document_leaves_no_old_chunk_and_costs_one_version(
    index: VectorIndex,
) -> None:
    await index.stage([entry(EMBEDDER, "a", "old one", "old two", "kept line")])
    await index.stage([entry(EMBEDDER, "b", "another page")])
    first = await index.commit()
    await index.stage([entry(EMBEDDER, "a", "kept line", "new one", fingerprint="f2")])
    second = await index.commit()
    assert second == first + 1
    assert sorted(await found(index, "old new kept page line one two")) == [
        "another page",
        "kept line",
        "new one",
    ]
    assert set((await index.fingerprints("handbook")).values()) == {"f1", "f2"}


async def test_a_document_staged_without_chunks_is_gone_after_the_commit(
    index: VectorIndex,
) -> None:
    await index.stage([entry(EMBEDDER, "a", "text"), entry(EMBEDDER, "b", "other text")])
    await index.commit()
    await index.stage([entry(EMBEDDER, "a")])
    await index.commit()
    assert await found(index, "text") == ["other text"]


async def test_staging_a_document_twice_keeps_the_later_state(index: VectorIndex) -> None:
    await index.stage([entry(EMBEDDER, "a", "earlier state")])
    await index.stage([entry(EMBEDDER, "a", "later state")])
    await index.commit()
    assert await found(index, "state") == ["later state"]


async def test_discarded_entries_never_reach_the_index(index: VectorIndex) -> None:
    await index.stage([entry(EMBEDDER, "a", "first")])
    await index.commit()
    await index.stage([entry(EMBEDDER, "b", "second")])
    await index.discard()
    await index.commit()
    assert await found(index, "first second") == ["first"]


async def test_a_removed_document_is_gone_from_the_next_search_of_every_reader(
    index: VectorIndex, open_with: Open
) -> None:
    reader = open_with(EMBEDDER)
    gone = entry(EMBEDDER, "a", "secret plan")
    await index.stage([gone, entry(EMBEDDER, "b", "public plan")])
    await index.commit()
    assert len(await found(reader, "plan")) == 2
    await index.remove([gone.document.ref.id])
    assert await found(reader, "plan") == ["public plan"]
    assert list(await index.fingerprints("handbook")) == [entry(EMBEDDER, "b").document.ref.id]


async def test_a_revoked_right_reaches_a_reader_that_was_warm_before(
    index: VectorIndex, open_with: Open
) -> None:
    reader = open_with(EMBEDDER)
    await index.stage([entry(EMBEDDER, "a", "salary table")])
    await index.commit()
    assert await found(reader, "salary") == ["salary table"]
    await index.stage([entry(EMBEDDER, "a", "salary table", readers=frozenset({TEAM.id}))])
    await index.commit()
    assert await found(reader, "salary") == []
    assert await found(reader, "salary", Audience.of([EVERYONE, TEAM])) == ["salary table"]


async def test_a_passage_is_offered_only_if_every_member_may_read_it(index: VectorIndex) -> None:
    other = Principal("group", "other")
    await index.stage(
        [
            entry(EMBEDDER, "open", "plan open"),
            entry(EMBEDDER, "team", "plan team", readers=frozenset({TEAM.id})),
            entry(EMBEDDER, "both", "plan both", readers=frozenset({TEAM.id, other.id})),
            entry(EMBEDDER, "nobody", "plan nobody", readers=frozenset()),
        ]
    )
    await index.commit()
    one, two = [EVERYONE, TEAM], [EVERYONE, other]
    assert sorted(await found(index, "plan", Audience.of(one))) == [
        "plan both",
        "plan open",
        "plan team",
    ]
    assert sorted(await found(index, "plan", Audience.of(one, two))) == ["plan both", "plan open"]
    assert await found(index, "plan", Audience.of(one, [])) == []
    assert await found(index, "plan", Audience(())) == []


async def test_what_may_not_be_read_takes_no_place_from_what_may(index: VectorIndex) -> None:
    closer = [
        entry(EMBEDDER, f"t{n}", "plan plan", readers=frozenset({TEAM.id}), title="Plan")
        for n in range(30)
    ]
    far = entry(EMBEDDER, "open", "a plan of quite another kind", title="Else")
    await index.stage([*closer, far])
    await index.commit()
    assert await found(index, "plan", limit=3) == ["a plan of quite another kind"]


async def test_fingerprints_are_those_of_the_asked_source_alone(index: VectorIndex) -> None:
    mine = entry(EMBEDDER, "a", "text", source='it\'s "mine"', fingerprint="m")
    await index.stage([mine, entry(EMBEDDER, "a", "text", source="theirs", fingerprint="t")])
    await index.commit()
    assert await index.fingerprints('it\'s "mine"') == {mine.document.ref.id: "m"}
    assert await index.fingerprints("nobody's") == {}


async def test_vectors_are_found_by_the_text_that_was_embedded(index: VectorIndex) -> None:
    stored = entry(EMBEDDER, "a", "one text", "two text", title="Title")
    await index.stage([stored, entry(EMBEDDER, "b", "three text")])
    await index.commit()
    keys = [stable_id(searchable_text("Title", chunk)) for chunk in stored.chunks]
    vectors = await index.vectors([*keys, stable_id("nothing like that")])
    assert sorted(vectors) == sorted(keys)
    for key, row in zip(keys, stored.vectors, strict=True):
        assert np.allclose(vectors[key], row, atol=2e-3)
    assert await index.vectors([]) == {}
    many = [stable_id(f"unknown {number}") for number in range(2_500)]
    assert sorted(await index.vectors([*many, *keys])) == sorted(keys)


async def test_vectors_dropped_since_a_run_began_are_known_to_it_and_to_no_other_process(
    index: VectorIndex, open_with: Open
) -> None:
    removed, replaced = entry(EMBEDDER, "a", "one text"), entry(EMBEDDER, "b", "two text")
    await index.begin("recipe-1")
    assert await index.vectors(text_ids(removed)) == {}
    await index.stage([removed, replaced])
    await index.commit()
    await index.begin("recipe-1")
    await index.remove([removed.document.ref.id])
    await index.stage([entry(EMBEDDER, "b", "three text")])
    await index.commit()
    both = [*text_ids(removed), *text_ids(replaced)]
    known = await index.vectors(both)
    assert sorted(known) == sorted(both)
    assert np.allclose(known[both[0]], removed.vectors[0], atol=2e-3)
    await index.begin("recipe-1")
    assert sorted(await index.vectors(both)) == sorted(both)
    other = open_with(EMBEDDER)
    await other.begin("recipe-1")
    assert await other.vectors(both) == {}


def text_ids(stored: IndexEntry) -> list[str]:
    title = stored.document.title
    return [stable_id(searchable_text(title, chunk)) for chunk in stored.chunks]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        '"unbalanced AND (office OR',
        "office -nine +ten ^2 ~3 * ? : \\ / [a TO b] {x}",
        "office' OR 1=1 --",
        "😀 \x00 \ud800 office",
        "office " * 1_500,
        "x" * 10_000,
    ],
    ids=["empty", "blank", "quotes", "operators", "sql", "odd", "long", "one word"],
)
async def test_any_question_text_is_searched_as_words(index: VectorIndex, text: str) -> None:
    await index.stage([entry(EMBEDDER, "a", "The office opens at nine.")])
    await index.commit()
    candidates = await index.search(EMBEDDER.embed_query(text), text, Audience.everyone(), 10)
    assert [one.chunk.text for one in candidates] == ["The office opens at nine."]
    assert (candidates[0].keyword > 0.0) == ("office" in text)


async def test_another_embedder_is_refused_before_it_can_compare_anything(
    index: VectorIndex, open_with: Open
) -> None:
    await index.stage([entry(EMBEDDER, "a", "text")])
    await index.commit()
    for other in (HashingEmbedder(name="other-words-1"), HashingEmbedder(dimensions=32)):
        stranger = open_with(other)
        with pytest.raises(EmbedderMismatch):
            await stranger.search(other.embed_query("text"), "text", Audience.everyone(), 5)
        with pytest.raises(EmbedderMismatch):
            await stranger.fingerprints("handbook")
        await stranger.stage([entry(other, "b", "text")])
        with pytest.raises(EmbedderMismatch):
            await stranger.commit()
    with pytest.raises(EmbedderMismatch):
        await index.search(np.ones(7, dtype=np.float32), "text", Audience.everyone(), 5)


async def test_maintenance_changes_no_answer(index: VectorIndex) -> None:
    for turn in range(30):
        await index.stage([entry(EMBEDDER, f"p{turn % 10}", f"page {turn % 10} turn {turn}")])
        await index.commit()
    await index.maintain()
    texts = await found(index, "page turn", limit=50)
    assert sorted(texts) == sorted(f"page {turn % 10} turn {turn}" for turn in range(20, 30))


async def test_chunks_are_found_by_their_place_with_their_cosine(index: VectorIndex) -> None:
    stored = entry(EMBEDDER, "a", "one text", "two text", "three text")
    await index.stage([stored, entry(EMBEDDER, "b", "other text", "further text")])
    await index.commit()
    vector = EMBEDDER.embed_query("three")
    document = stored.document.ref.id
    places = [(document, 2), (document, 0), (document, 3), (stable_id("nowhere"), 0)]
    found = await index.at(places, vector, Audience.everyone())
    assert {one.chunk for one in found} == {stored.chunks[0], stored.chunks[2]}
    for one in found:
        expected = float(vector @ stored.vectors[one.chunk.ordinal])
        assert one.similarity == pytest.approx(expected, abs=2e-3)
        assert (one.title, one.source, one.updated_at) == ("A title", "handbook", UPDATED)
    assert await index.at([], vector, Audience.everyone()) == []
    with pytest.raises(EmbedderMismatch):
        await index.at(places, np.ones(7, dtype=np.float32), Audience.everyone())


async def test_a_place_is_no_way_around_who_may_read(index: VectorIndex) -> None:
    other = Principal("group", "other")
    stored = entry(EMBEDDER, "a", "one", "two", readers=frozenset({TEAM.id, other.id}))
    await index.stage([stored])
    await index.commit()
    vector, place = EMBEDDER.embed_query("two"), [(stored.document.ref.id, 1)]
    assert await index.at(place, vector, Audience.everyone()) == []
    assert await index.at(place, vector, Audience(())) == []
    assert await index.at(place, vector, Audience.of([TEAM], [EVERYONE])) == []
    theirs = await index.at(place, vector, Audience.of([TEAM], [other]))
    assert [one.chunk.text for one in theirs] == ["two"]


async def test_a_removed_or_revoked_chunk_is_at_no_place_after_the_next_search(
    index: VectorIndex, open_with: Open
) -> None:
    reader = open_with(EMBEDDER)
    gone, closed = entry(EMBEDDER, "a", "one", "two"), entry(EMBEDDER, "b", "three", "four")
    await index.stage([gone, closed])
    await index.commit()
    assert len(await found(reader, "one three")) == 4
    await index.stage([entry(EMBEDDER, "b", "three", "four", readers=frozenset({TEAM.id}))])
    await index.commit()
    await index.remove([gone.document.ref.id])
    assert await found(reader, "one three") == []
    places = [(one.document.ref.id, 1) for one in (gone, closed)]
    assert await reader.at(places, EMBEDDER.embed_query("two"), Audience.everyone()) == []


async def test_it_tells_whether_there_is_more_than_an_audience_may_read(index: VectorIndex) -> None:
    assert not await index.withholds(Audience.everyone())
    await index.stage([entry(EMBEDDER, "a", "open to all")])
    await index.commit()
    assert not await index.withholds(Audience.everyone())
    assert not await index.withholds(Audience.of([EVERYONE, TEAM], [EVERYONE]))
    assert await index.withholds(Audience.of([EVERYONE], [TEAM]))
    assert await index.withholds(Audience(()))
    await index.stage([entry(EMBEDDER, "b", "for the team", readers=frozenset({TEAM.id}))])
    await index.commit()
    await index.maintain()
    assert await index.withholds(Audience.everyone())
    assert await index.withholds(Audience.of([TEAM]))
    assert not await index.withholds(Audience.of([EVERYONE, TEAM]))
    await index.remove([entry(EMBEDDER, "b").document.ref.id])
    assert not await index.withholds(Audience.everyone())
    await index.stage([entry(EMBEDDER, "c", "for nobody", readers=frozenset())])
    await index.commit()
    assert await index.withholds(Audience.of([EVERYONE, TEAM]))


async def test_sources_are_named_to_those_who_may_read_something_of_them(
    index: VectorIndex,
) -> None:
    assert await index.sources(Audience.everyone()) == frozenset()
    theirs = frozenset({TEAM.id})
    await index.stage(
        [
            entry(EMBEDDER, "a", "one", source='it\'s "open"'),
            entry(EMBEDDER, "b", "two", source="board", readers=theirs),
        ]
    )
    await index.commit()
    assert await index.sources(Audience.everyone()) == {'it\'s "open"'}
    assert await index.sources(Audience.of([EVERYONE, TEAM])) == {'it\'s "open"', "board"}
    assert await index.sources(Audience(())) == frozenset()


async def test_a_search_stays_inside_its_limits(index: VectorIndex) -> None:
    days = [datetime(2026, month, 1, 12, 30, 5, 250_000, tzinfo=UTC) for month in (3, 6, 9)]
    await index.stage(
        [
            *(entry(EMBEDDER, f"d{d:%m}", f"plan {d:%B}", updated_at=d) for d in days),
            entry(EMBEDDER, "undated", "plan undated", updated_at=None),
            entry(EMBEDDER, "x", "plan elsewhere", source="it's ') OR true --", updated_at=days[2]),
        ]
    )
    await index.commit()

    async def inside(within: Within) -> set[str]:
        candidates = await index.search(
            EMBEDDER.embed_query("plan"), "plan", Audience.everyone(), 20, within=within
        )
        assert all(one.keyword > 0.0 for one in candidates)
        return {one.chunk.text.removeprefix("plan ") for one in candidates}

    assert await inside(EVERYTHING) == {"March", "June", "September", "undated", "elsewhere"}
    assert await inside(Within(since=days[1])) == {"June", "September", "elsewhere"}
    assert await inside(Within(since=days[1] + timedelta(microseconds=1))) == {
        "September",
        "elsewhere",
    }
    assert await inside(Within(before=days[1])) == {"March"}
    elsewhere = timezone(timedelta(hours=-11))
    assert await inside(Within(before=days[1].astimezone(elsewhere))) == {"March"}
    assert await inside(Within(frozenset({"handbook"}), since=days[2])) == {"September"}
    assert await inside(Within(frozenset({"it's ') OR true --"}))) == {"elsewhere"}
    assert await inside(Within(frozenset())) == set()


async def test_limits_take_no_place_from_what_lies_inside(index: VectorIndex) -> None:
    closer = [entry(EMBEDDER, f"o{n}", "plan plan", title="Plan", source="old") for n in range(30)]
    far = entry(EMBEDDER, "n", "a plan of quite another kind", title="Else", source="new")
    await index.stage([*closer, far])
    await index.commit()
    within = Within(frozenset({"new"}))
    found_there = await index.search(
        EMBEDDER.embed_query("plan"), "plan", Audience.everyone(), 3, within=within
    )
    assert [one.chunk.text for one in found_there] == ["a plan of quite another kind"]
