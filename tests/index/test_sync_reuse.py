"""No text is embedded twice, wherever it moves to and however often it stands somewhere."""

from collections.abc import Callable

import pytest

from index.lance import LanceIndex
from index.sync import SyncReport, sync
from tests.doubles.hashing_embedder import CountingEmbedder, HashingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


async def run(
    index: LanceIndex, embedder: HashingEmbedder, source: MemorySource, **options: bool
) -> SyncReport:
    return await sync(source, TextParser(), embedder, index, **options)


def page(name: str, paragraphs: int = 12) -> str:
    lines = (f"{name} line{n} " + "word " * 30 + "." for n in range(paragraphs))
    return f"{name}\n\n" + "\n\n".join(lines)


async def test_a_renamed_page_is_not_embedded_again(
    index: LanceIndex, embedder: CountingEmbedder
) -> None:
    source = MemorySource({"a.txt": page("one"), "b.txt": page("two")})
    first = await run(index, embedder, source)
    source.pages["new/a.txt"] = source.pages.pop("a.txt")
    report = await run(index, embedder, source)
    assert (report.added, report.removed, report.chunks_embedded) == (1, 1, 0)
    assert report.chunks_reused == first.chunks_embedded // 2
    assert await index.count() == first.chunks_embedded


async def test_a_page_that_moves_to_another_source_is_not_embedded_again(
    index: LanceIndex, embedder: CountingEmbedder
) -> None:
    here, there = MemorySource({"a.txt": page("one")}), MemorySource({}, name="there")
    await run(index, embedder, here)
    there.pages["a.txt"] = here.pages["a.txt"]
    report = await run(index, embedder, there)
    assert (report.added, report.chunks_embedded) == (1, 0)


async def test_text_that_moves_between_pages_of_one_run_is_not_embedded_again(
    index: LanceIndex, embedder: CountingEmbedder
) -> None:
    # The first of these pages is committed, without its text, long before the last is looked at.
    source = MemorySource({f"{n:04}.txt": f"Same title\n\npage number {n}" for n in range(700)})
    await run(index, embedder, source)
    texts = list(source.pages.values())
    for location, text in zip(list(source.pages), [*texts[350:], *texts[:350]], strict=True):
        source.pages[location] = text
    report = await run(index, embedder, source)
    assert (report.changed, report.chunks_embedded) == (700, 0)
    assert max(embedder.texts.values()) == 1


async def test_equal_texts_of_one_run_are_embedded_once_in_whichever_windows_they_are(
    index: LanceIndex, embedder: CountingEmbedder
) -> None:
    pages = {f"{n:04}.txt": f"Notice\n\nall rights are reserved {n % 7}" for n in range(1_500)}
    report = await run(index, embedder, MemorySource(pages))
    assert (report.added, report.chunks_embedded, report.chunks_reused) == (1_500, 7, 1_493)
    assert await index.count() == 1_500


async def test_text_that_no_utf8_can_hold_is_not_embedded_again_either(
    index: LanceIndex, embedder: CountingEmbedder
) -> None:
    class Surrogates(TextParser):
        def parse(self, raw):  # type: ignore[no-untyped-def]
            parsed = super().parse(raw)
            return type(parsed)(
                parsed.ref, parsed.title, parsed.url, parsed.text + " \ud800", parsed.readers
            )

    source = MemorySource({"a.txt": page("one", 1)})
    await sync(source, Surrogates(), embedder, index)
    source.pages["b.txt"] = source.pages.pop("a.txt")
    report = await sync(source, Surrogates(), embedder, index)
    assert (report.added, report.chunks_embedded) == (1, 0)


async def test_text_that_was_deleted_is_not_kept_for_another_run(
    open_index: Callable[[], LanceIndex], embedder: CountingEmbedder
) -> None:
    source = MemorySource({"a.txt": page("one"), "b.txt": page("two")})
    await run(open_index(), embedder, source)
    kept = source.pages.pop("a.txt")
    await run(open_index(), embedder, source)
    source.pages["c.txt"] = kept
    assert (await run(open_index(), embedder, source)).chunks_embedded > 0


@pytest.mark.parametrize("first", ["here", "there"])
async def test_a_page_that_leaves_a_source_for_another_is_not_embedded_again(
    open_index: Callable[[], LanceIndex], embedder: CountingEmbedder, first: str
) -> None:
    sources = {name: MemorySource({"b.txt": page(name)}, name=name) for name in ("here", "there")}
    sources["here"].pages["a.txt"] = page("one")
    index = open_index()
    for source in sources.values():
        await run(index, embedder, source)
    sources["there"].pages["a.txt"] = sources["here"].pages.pop("a.txt")
    index = open_index()
    order = sorted(sources.values(), key=lambda source: source.name != first)
    assert sum([(await run(index, embedder, one)).chunks_embedded for one in order]) == 0
