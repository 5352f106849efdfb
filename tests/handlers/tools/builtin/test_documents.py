"""search_documents, open_section and list_sources on a real index."""

from dataclasses import replace

import pytest

from handlers.tools.builtin.list_sources import ListSources
from handlers.tools.builtin.open_section import OpenSection
from handlers.tools.builtin.search_documents import SearchDocuments
from handlers.tools.errors import ToolRefused, ToolUnavailable
from index.audience import Audience, Principal
from index.lance import LanceIndex
from index.retrieval import Retriever
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.handlers.tools.builtin.conftest import call, context

BOARD = Principal("slack-group", "SBOARD")


@pytest.fixture
async def filled(index: LanceIndex, embedder: HashingEmbedder) -> LanceIndex:
    secret = frozenset({BOARD.id})
    texts = [f"Backup rule number {number} of the handbook." for number in range(12)]
    long = entry(embedder, "backups.md", *texts, title="Backups")
    other = replace(long.chunks[5], heading_path=("Outer", "Another"))
    long = replace(long, chunks=(*long.chunks[:5], other, *long.chunks[6:]))
    await index.stage(
        [
            long,
            entry(embedder, "pay.md", "The salary of the board is high.", readers=secret),
            entry(embedder, "plan.md", "The board plans.", readers=secret, source="board"),
        ]
    )
    await index.commit()
    return index


async def test_passages_come_with_what_opens_them_in_their_order(
    filled: LanceIndex, embedder: HashingEmbedder
) -> None:
    tool = SearchDocuments(Retriever(filled, embedder))
    found = await call(tool, context(), query="backup rule number 3")
    assert "Backup rule number 3 of the handbook." in [one.chunk.text for one in found.passages]
    lines = found.text.splitlines()[1:]
    assert len(lines) == len(found.passages)
    for line, passage in zip(lines, found.passages, strict=True):
        assert f"document {passage.chunk.document_id}, part {passage.chunk.ordinal} " in line
    assert found.undo is None and found.url == ""


async def test_nothing_is_found_that_the_audience_may_not_read(
    filled: LanceIndex, embedder: HashingEmbedder
) -> None:
    tool = SearchDocuments(Retriever(filled, embedder))
    everybody = await call(tool, context(), query="salary of the board")
    assert not any("salary" in one.chunk.text for one in everybody.passages)
    board = Audience.of({BOARD})
    found = await call(tool, context(audience=board), query="salary of the board")
    assert found.passages[0].chunk.text == "The salary of the board is high."
    nobody = await call(tool, context(audience=Audience(())), query="backup")
    assert nobody.passages == () and "Nothing was found" in nobody.text


async def test_a_section_is_what_stands_under_the_same_headings(
    filled: LanceIndex, embedder: HashingEmbedder
) -> None:
    document = entry(embedder, "backups.md", "any").document.ref.id
    tool = OpenSection(filled, embedder)
    found = await call(tool, context(), document=document, part=2)
    assert [one.chunk.ordinal for one in found.passages] == [0, 1, 2, 3, 4]
    assert "goes on with part 5" in found.text
    alone = await call(tool, context(), document=document, part=5)
    assert [one.chunk.ordinal for one in alone.passages] == [5]
    last = await call(tool, context(), document=document, part=11)
    assert "goes on" not in last.text


async def test_a_section_that_is_not_there_and_one_that_is_closed_look_the_same(
    filled: LanceIndex, embedder: HashingEmbedder
) -> None:
    tool = OpenSection(filled, embedder)
    closed = entry(embedder, "pay.md", "any").document.ref.id
    said = []
    for document, part in ((closed, 0), ("0" * 32, 0)):
        with pytest.raises(ToolRefused) as refused:
            await call(tool, context(), document=document, part=part)
        said.append(str(refused.value))
    assert said[0] == said[1]
    board = Audience.of({BOARD})
    assert (await call(tool, context(audience=board), document=closed, part=0)).passages


async def test_only_sources_are_listed_of_which_all_may_read_something(
    filled: LanceIndex,
) -> None:
    tool = ListSources(filled)
    assert (await call(tool, context())).text == "handbook"
    assert (await call(tool, context(audience=Audience.of({BOARD})))).text == "board\nhandbook"
    assert "no source" in (await call(tool, context(audience=Audience(())))).text


async def test_without_documents_or_time_the_model_is_told(
    index: LanceIndex, embedder: HashingEmbedder
) -> None:
    tool = SearchDocuments(Retriever(index, embedder))
    with pytest.raises(ToolRefused, match="no documents yet"):
        await call(tool, context(), query="backups")
    with pytest.raises(ToolUnavailable):
        await call(tool, context(seconds=-1), query="backups")
