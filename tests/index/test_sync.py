"""A sync makes the index hold what the source lists, whatever happens on the way."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.audience import EVERYONE, Audience, Principal
from index.documents import DocumentRef
from index.errors import IndexUnavailable, SourceUnavailable, SuspiciousDeletion
from index.lance import LanceIndex
from index.parsing import DocumentParser
from index.ports import IndexEntry, Vectors
from index.sources.files import FolderSource
from index.sync import SyncProgress, SyncReport, plan, sync
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser

Open = Callable[[], LanceIndex]


def page(number: int, paragraphs: int = 4) -> str:
    lines = [
        " ".join(f"page{number} line{line} word{word}" for word in range(20)) + "."
        for line in range(paragraphs)
    ]
    return f"Page {number}\n\n" + "\n\n".join(lines)


def pages(count: int) -> dict[str, str]:
    return {f"p{number:03}.txt": page(number) for number in range(count)}


async def run(
    source: MemorySource,
    embedder: HashingEmbedder,
    index: LanceIndex,
    *,
    confirm_deletion: bool = False,
) -> SyncReport:
    return await sync(source, TextParser(), embedder, index, confirm_deletion=confirm_deletion)


async def contents(index: LanceIndex, embedder: HashingEmbedder) -> list[tuple[object, ...]]:
    """Return all that a search can tell of each row, so that two indexes can be compared."""
    found = await index.search(embedder.embed_query("word"), "word", Audience.everyone(), 10_000)
    fingerprints = await index.fingerprints("memory")
    return sorted(
        (one.title, one.url, one.chunk.ordinal, one.chunk, fingerprints[one.chunk.document_id])
        for one in found
    )


async def fresh(source: MemorySource, tmp: str) -> list[tuple[object, ...]]:
    """Return the contents of a new index of the source as it is now."""
    embedder = HashingEmbedder()
    index = LanceIndex(tmp, embedder=embedder.name, dimensions=embedder.dimensions)
    await run(source, embedder, index)
    rows = await contents(index, embedder)
    await index.close()
    return rows


async def test_a_first_sync_indexes_all_and_a_second_embeds_nothing(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    source = MemorySource(pages(12))
    first = await run(source, embedder, index)
    assert (first.added, first.changed, first.removed, first.unchanged) == (12, 0, 0, 0)
    assert first.chunks_embedded == embedder.embedded == await index.count() > 12
    assert first.source == "memory" and first.index_version == await index.version()
    source.fetched.clear()
    second = await run(source, embedder, index)
    assert (second.added, second.changed, second.removed, second.unchanged) == (0, 0, 0, 12)
    assert second.chunks_embedded == second.chunks_reused == 0
    assert embedder.embedded == first.chunks_embedded
    assert source.fetched == []
    assert second.index_version == first.index_version


async def test_one_page_edited_one_removed_one_added_are_exactly_three_changes(
    index: LanceIndex, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    source = MemorySource(pages(25))
    await run(source, embedder, index)
    source.fetched.clear()
    source.pages["p003.txt"] += "\n\nA new last paragraph."
    del source.pages["p004.txt"]
    source.pages["new.txt"] = page(99)
    report = await run(source, embedder, index)
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 1, 1, 23)
    assert sorted(source.fetched) == ["new.txt", "p003.txt"]
    assert await contents(index, embedder) == await fresh(source, f"{tmp_path}/fresh")


async def test_an_unchanged_chunk_of_a_changed_page_is_not_embedded_again(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    source = MemorySource({"a.txt": page(1, paragraphs=30)})
    first = await run(source, embedder, index)
    source.pages["a.txt"] += "\n\n" + "An added closing sentence. " * 3
    second = await run(source, embedder, index)
    assert second.changed == 1
    assert 1 <= second.chunks_embedded <= 2
    assert second.chunks_reused >= first.chunks_embedded - 2


async def test_a_new_title_embeds_the_chunks_that_carry_it(
    index: LanceIndex, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    source = MemorySource({"a.txt": "Old title\n\n" + "body " * 200})
    await run(source, embedder, index)
    source.pages["a.txt"] = source.pages["a.txt"].replace("Old", "New")
    report = await run(source, embedder, index)
    assert report.chunks_reused == 0
    assert await contents(index, embedder) == await fresh(source, f"{tmp_path}/fresh")


async def test_a_revoked_right_reaches_the_index_without_embedding_anything(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    team = Principal("group", "team")
    content = pages(3)
    first = await run(MemorySource(content), embedder, index)
    report = await run(MemorySource(content, readers=frozenset({team.id})), embedder, index)
    assert (report.changed, report.chunks_embedded) == (3, 0)
    assert report.chunks_reused == first.chunks_embedded
    vector = embedder.embed_query("word")
    assert await index.search(vector, "word", Audience.everyone(), 50) == []
    assert await index.search(vector, "word", Audience.of([EVERYONE, team]), 50)


async def test_what_cannot_be_read_is_named_and_stops_nothing(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    source = MemorySource(pages(5) | {"crash.txt": "! boom", "blank.txt": " \n "})
    source.unreadable.add("p002.txt")
    report = await run(source, embedder, index)
    assert report.added == 4
    assert {one.location for one in report.skipped} == {"blank.txt", "crash.txt", "p002.txt"}
    reasons = {one.location: one.reason for one in report.skipped}
    assert reasons["p002.txt"] == "The page is locked with a password."
    assert "RuntimeError" in reasons["crash.txt"] and "boom" not in reasons["crash.txt"]
    again = await run(source, embedder, index)
    assert (again.added, again.unchanged, again.chunks_embedded) == (0, 4, 0)
    assert again.skipped == report.skipped


async def test_a_page_that_became_unreadable_keeps_its_last_readable_state(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    source = MemorySource(pages(3))
    await run(source, embedder, index)
    before = await contents(index, embedder)
    source.pages["p001.txt"] = "! broken now"
    report = await run(source, embedder, index)
    assert [one.location for one in report.skipped] == ["p001.txt"]
    assert (report.changed, report.chunks_embedded) == (0, 0)
    assert await contents(index, embedder) == before


async def test_a_page_that_became_empty_is_no_longer_quoted(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    source = MemorySource(pages(3))
    await run(source, embedder, index)
    source.pages["p001.txt"] = "  \n"
    report = await run(source, embedder, index)
    assert [one.location for one in report.skipped] == ["p001.txt"]
    titles = {row[0] for row in await contents(index, embedder)}
    assert titles == {"Page 0", "Page 2"}


@pytest.mark.parametrize("nothing", ["", " \n", "<!-- to be written -->"])
async def test_a_file_that_was_emptied_is_no_longer_quoted(
    index: LanceIndex, embedder: HashingEmbedder, tmp_path: Path, nothing: str
) -> None:
    # The index lies in tmp_path too, and holds JSON.
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("# A\n\nThis was said once.\n")
    (docs / "b.md").write_text("# B\n\nThis is still said.\n")
    await sync(FolderSource(docs), DocumentParser(), embedder, index)
    (docs / "a.md").write_text(nothing)
    report = await sync(FolderSource(docs), DocumentParser(), embedder, index)
    assert [one.location for one in report.skipped] == ["a.md"]
    assert await index.documents() == 1


async def test_a_source_that_fails_halfway_changes_nothing_it_did_not_finish(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    source = MemorySource(pages(3))
    await run(source, embedder, index)
    before, version = await contents(index, embedder), await index.version()
    source.broken = True
    with pytest.raises(SourceUnavailable):
        await run(source, embedder, index)
    assert (await contents(index, embedder), await index.version()) == (before, version)


async def test_a_listing_that_lost_most_pages_is_refused_until_confirmed(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    source = MemorySource(pages(24))
    await run(source, embedder, index)
    before = await index.version()
    source.pages = {"p000.txt": page(0)}
    with pytest.raises(SuspiciousDeletion, match="23 of 24"):
        await run(source, embedder, index)
    assert await index.version() == before
    report = await run(source, embedder, index, confirm_deletion=True)
    assert (report.removed, report.unchanged) == (23, 1)
    assert await index.documents() == 1
    source.pages = {}
    with pytest.raises(SuspiciousDeletion):
        await run(source, embedder, index)


async def test_a_page_that_cannot_be_read_is_closed_to_those_who_lost_the_right_to_it(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    wide = frozenset({EVERYONE.id, Principal("group", "staff").id})
    narrow = frozenset({Principal("group", "staff").id})
    before, after = MemorySource(pages(3), readers=wide), MemorySource(pages(3), readers=narrow)
    await run(before, embedder, index)
    after.unreadable.add("p001.txt")
    await run(after, embedder, index)
    assert await index.readers([before.ref(name).id for name in before.pages]) == {
        before.ref(name).id: narrow for name in ("p000.txt", "p002.txt")
    }
    # Where the right was not narrowed, what could be read before stays.
    again = MemorySource(pages(3), readers=wide)
    again.unreadable.add("p002.txt")
    await run(again, embedder, index)
    kept = again.ref("p002.txt").id
    assert await index.readers([kept]) == {kept: narrow}


async def test_a_suspicious_listing_deletes_nothing_and_still_follows_every_narrowed_right(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    staff = frozenset({Principal("group", "staff").id})
    source = MemorySource(pages(24))
    await run(source, embedder, index)
    left = {"p000.txt": page(0), "p001.txt": "Another text\n\nnew"}
    after = MemorySource(left, readers=staff)
    with pytest.raises(SuspiciousDeletion, match="22 of 24"):
        await run(after, embedder, index)
    assert await index.documents() == 24
    held = await index.readers([after.ref(name).id for name in left])
    assert set(held.values()) == {staff}


class DyingIndex(LanceIndex):
    """Works until a chosen commit, which dies before it writes or right after."""

    dies_at = 0
    after = False
    commits = 0

    async def commit(self) -> int:
        self.commits += 1
        if self.commits != self.dies_at:
            return await super().commit()
        if self.after:
            await super().commit()
        raise IndexUnavailable("The process died here.")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", [1, 2, 3])
async def test_a_run_that_died_and_a_second_run_give_the_same_index(
    open_index: Open, embedder: HashingEmbedder, tmp_path: Path, dies_at: int, after: bool
) -> None:
    small = {f"p{number:03}.txt": f"Page {number}\n\nword{number}" for number in range(700)}
    source = MemorySource(small)
    dying = DyingIndex(f"{tmp_path}/index", embedder=embedder.name, dimensions=embedder.dimensions)
    dying.dies_at, dying.after = dies_at, after
    with pytest.raises(IndexUnavailable):
        await run(source, embedder, dying)
    await dying.close()
    index = open_index()
    assert await index.documents() == 300 * (dies_at - 1 + after) - 200 * (dies_at == 3 and after)
    await run(source, embedder, index)
    assert embedder.embedded <= 700 + 600
    assert await contents(index, embedder) == await fresh(source, f"{tmp_path}/fresh")


async def test_after_a_failed_run_the_same_index_object_holds_no_leftovers(
    embedder: HashingEmbedder, tmp_path: Path
) -> None:
    index = DyingIndex(f"{tmp_path}/index", embedder=embedder.name, dimensions=embedder.dimensions)
    index.dies_at = 1
    source = MemorySource(pages(3))
    with pytest.raises(IndexUnavailable):
        await run(source, embedder, index)
    del source.pages["p001.txt"]
    await run(source, embedder, index)
    assert await index.documents() == 2
    await index.close()


class SlowEmbedder(HashingEmbedder):
    """Waits in its second call until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        if self.calls == 2:
            self.reached.set()
            self.go_on.wait(30)
        return super().embed_documents(texts)


