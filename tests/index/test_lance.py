"""What LanceIndex promises beyond the contract: rights, writers that race or die, upkeep."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.audience import EVERYONE, Audience, Principal
from index.documents import stable_id
from index.errors import IndexMissing, IndexUnavailable
from index.lance import LanceIndex
from index.lance_filters import CLAUSES, any_of, inside, readable_by, standing_at
from index.lance_found import Found
from index.lance_upkeep import TableState, is_due, outgrown_designs, vector_design
from index.ports import IndexEntry
from index.within import Within
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder

Open = Callable[[], LanceIndex]
ROOT = Path(__file__).resolve().parents[2]


async def texts(
    index: LanceIndex, embedder: HashingEmbedder, question: str, audience: Audience, limit: int = 50
) -> list[str]:
    found = await index.search(embedder.embed_query(question), question, audience, limit)
    return sorted(one.chunk.text for one in found)


async def test_no_room_is_offered_what_one_of_its_members_may_not_read(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    rng = random.Random(7)
    groups = [Principal("group", name) for name in ("a", "b", "c", "d", "e", "f")]
    documents = {
        f"plan {number}": frozenset(p.id for p in rng.sample(groups, rng.randint(0, 3)))
        for number in range(60)
    }
    await index.stage(
        [entry(embedder, text, text, readers=readers) for text, readers in documents.items()]
    )
    await index.commit()
    for _ in range(80):
        room = Audience.of(
            *(rng.sample(groups, rng.randint(0, 4)) for _ in range(rng.randint(0, 4)))
        )
        allowed = sorted(
            text
            for text, readers in documents.items()
            if room.members and all(member & readers for member in room.members)
        )
        assert await texts(index, embedder, "plan", room, limit=100) == allowed


@pytest.mark.parametrize(
    "name", ["zzz']) OR true --", "o'brien", '") OR 1=1', "a, b", "%", "\\'", "\u202e", "NULL"]
)
async def test_a_principal_with_a_nasty_name_opens_its_own_documents_and_no_other(
    index: LanceIndex, embedder: HashingEmbedder, name: str
) -> None:
    nasty = Principal("group", name)
    await index.stage(
        [
            entry(embedder, "theirs", "plan theirs", readers=frozenset({"ab" * 16})),
            entry(embedder, "ours", "plan ours", readers=frozenset({nasty.id})),
        ]
    )
    await index.commit()
    assert await texts(index, embedder, "plan", Audience.of([nasty])) == ["plan ours"]
    raw = Audience((frozenset({name}),))
    assert await texts(index, embedder, "plan", raw) == []
    beside = Audience((frozenset({name, nasty.id}), frozenset({nasty.id})))
    assert await texts(index, embedder, "plan", beside) == ["plan ours"]


async def test_rows_in_memory_are_no_way_around_who_may_read(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    team = Principal("group", "team")
    stored = entry(embedder, "a", "one", "two", readers=frozenset({team.id}))
    await index.stage([stored])
    await index.commit()
    await index.warm()
    vector, places = embedder.embed_query("two"), [(stored.document.ref.id, 1)]
    assert await index.at(places, vector, Audience.everyone()) == []
    assert await index.at(places, vector, Audience.of([team], [EVERYONE])) == []
    theirs = await index.at(places, vector, Audience.of([EVERYONE, team]))
    assert [one.chunk.text for one in theirs] == ["two"]


async def test_a_room_too_large_for_the_filter_is_still_checked_member_by_member(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    people = [Principal("user", str(number)) for number in range(CLAUSES + 40)]
    everybody = frozenset(person.id for person in people)
    filtered_last = sorted(everybody)[-1]
    await index.stage(
        [
            entry(embedder, "all", "plan all", readers=everybody),
            entry(embedder, "most", "plan most", readers=everybody - {filtered_last}),
        ]
    )
    await index.commit()
    room = Audience.of(*([person] for person in people))
    assert await texts(index, embedder, "plan", room) == ["plan all"]


@given(st.lists(st.frozensets(st.sampled_from("abcdef"), max_size=4), max_size=6))
def test_the_filter_asks_for_the_strictest_members_only(members: list[frozenset[str]]) -> None:
    ids = {letter: Principal("group", letter).id for letter in "abcdef"}
    audience = Audience(tuple(frozenset(ids[one] for one in member) for member in members))
    predicate = readable_by(audience)
    if not members or frozenset() in members:
        assert predicate is None
        return
    assert predicate is not None
    strictest = {m for m in members if not any(other < m for other in members)}
    assert predicate.count("array_has_any") == len(strictest)
    for member in strictest:
        assert ", ".join(sorted(f"'{ids[one]}'" for one in member)) in predicate


def test_only_hex_ids_get_into_a_filter() -> None:
    good = stable_id("x")
    assert any_of("doc_id", [good]) == f"doc_id IN ('{good}')"
    assert any_of("doc_id", []) == "false"
    for bad in ("", "'", good.upper(), good + "\n", good[:-1], "x') OR true --" + good):
        with pytest.raises(ValueError, match="hex"):
            any_of("doc_id", [good, bad])


def test_limits_and_places_get_into_a_filter_as_ids_numbers_and_moments_only() -> None:
    name, document = "x') OR true --", stable_id("a page")
    moment = datetime(2026, 5, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert inside(Within()) == []
    assert inside(Within(frozenset({name}), since=moment, before=moment)) == [
        f"source_id IN ('{stable_id('source', name)}')",
        "updated_at >= timestamp '2026-04-30T23:30:00+00:00'",
        "updated_at < timestamp '2026-04-30T23:30:00+00:00'",
    ]
    places = [(document, 3), (document, 1)]
    assert standing_at(places) == f"doc_id IN ('{document}') AND ordinal IN (1, 3)"
    with pytest.raises(ValueError, match="hex"):
        standing_at([(name, 1)])


async def test_two_writers_of_one_document_leave_each_row_once(
    open_index: Open, embedder: HashingEmbedder
) -> None:
    first, second, reader = open_index(), open_index(), open_index()
    await first.stage([entry(embedder, "seed", "seed")])
    await first.commit()
    for turn in range(8):
        same = entry(embedder, f"p{turn}", *(f"page {turn} line {n}" for n in range(20)))
        await asyncio.gather(first.stage([same]), second.stage([same]))
        await asyncio.gather(first.commit(), second.commit())
    assert await reader.count() == 1 + 8 * 20
    assert await reader.documents() == 9


async def test_two_writers_that_create_the_index_at_once_share_it(
    open_index: Open, embedder: HashingEmbedder
) -> None:
    writers = [open_index() for _ in range(4)]
    for number, writer in enumerate(writers):
        await writer.stage([entry(embedder, f"p{number}", f"page {number}", "same line")])
    await asyncio.gather(*(writer.commit() for writer in writers))
    reader = open_index()
    assert await reader.documents() == 4
    found = await texts(reader, embedder, "page", Audience.everyone())
    assert found == sorted([f"page {number}" for number in range(4)] + ["same line"] * 4)


async def test_a_search_never_sees_half_of_a_document(
    open_index: Open, embedder: HashingEmbedder
) -> None:
    writer, reader = open_index(), open_index()

    def state(turn: int) -> IndexEntry:
        lines = [f"state {turn} line {n}" for n in range(6)]
        return entry(embedder, "page", *lines, fingerprint=f"f{turn}")

    await writer.stage([state(0)])
    await writer.commit()
    finished = asyncio.Event()

    async def write() -> None:
        for turn in range(1, 25):
            await writer.stage([state(turn)])
            await writer.commit()
        finished.set()

    async def read() -> int:
        searches = 0
        while not finished.is_set():
            lines = await texts(reader, embedder, "state line", Audience.everyone())
            turn = lines[0].split()[1]
            assert lines == [f"state {turn} line {n}" for n in range(6)]
            searches += 1
        return searches

    _, searches = await asyncio.gather(write(), read())
    assert searches > 3


WRITER = """
import asyncio, sys
from index.lance import LanceIndex
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder

