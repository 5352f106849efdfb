"""Whatever happens to the sources, a sync leaves the index that a new one would be.

Random steps over five sources: pages are written, edited, copied, deleted, renamed, moved to
another source, opened and closed to readers. After each sync the index equals one made from
scratch, row for row and vector for vector, and nothing was embedded that the index held already.
"""

import asyncio
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from index.audience import EVERYONE, Principal
from index.documents import DocumentRef
from index.lance import LanceIndex
from index.ports import Source
from index.sources.files import FolderSource
from index.sync import sync
from tests.doubles.hashing_embedder import CountingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser
from tests.doubles.stored_rows import Rows, stored_rows

MEMORIES, FOLDERS = ("memo", "notes", "wiki"), ("docs", "handbook")
NAMES = (*MEMORIES, *FOLDERS)
READERS = [frozenset({EVERYONE.id}), frozenset({Principal("group", "team").id}), frozenset()]
PAGES = [f"{folder}{name}.txt" for folder in ("", "sub/") for name in "abcde"]


class OpenMemory(MemorySource):
    """A source whose pages may have readers of their own, which are part of their versions."""

    def __init__(self, name: str) -> None:
        super().__init__({}, name=name, readers=frozenset())
        self.own: dict[str, frozenset[str]] = {}

    def ref(self, location: str) -> DocumentRef:
        ref = super().ref(location)
        readers = ",".join(sorted(self.own.get(location, READERS[0])))
        return DocumentRef(ref.source, ref.location, f"{ref.version} {readers}")

    async def fetch(self, ref):  # type: ignore[no-untyped-def]
        raw = await super().fetch(ref)
        readers = self.own.get(ref.location, READERS[0])
        return type(raw)(ref, raw.content, raw.media_type, raw.url, readers, raw.updated_at)