async def test_a_cancelled_sync_ends_cleanly_and_the_next_one_completes_it(
    open_index: Open, tmp_path: Path
) -> None:
    embedder = SlowEmbedder()
    index = open_index()
    source = MemorySource(pages(120))
    task = asyncio.create_task(sync(source, TextParser(), embedder, index))
    await asyncio.to_thread(embedder.reached.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    embedder.go_on.set()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others
    committed = await index.documents()
    assert committed < 120
    report = await run(source, embedder, index)
    assert (report.added, report.unchanged) == (120 - committed, committed)
    assert await contents(index, embedder) == await fresh(source, f"{tmp_path}/fresh")


async def test_two_syncs_at_once_leave_each_row_once(
    open_index: Open, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    source = MemorySource(pages(30))
    await asyncio.gather(*(run(source, embedder, open_index()) for _ in range(3)))
    source.pages["p001.txt"] = page(77)
    await asyncio.gather(*(run(source, embedder, open_index()) for _ in range(3)))
    assert await contents(open_index(), embedder) == await fresh(source, f"{tmp_path}/fresh")


async def test_progress_only_moves_forward_and_ends_with_everything(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    source = MemorySource(pages(40))
    source.unreadable.add("p005.txt")
    seen: list[SyncProgress] = []
    report = await sync(source, TextParser(), embedder, index, progress=seen.append)
    stages = list(dict.fromkeys(one.stage for one in seen))
    assert stages == ["listing", "syncing", "finishing", "done"]
    for name in ("listed", "fetched", "known_chunks", "embedded_chunks", "committed", "skipped"):
        values = [getattr(one, name) for one in seen]
        assert values == sorted(values)
    last = seen[-1]
    assert (last.listed, last.to_fetch, last.fetched) == (40, 40, 40)
    assert last.known_chunks == last.embedded_chunks == report.chunks_embedded
    assert (last.committed, last.skipped) == (39, 1)


class CountingIndex(LanceIndex):
    """Notes how much was staged at once, the most a run ever holds."""

    staged = 0
    most = 0
    commits = 0

    async def stage(self, entries: Sequence[IndexEntry]) -> None:
        await super().stage(entries)
        self.staged += len(entries)
        self.most = max(self.most, self.staged)

    async def commit(self) -> int:
        self.commits += 1
        self.staged = 0
        return await super().commit()


async def test_a_large_source_is_committed_in_parts(
    embedder: HashingEmbedder, tmp_path: Path
) -> None:
    index = CountingIndex(
        f"{tmp_path}/index", embedder=embedder.name, dimensions=embedder.dimensions
    )
    small = {f"p{number:04}.txt": f"Page {number}\n\nword{number}" for number in range(1_000)}
    report = await run(MemorySource(small), embedder, index)
    assert report.added == 1_000
    assert index.commits == 4
    assert index.most <= 300
    await index.close()


refs = st.lists(
    st.builds(DocumentRef, st.just("s"), st.sampled_from("abcdefgh"), st.sampled_from("12")),
    max_size=12,
)
states = st.dictionaries(
    st.sampled_from([DocumentRef("s", name, "1").id for name in "abcdefghij"]),
    st.sampled_from("12"),
)


@given(refs, states)
def test_a_plan_sorts_every_document_into_exactly_one_heap(
    listed: list[DocumentRef], indexed: Mapping[str, str]
) -> None:
    made = plan(listed, indexed, fingerprint_of=lambda ref: ref.version, confirm_deletion=True)
    latest = {ref.id: ref for ref in listed}
    heaps = [
        {ref.id for ref in made.added},
        {ref.id for ref in made.changed},
        {ref.id for ref in made.unchanged},
        set(made.removed),
    ]
    assert sum(map(len, heaps)) == len(set().union(*heaps)) == len(latest.keys() | indexed.keys())
    assert heaps[3] == indexed.keys() - latest.keys()
    assert heaps[0] == latest.keys() - indexed.keys()
    assert all(indexed[ref.id] == latest[ref.id].version for ref in made.unchanged)
    assert all(indexed[ref.id] != latest[ref.id].version for ref in made.changed)


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_deletion_is_suspicious_when_all_or_most_of_twenty_vanish(
    indexed_count: int, kept: int
) -> None:
    kept = min(kept, indexed_count)
    all_refs = [DocumentRef("s", str(number), "1") for number in range(indexed_count)]
    indexed = {ref.id: "1" for ref in all_refs}
    vanished = indexed_count - kept
    suspicious = (kept == 0 and vanished > 0) or (indexed_count >= 20 and vanished > kept)
    if suspicious:
        with pytest.raises(SuspiciousDeletion):
            plan(all_refs[:kept], indexed, fingerprint_of=lambda ref: ref.version)
    else:
        made = plan(all_refs[:kept], indexed, fingerprint_of=lambda ref: ref.version)
        assert len(made.removed) == vanished
