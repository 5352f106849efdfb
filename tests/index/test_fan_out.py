"""Documents that others prepare end in the index as if the committer had read them itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from index.audience import EVERYONE, Principal
from index.documents import DocumentRef, RawDocument
from index.errors import DocumentsMissing, WriterConflict
from index.fan_out import FanOut
from index.lance import LanceIndex
from index.staging import ASKED, PREPARED, FolderStaging, file_of
from index.sync import SyncProgress, SyncReport, sync
from tests.doubles.hashing_embedder import CountingEmbedder, HashingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser
from tests.doubles.stored_rows import Rows, stored_rows
from tests.doubles.workforce import Died, Workforce, fan_out

Open = Callable[[], LanceIndex]
STAFF = frozenset({Principal("group", "staff").id})


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def staging(tmp_path: Path) -> FolderStaging:
    return FolderStaging(tmp_path / "staged" / "index")


class Company:
    """A source, the index of it, workers, and a committer that may ask them."""

    def __init__(
        self,
        source: MemorySource,
        embedder: HashingEmbedder,
        open_index: Open,
        staging: FolderStaging,
    ) -> None:
        self.source, self.embedder, self.staging = source, embedder, staging
        self.parser = TextParser()
        self.open_index = open_index
        self.index = open_index()
        self.workforce = self.hired()

    def hired(self) -> Workforce:
        return Workforce(self.staging, self.source, self.parser, self.embedder, self.open_index)

    def fan_out(self, most: int = 10) -> FanOut:
        return fan_out(self.workforce, self.staging, self.index, most)

    async def sync(self, *, workers: int = 3, by: FanOut | None = None, **more: bool) -> SyncReport:
        async with self.workforce.working(workers):
            return await sync(
                self.source,
                self.parser,
                self.embedder,
                self.index,
                fan_out=by or self.fan_out(),
                **more,
            )

    async def staged(self) -> list[str]:
        return list(await self.staging.names())

    async def has_asked(self, least: int) -> bool:
        asked = len(self.workforce.asked)
        return asked >= least and await self.has_staged(asked, ASKED)

    async def has_staged(self, count: int, kind: str) -> bool:
        return len([name for name in await self.staged() if name.endswith(kind)]) == count


@pytest.fixture
def company(
    open_index: Open, embedder: CountingEmbedder, staging: FolderStaging
) -> Callable[[MemorySource], Company]:
    return lambda source: Company(source, embedder, open_index, staging)


Hire = Callable[[MemorySource], Company]


def page(number: int, paragraphs: int = 3) -> str:
    lines = (
        f"Page {number} says word{number * 31 + n} " + "word " * 40 + "." for n in range(paragraphs)
    )
    return f"Title {number}\n\n" + "\n\n".join(lines)


def pages(count: int) -> dict[str, str]:
    return {f"p{number:03}.txt": page(number) for number in range(count)}


def as_it_is(source: MemorySource) -> MemorySource:
    """Return a copy of a source, which stays in its state."""
    copy = MemorySource(dict(source.pages), name=source.name, readers=source.readers)
    copy.unreadable = set(source.unreadable)
    return copy


async def plain(place: Path, *states: MemorySource) -> Rows:
    """Return the rows of an index that one process alone has synced, state after state."""
    embedder = HashingEmbedder()
    index = LanceIndex(str(place), embedder=embedder.name, dimensions=embedder.dimensions)
    for state in states:
        await sync(state, TextParser(), embedder, index)
    await index.close()
    return await stored_rows(str(place))


async def until(seen: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(3_000):
        if await seen():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_an_index_that_others_prepare_equals_row_for_row_that_of_one_process(
    company: Hire, embedder: CountingEmbedder, tmp_path: Path
) -> None:
    one = company(MemorySource(pages(120)))
    first = as_it_is(one.source)
    report = await one.sync()
    assert (report.added, report.changed, report.unchanged) == (120, 0, 0)
    assert report.chunks_embedded == await one.index.count()
    assert one.workforce.most_at_once > 1
    one.source.pages |= {f"p{n:03}.txt": page(n + 500) for n in range(40)} | {"new.txt": page(999)}
    del one.source.pages["p050.txt"]
    report = await one.sync()
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 40, 1, 79)
    alone = await plain(tmp_path / "alone", first, one.source)
    assert await stored_rows(f"{tmp_path}/index") == alone
    assert max(embedder.texts.values()) == 1
    assert await one.staged() == []


async def test_a_plan_of_one_portion_is_done_by_the_committer_alone(company: Hire) -> None:
    one = company(MemorySource(pages(10)))
    report = await one.sync(workers=0)
    assert (report.added, one.workforce.asked) == (10, [])
    assert (await one.sync(workers=0)).unchanged == 10
    assert await one.staged() == []


async def test_a_source_that_must_be_asked_slowly_is_asked_by_the_committer_alone(
    company: Hire,
) -> None:
    class Slow(MemorySource):
        paced = True

    one = company(Slow(pages(40)))
    assert (await one.sync(workers=0)).added == 40
    assert one.workforce.asked == []


async def test_what_cannot_be_read_is_named_and_dropped_as_by_one_process(
    company: Hire, tmp_path: Path
) -> None:
    one = company(MemorySource(pages(40)))
    one.source.pages |= {"crash.txt": "! boom", "blank.txt": " \n ", "locked.txt": page(7)}
    one.source.unreadable = {"locked.txt"}
    first = as_it_is(one.source)
    report = await one.sync()
    assert [skipped.location for skipped in report.skipped] == [
        "blank.txt",
        "crash.txt",
        "locked.txt",
    ]
    assert report.added == 40
    # What was readable, and is not any more: kept, unless it holds nothing any more.
    changes = {f"p{n:03}.txt": page(n + 100) for n in range(20)}
    one.source.pages |= {**changes, "p001.txt": " ", "p002.txt": "! boom"}
    one.source.unreadable = {"locked.txt", "p003.txt"}
    report = await one.sync()
    assert report.changed == 17
    assert {"p001.txt", "p002.txt", "p003.txt"} < {skipped.location for skipped in report.skipped}
    alone = await plain(tmp_path / "alone", first, one.source)
    assert await stored_rows(f"{tmp_path}/index") == alone


async def test_an_unreadable_document_is_closed_to_those_who_lost_the_right_to_it(
    company: Hire,
) -> None:
    one = company(MemorySource(pages(30), readers=STAFF | {EVERYONE.id}))
    await one.sync()
    one.source.readers = STAFF
    one.source.unreadable = {"p001.txt"}
    await one.sync()
    closed, open_one = one.source.ref("p001.txt").id, one.source.ref("p002.txt").id
    assert await one.index.readers([closed, open_one]) == {open_one: STAFF}


async def test_a_document_that_changes_after_it_was_listed_is_read_again_by_the_next_run(
    company: Hire, tmp_path: Path
) -> None:
    one = company(MemorySource(pages(30)))
    newer = {f"p{n:03}.txt": page(n + 200) for n in range(5)}
    one.workforce.before = lambda portion, number: one.source.pages.update(newer)
    assert (await one.sync()).added == 30
    assert (await one.sync()).unchanged == 30
    assert await stored_rows(f"{tmp_path}/index") == await plain(tmp_path / "alone", one.source)


async def test_a_worker_that_dies_is_replaced_and_nothing_is_embedded_twice(
    company: Hire, embedder: CountingEmbedder, tmp_path: Path
) -> None:
    one = company(MemorySource(pages(60)))

    def die(portion: str, number: int) -> None:
        if number == 1:
            raise Died("killed")

    one.workforce.before = die
    assert (await one.sync()).added == 60
    assert set(one.workforce.tries.values()) == {2}
    assert max(embedder.texts.values()) == 1
    assert await stored_rows(f"{tmp_path}/index") == await plain(tmp_path / "alone", one.source)


async def test_a_job_that_comes_twice_is_done_once(
    company: Hire, embedder: CountingEmbedder
) -> None:
    one = company(MemorySource(pages(60)))
    ask = one.workforce.ask

    async def twice(source: str, portion: str) -> None:
        await ask(source, portion)
        await ask(source, portion)

    by = replace(one.fan_out(), ask=twice)
    assert (await one.sync(workers=1, by=by)).added == 60
    assert max(embedder.texts.values()) == 1


async def test_a_committer_that_is_killed_finds_what_was_prepared_for_it(
    company: Hire, embedder: CountingEmbedder, tmp_path: Path
) -> None:
    one = company(MemorySource(pages(60)))
    killed = asyncio.create_task(one.sync(workers=0))
    await until(lambda: one.has_asked(6))
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    async with one.workforce.working(2):
        await until(lambda: one.has_staged(len(one.workforce.asked), PREPARED))
    assert await one.index.documents() == 0
    embedded = embedder.embedded
    one.workforce = one.hired()
    assert (await one.sync(workers=0)).added == 60
    assert (embedder.embedded, one.workforce.asked) == (embedded, [])
    assert await stored_rows(f"{tmp_path}/index") == await plain(tmp_path / "alone", one.source)


async def test_what_does_not_come_in_time_is_reported_and_found_by_the_next_run(
    company: Hire, embedder: CountingEmbedder
) -> None:
    one = company(MemorySource(pages(60)))
    hurried = replace(one.fan_out(), until=0.0)
    with pytest.raises(DocumentsMissing, match="60 documents have not been prepared yet"):
        await one.sync(workers=0, by=hurried)
    asked = set(one.workforce.asked)
    assert await one.staged() == sorted(file_of("memory", portion, ASKED) for portion in asked)
    assert (await one.sync()).added == 60
    assert set(one.workforce.asked) == asked
    assert max(embedder.texts.values()) == 1


async def test_workers_that_are_silent_do_not_hold_up_the_committer(company: Hire) -> None:
    one = company(MemorySource(pages(60)))
    impatient = replace(one.fan_out(), stalled_after=0.1)
    with pytest.raises(DocumentsMissing):
        await one.sync(workers=0, by=impatient)


async def test_a_portion_that_kills_its_workers_is_missing_alone_and_named(company: Hire) -> None:
    one = company(MemorySource(pages(60)))
    poisoned = set[str]()

    def die(portion: str, number: int) -> None:
        if not poisoned:
            poisoned.add(portion)
        if portion in poisoned:
            raise Died("It has killed each of its workers.")

    one.workforce.before = die
    with pytest.raises(DocumentsMissing, match="It has killed each of its workers") as told:
        await one.sync()
    missing = int(str(told.value).partition(" ")[0])
    assert await one.index.documents() == 60 - missing > 30
    assert await one.staged() == []
    one.workforce = one.hired()
    assert (await one.sync()).added == missing


async def test_a_broken_result_is_made_again(company: Hire, tmp_path: Path) -> None:
    one = company(MemorySource(pages(60)))
    write, broken = one.staging.write, set[str]()

    class Breaking(FolderStaging):
        async def write(self, name: str, content: bytes) -> None:
            if name.endswith(PREPARED) and name not in broken:
                broken.add(name)
                content = content[:-1]
            await write(name, content)

    one.staging = Breaking(tmp_path / "staged" / "index")
    one.workforce = one.hired()
    assert (await one.sync()).added == 60
    assert len(broken) > 3
    assert await stored_rows(f"{tmp_path}/index") == await plain(tmp_path / "alone", one.source)


async def test_a_portion_that_needs_longer_than_a_worker_has_comes_in_parts(
    company: Hire, embedder: CountingEmbedder
) -> None:
    class Slow(MemorySource):
        async def fetch(self, ref: DocumentRef) -> RawDocument:
            await asyncio.sleep(0.2)
            return await super().fetch(ref)

    one = company(Slow(pages(60)))
    one.workforce.seconds = 1.0
    report = await one.sync(by=one.fan_out(most=59))
    assert report.added == 60
    assert len(one.workforce.asked) > 2


async def test_a_removed_document_does_not_linger_among_what_is_staged(company: Hire) -> None:
    one = company(MemorySource(pages(60)))
    hurried = replace(one.fan_out(), until=0.0)
    with pytest.raises(DocumentsMissing):
        await one.sync(workers=0, by=hurried)
    async with one.workforce.working(2):
        await until(lambda: one.has_staged(len(one.workforce.asked), PREPARED))
    one.source.pages = pages(3)
    assert (await one.sync(workers=0)).added == 3
    assert await one.staged() == []
    assert await one.index.documents() == 3


async def test_a_committer_that_was_replaced_touches_nothing_that_is_staged(
    company: Hire,
) -> None:
    one = company(MemorySource(pages(60)))
    with pytest.raises(DocumentsMissing):
        await one.sync(workers=0, by=replace(one.fan_out(), until=0.0))
    staged = await one.staged()

    async def lost() -> None:
        raise WriterConflict("Another one has taken over.")

    one.source.pages = pages(30)
    with pytest.raises(WriterConflict):
        await one.sync(workers=0, by=replace(one.fan_out(), may_write=lost))
    assert await one.staged() == staged != []


async def test_a_worker_leaves_nothing_behind_that_nobody_asked_for_any_more(
    company: Hire, tmp_path: Path
) -> None:
    one = company(MemorySource(pages(60)))

    def withdraw(portion: str, number: int) -> None:
        for path in (tmp_path / "staged").rglob(f"*{ASKED}"):
            path.unlink()

    one.workforce.before = withdraw
    impatient = replace(one.fan_out(), stalled_after=1.0)
    with pytest.raises(DocumentsMissing):
        await one.sync(by=impatient)
    assert await one.staged() == []


async def test_what_moved_since_the_run_began_is_not_embedded_again_by_a_worker(
    company: Hire, embedder: CountingEmbedder
) -> None:
    one = company(MemorySource(pages(40)))
    await one.sync()
    one.source.pages = {f"moved/{name}": text for name, text in one.source.pages.items()}
    one.workforce = one.hired()
    report = await one.sync(confirm_deletion=True)
    assert (report.added, report.removed, report.chunks_embedded) == (40, 40, 0)
    assert len(one.workforce.asked) > 3


async def test_a_new_recipe_is_prepared_by_others_beside_the_index_that_answers(
    company: Hire, embedder: CountingEmbedder
) -> None:
    one = company(MemorySource(pages(40)))
    await one.sync()
    one.parser = TextParser("text-2")
    one.workforce = one.hired()
    report = await one.sync()
    assert (report.added, report.chunks_embedded, report.awaited) == (40, 0, ())
    assert (await one.sync()).unchanged == 40


async def test_workers_of_another_version_prepare_nothing_and_say_so(company: Hire) -> None:
    one = company(MemorySource(pages(40)))
    one.workforce = Workforce(
        one.staging, one.source, TextParser("text-2"), one.embedder, one.open_index
    )
    with pytest.raises(DocumentsMissing, match="another version of the program"):
        await one.sync()
    assert await one.index.documents() == 0


async def test_progress_only_moves_forward_and_ends_with_everything(company: Hire) -> None:
    one = company(MemorySource(pages(60)))
    one.source.unreadable = {"p005.txt"}
    seen: list[SyncProgress] = []
    async with one.workforce.working(3):
        report = await sync(
            one.source,
            one.parser,
            one.embedder,
            one.index,
            progress=seen.append,
            fan_out=one.fan_out(),
        )
    assert list(dict.fromkeys(p.stage for p in seen)) == ["listing", "syncing", "finishing", "done"]
    for name in ("listed", "fetched", "known_chunks", "embedded_chunks", "committed", "skipped"):
        values = [getattr(p, name) for p in seen]
        assert values == sorted(values)
    last = seen[-1]
    assert (last.to_fetch, last.fetched, last.committed, last.skipped) == (60, 60, 59, 1)
    assert last.known_chunks == last.embedded_chunks == report.chunks_embedded