async def write(uri, commit):
    embedder = HashingEmbedder()
    index = LanceIndex(uri, embedder=embedder.name, dimensions=embedder.dimensions)
    turn = 0
    while True:
        turn += 1
        lines = [f"new {turn} line {n}" for n in range(50)]
        await index.stage([entry(embedder, "page", *lines, fingerprint=str(turn))])
        print("staged", flush=True)
        if commit:
            await index.commit()
        else:
            await asyncio.sleep(3600)

asyncio.run(write(sys.argv[1], sys.argv[2] == "commit"))
"""


@pytest.mark.parametrize("how", ["stage", "commit"])
async def test_a_writer_that_is_killed_leaves_a_whole_version(
    index: LanceIndex, embedder: HashingEmbedder, tmp_path: Path, how: str
) -> None:
    await index.stage([entry(embedder, "page", "old line 1", "old line 2")])
    version = await index.commit()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WRITER,
        str(tmp_path / "index"),
        how,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    for _ in range(1 if how == "stage" else 7):
        assert await process.stdout.readline() == b"staged\n"
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    if how == "stage":
        assert await index.version() == version
        assert await texts(index, embedder, "line", Audience.everyone()) == [
            "old line 1",
            "old line 2",
        ]
    else:
        lines = await texts(index, embedder, "line", Audience.everyone(), limit=100)
        turn = lines[0].split()[1]
        assert lines == sorted(f"new {turn} line {n}" for n in range(50))
        assert list((await index.fingerprints("handbook")).values()) == [turn]
    await index.stage([entry(embedder, "page", "next line")])
    await index.commit()
    assert await texts(index, embedder, "line", Audience.everyone()) == ["next line"]


async def test_a_failed_commit_keeps_what_was_staged_for_the_next_try(
    tmp_path: Path, embedder: HashingEmbedder
) -> None:
    place = tmp_path / "index"
    place.write_text("a file where the folder should be", encoding="utf-8")
    index = LanceIndex(str(place), embedder=embedder.name, dimensions=embedder.dimensions)
    await index.stage([entry(embedder, "a", "text")])
    with pytest.raises(IndexUnavailable) as raised:
        await index.commit()
    assert raised.value.retryable
    assert str(place) in str(raised.value)
    place.unlink()
    await index.commit()
    assert await index.count() == 1
    await index.close()


async def test_storage_that_does_not_answer_is_told_as_such_and_soon(
    embedder: HashingEmbedder,
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    index = LanceIndex(
        "s3://bucket/index",
        embedder=embedder.name,
        dimensions=embedder.dimensions,
        storage_options={
            "endpoint": f"http://127.0.0.1:{port}",
            "aws_access_key_id": "x",
            "aws_secret_access_key": "x",
            "region": "us-east-1",
            "allow_http": "true",
            "client_max_retries": "0",
        },
    )
    async with asyncio.timeout(20):
        with pytest.raises(IndexUnavailable):
            await index.search(embedder.embed_query("x"), "x", Audience.everyone(), 5)
    await index.close()


async def test_looking_for_an_index_leaves_no_trace_of_the_look(
    tmp_path: Path, embedder: HashingEmbedder
) -> None:
    place = tmp_path / "no" / "index"
    index = LanceIndex(str(place), embedder=embedder.name, dimensions=embedder.dimensions)
    with pytest.raises(IndexMissing):
        await index.search(embedder.embed_query("x"), "x", Audience.everyone(), 5)
    assert not place.parent.exists()


async def test_an_index_that_was_deleted_under_a_warm_handle_is_missing_then_new(
    open_index: Open, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    warm = open_index()
    await warm.stage([entry(embedder, "a", "before")])
    await warm.commit()
    (tmp_path / "index").rename(tmp_path / "moved")
    with pytest.raises(IndexMissing):
        await warm.search(embedder.embed_query("x"), "x", Audience.everyone(), 5)
    other = open_index()
    await other.stage([entry(embedder, "b", "after")])
    await other.commit()
    assert await texts(warm, embedder, "after", Audience.everyone()) == ["after"]


async def test_malformed_entries_are_refused_when_staged(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    good = entry(embedder, "a", "one", "two")
    twice = replace(good.chunks[1], id=good.chunks[0].id)
    bad = [
        replace(good, vectors=good.vectors[:1]),
        replace(good, vectors=good.vectors[:, :10]),
        replace(good, vectors=np.full_like(good.vectors, np.nan)),
        replace(good, chunks=(good.chunks[0], twice)),
        replace(good, chunks=(good.chunks[0], replace(good.chunks[1], id="x'"))),
        replace(good, chunks=(good.chunks[0], replace(good.chunks[1], document_id="ab" * 16))),
        replace(good, document=replace(good.document, readers=frozenset({"group"}))),
    ]
    for one in bad:
        with pytest.raises(ValueError, match=r"vector|chunk|ids"):
            await index.stage([one])
    assert await index.commit() == 0


async def test_a_large_table_gets_indexes_and_answers_as_before(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    secret = Principal("group", "secret")
    rng = random.Random(3)
    words = [f"word{n}" for n in range(400)]
    for part in range(3):
        await index.stage(
            [
                entry(
                    embedder,
                    f"p{part}-{page}",
                    *(" ".join(rng.choices(words, k=12)) for _ in range(20)),
                    readers=frozenset({(secret if page % 4 == 0 else EVERYONE).id}),
                )
                for page in range(90)
            ]
        )
        await index.commit()
    queries = ["word1 word2 word3", "word77", "word5 word399 word250 word8"]

    async def answers() -> list[list[str]]:
        found = []
        for query in queries:
            vector = embedder.embed_query(query)
            candidates = await index.search(vector, query, Audience.everyone(), 20)
            assert all(one.readers == frozenset({EVERYONE.id}) for one in candidates)
            found.append([one.chunk.id for one in candidates[:10]])
        return found

    before = await answers()
    await index.maintain()
    after = await answers()
    for old, new in zip(before, after, strict=True):
        assert len(set(old) & set(new)) >= 9
    await index.stage([entry(embedder, "late", "word1 word2 word3")])
    await index.commit()
    query = embedder.embed_query(queries[0])
    best, *_ = await index.search(query, queries[0], Audience.everyone(), 5)
    assert best.chunk.text == "word1 word2 word3"


def test_vector_indexes_follow_the_size_of_the_table() -> None:
    assert vector_design(4_999) is None
    designs = [vector_design(rows) for rows in (5_000, 50_000, 50_001, 400_000, 400_001)]
    made = [(one.bits, one.partitions) for one in designs if one]
    assert made == [(8, 1), (8, 1), (4, 128), (4, 128), (4, None)]
    state = TableState(60_000, 0, 1, frozenset({"vector_sq_1", "vector_rq_128", "readers"}))
    design = vector_design(60_000)
    assert design is not None
    assert outgrown_designs(state, design) == {"vector_sq_1"}


def test_maintenance_is_due_for_scatter_at_once_and_for_new_rows_at_the_end() -> None:
    scattered = TableState(100, 100, 25, frozenset())
    unindexed = TableState(9_000, 2_000, 3, frozenset())
    assert is_due(scattered, scattered_only=True)
    assert not is_due(unindexed, scattered_only=True)
    assert is_due(unindexed, scattered_only=False)
    assert not is_due(TableState(9_000, 1_999, 24, frozenset()), scattered_only=False)


@pytest.mark.parametrize(
    ("rows", "unindexed", "due"),
    [
        (499, 499, False),
        (500, 500, True),
        (1_294, 1_294, True),
        (4_000, 999, False),
        (4_000, 1_000, True),
        (1_000_000, 1_999, False),
        (1_000_000, 2_000, True),
    ],
)
def test_a_small_table_is_indexed_sooner_than_a_large_one(
    rows: int, unindexed: int, due: bool
) -> None:
    state = TableState(rows, unindexed, 3, frozenset())
    assert is_due(state, scattered_only=False) is due
    assert not is_due(state, scattered_only=True)


def test_a_document_with_two_fingerprints_gives_a_commit_between_the_arms_away() -> None:
    def found(*pairs: tuple[str, str]) -> Found:
        rows = {"doc_id": [p[0] for p in pairs], "fingerprint": [p[1] for p in pairs]}
        nothing = np.zeros(len(pairs), np.float32)
        return Found(pa.table(rows), nothing, nothing)

    assert found(("a", "1"), ("b", "2"), ("a", "1")).is_of_one_version
    assert not found(("a", "1"), ("b", "2"), ("b", "3")).is_of_one_version
