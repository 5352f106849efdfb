"""A card is a document like any other: the next sync finds it, and its undo forgets it."""

from pathlib import Path

import pytest

from handlers.adapters.card_files import FolderCards
from handlers.tools.builtin.save_card import SaveCard
from handlers.tools.builtin.search_documents import SearchDocuments
from handlers.tools.errors import ToolRefused
from index.audience import EVERYONE
from index.lance import LanceIndex
from index.parsing import DocumentParser
from index.retrieval import Retriever
from index.sources.files import FolderSource
from index.sync import sync
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.handlers.tools.builtin.conftest import call, context


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_saved_card_is_found_after_the_next_sync_and_gone_after_its_undo(
    tmp_path: Path, index: LanceIndex, embedder: HashingEmbedder
) -> None:
    folder = tmp_path / "cards"
    cards = SaveCard(FolderCards(folder, url="https://wiki.example/cards/"))
    search = SearchDocuments(Retriever(index, embedder))
    source = FolderSource(folder, name="cards", readers=frozenset({EVERYONE.id}))
    saved = await call(cards, context(), title="Who has the key?", text="Bob has the key.")
    [file] = files(folder)
    assert saved.url == f"https://wiki.example/cards/{file.name}"
    assert file.read_text("utf-8") == "# Who has the key?\n\nBob has the key.\n"
    await sync(source, DocumentParser(), embedder, index)
    found = await call(search, context(), query="key")
    assert [(one.title, one.chunk.text) for one in found.passages] == [
        ("Who has the key?", "Bob has the key.")
    ]
    assert saved.undo is not None
    assert "removed" in (await cards.undo(saved.undo, context())).text
    assert "before" in (await cards.undo(saved.undo, context())).text
    await sync(source, DocumentParser(), embedder, index, confirm_deletion=True)
    assert (await call(search, context(), query="key")).passages == ()


async def test_the_same_call_saves_once_and_never_overwrites(tmp_path: Path) -> None:
    tool = SaveCard(FolderCards(tmp_path))
    for text in ("First.", "Another."):
        done = await call(tool, context(), title="A fact", text=text)
    [file] = files(tmp_path)
    assert "First." in file.read_text("utf-8") and done.url == ""
    await call(tool, context(call="another"), title="A fact", text="Second.")
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("title", ["../../etc/passwd", "日本語の題", "a\x00b\u202ec", "...///"])
async def test_a_title_cannot_lead_out_of_the_folder(tmp_path: Path, title: str) -> None:
    folder = tmp_path / "cards"
    await call(SaveCard(FolderCards(folder)), context(), title=title, text="x")
    [file] = files(folder)
    assert file.parent == folder and file.suffix == ".md" and file.name.isascii()
    assert [one.name for one in files(tmp_path)] == ["cards"]


@pytest.mark.parametrize("name", ["../secret.md", "handbook.md", "", 3, "a/b-0123456789abcdef.md"])
async def test_undo_removes_nothing_but_cards(tmp_path: Path, name: object) -> None:
    (tmp_path / "handbook.md").write_text("kept")
    with pytest.raises(ToolRefused):
        await SaveCard(FolderCards(tmp_path)).undo({"name": name}, context())
    assert (tmp_path / "handbook.md").exists()


async def test_a_folder_that_cannot_be_written_is_told_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolRefused) as refused:
        await call(SaveCard(FolderCards(tmp_path / "file")), context(), title="abc", text="x")
    assert str(tmp_path) not in str(refused.value)