class World:
    """Five sources and what a person may do to them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.memories = {name: OpenMemory(name) for name in MEMORIES}
        self.readers = dict.fromkeys(NAMES, READERS[0])
        for name in FOLDERS:
            (place / name).mkdir()

    def sources(self) -> list[Source]:
        for name, memory in self.memories.items():
            memory.readers = self.readers[name]
        folders = [
            FolderSource(self.place / name, name=name, readers=self.readers[name])
            for name in FOLDERS
        ]
        return [*self.memories.values(), *folders]

    def pages(self, source: str) -> list[str]:
        if source in MEMORIES:
            return sorted(self.memories[source].pages)
        root = self.place / source
        return sorted(one.relative_to(root).as_posix() for one in root.rglob("*.txt"))

    def read(self, source: str, page: str) -> str:
        if source in MEMORIES:
            return self.memories[source].pages[page]
        return (self.place / source / page).read_text()

    def write(self, source: str, page: str, text: str) -> None:
        if source in MEMORIES:
            self.memories[source].pages[page] = text
            return
        path = self.place / source / page
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        # The index keeps the date of the content it has read, so equal content has an equal date.
        moment = int(hashlib.sha256(text.encode()).hexdigest()[:7], 16)
        os.utime(path, (moment, moment))

    def drop(self, source: str, page: str) -> None:
        if source in MEMORIES:
            del self.memories[source].pages[page]
            self.memories[source].own.pop(page, None)
        else:
            (self.place / source / page).unlink()


class Steps(RuleBasedStateMachine):
    """The steps, and the sync that has to follow them all."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="footnote-steps-"))
        self.world = World(self.place)
        self.embedder = CountingEmbedder()
        self.runner = asyncio.Runner()
        self.index = str(self.place / "index")
        self.held: set[str] = set()
        self.syncs = 0
        steps.append(0)

    def teardown(self) -> None:
        self.runner.close()
        shutil.rmtree(self.place)

    def some_page(self, data: st.DataObject) -> tuple[str, str]:
        pages = [(source, page) for source in NAMES for page in self.world.pages(source)]
        return data.draw(st.sampled_from(pages))

    def has_pages(self) -> bool:
        return any(self.world.pages(source) for source in NAMES)

    @rule(source=st.sampled_from(NAMES), page=st.sampled_from(PAGES), text=st.integers(0, 40))
    def write(self, source: str, page: str, text: int) -> None:
        self.world.write(source, page, page_text(text))
        steps[-1] += 1

    @precondition(has_pages)
    @rule(data=st.data(), number=st.integers(0, 9))
    def edit(self, data: st.DataObject, number: int) -> None:
        source, page = self.some_page(data)
        paragraphs = self.world.read(source, page).split("\n\n")
        paragraphs[number % len(paragraphs)] = f"Edited {number}. " + "again and " * 30
        self.world.write(source, page, "\n\n".join(paragraphs))
        steps[-1] += 1

    @precondition(has_pages)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.world.drop(*self.some_page(data))
        steps[-1] += 1

    @precondition(has_pages)
    @rule(
        data=st.data(), to=st.sampled_from(NAMES), page=st.sampled_from(PAGES), copy=st.booleans()
    )
    def move(self, data: st.DataObject, to: str, page: str, copy: bool) -> None:
        source, old = self.some_page(data)
        text = self.world.read(source, old)
        if not copy:
            self.world.drop(source, old)
        self.world.write(to, page, text)
        steps[-1] += 1

    @precondition(has_pages)
    @rule(data=st.data(), page=st.sampled_from(PAGES))
    def rename(self, data: st.DataObject, page: str) -> None:
        source, old = self.some_page(data)
        text = self.world.read(source, old)
        self.world.drop(source, old)
        self.world.write(source, page, text)
        steps[-1] += 1

    @rule(source=st.sampled_from(NAMES), readers=st.sampled_from(READERS))
    def open_source(self, source: str, readers: frozenset[str]) -> None:
        self.world.readers[source] = readers
        steps[-1] += 1

    @precondition(has_pages)
    @rule(data=st.data(), readers=st.sampled_from(READERS))
    def open_page(self, data: st.DataObject, readers: frozenset[str]) -> None:
        source, page = self.some_page(data)
        if source in MEMORIES:
            self.world.memories[source].own[page] = readers
            steps[-1] += 1

    @rule()
    def sync(self) -> None:
        self.runner.run(self._sync())

    async def _sync(self) -> None:
        await synced(self.index, self.world, self.embedder)
        embedded = self.embedder.taken()
        assert not embedded or max(embedded.values()) == 1, "embedded twice in one sync"
        assert not embedded.keys() & self.held, "embedded although the index held it"
        self.syncs += 1
        fresh = str(self.place / f"fresh-{self.syncs}")
        anew = CountingEmbedder()
        await synced(fresh, self.world, anew)
        self.held = set(anew.taken())
        assert await rows(self.index) == await rows(fresh)
        shutil.rmtree(fresh, ignore_errors=True)


steps: list[int] = []


def page_text(number: int) -> str:
    if number == 0:
        return " \n "
    parts = (f"Part {number % 7 + part}. " + f"word{number} and " * 30 for part in range(3))
    return f"Title {number % 5}\n\n" + "\n\n".join(parts)


async def synced(place: str, world: World, embedder: CountingEmbedder) -> None:
    index = LanceIndex(place, embedder=embedder.name, dimensions=embedder.dimensions)
    for source in world.sources():
        await sync(source, TextParser(), embedder, index, confirm_deletion=True)
    await index.close()


async def rows(place: str) -> Rows:
    return await stored_rows(place) if await asyncio.to_thread(Path(place).exists) else []


def machine(examples: int, length: int) -> None:
    steps.clear()
    run_state_machine_as_test(
        Steps,
        settings=settings(
            max_examples=examples,
            stateful_step_count=length,
            deadline=None,
            derandomize=True,
            # Shrinking repeats a failure for minutes, and the steps that led to it are printed.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_sync_of_five_changing_sources_leaves_what_a_new_index_would_hold() -> None:
    machine(examples=4, length=50)
    assert sum(steps) >= 100


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_thousand_steps_leave_what_a_new_index_would_hold() -> None:
    machine(examples=24, length=100)
    assert sum(steps) >= 1_000
