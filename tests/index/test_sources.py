"""index.sources.files: which files of a folder are documents, and how they are read."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from index.audience import EVERYONE
from index.documents import DocumentRef
from index.errors import DocumentUnreadable, SourceUnavailable
from index.formats import LARGEST_BYTES
from index.parsing import DocumentParser
from index.sources.files import FolderSource


async def listed(source: FolderSource) -> list[str]:
    return [ref.location async for ref in source.list()]


async def ref_of(source: FolderSource, location: str) -> DocumentRef:
    (found,) = [ref async for ref in source.list() if ref.location == location]
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "b" / "inner").mkdir(parents=True)
    (root / "b" / "inner" / "deep.HTML").write_text("<p>deep", "utf-8")
    (root / "b.md").write_text("# B", "utf-8")
    (root / "a.txt").write_text("a", "utf-8")
    return root


async def test_documents_of_all_levels_are_listed_in_a_fixed_order(root: Path) -> None:
    assert await listed(FolderSource(root)) == ["a.txt", "b.md", "b/inner/deep.HTML"]


async def test_hidden_files_and_what_is_no_document_are_passed_over(root: Path) -> None:
    (root / ".git").mkdir()
    for name in (".git/x.md", ".hidden.md", "logo.png", "tool.exe", "LICENSE", "b/.draft.txt"):
        (root / name).write_text("x", "utf-8")
    assert await listed(FolderSource(root)) == ["a.txt", "b.md", "b/inner/deep.HTML"]


async def test_a_document_that_cannot_be_read_yet_is_listed_and_refused_by_name(root: Path) -> None:
    (root / "plan.DOC").write_bytes(b"x")
    source = FolderSource(root)
    with pytest.raises(DocumentUnreadable, match=r"plan\.DOC is a \.doc file.*save it as"):
        await source.fetch(await ref_of(source, "plan.DOC"))


async def test_a_link_is_followed_only_to_a_file_inside_the_folder(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.md").write_text("# secret", "utf-8")
    (root / "out.md").symlink_to(tmp_path / "secret.md")
    (root / "outside").symlink_to(tmp_path)
    (root / "loop").symlink_to(root)
    (root / "broken.md").symlink_to(root / "nothing.md")
    (root / "self.md").symlink_to(root / "self.md")
    (root / "in.md").symlink_to(root / "b.md")
    source = FolderSource(root)
    assert await listed(source) == ["a.txt", "b.md", "b/inner/deep.HTML", "in.md"]
    for location in ("out.md", "outside/secret.md", "broken.md"):
        with pytest.raises(DocumentUnreadable):
            await source.fetch(DocumentRef("files", location, "1"))


@pytest.mark.parametrize(
    "location",
    [
        *("../secret.md", "b/../../secret.md", "/etc/hostname", "%2e%2e/secret.md", ".."),
        *("..%2fsecret.md", "", ".", "b//inner/deep.HTML", ".hidden.md", "a\0.txt", "b/../a.txt"),
    ],
)
async def test_a_location_that_was_never_listed_is_refused(
    root: Path, tmp_path: Path, location: str
) -> None:
    (tmp_path / "secret.md").write_text("# secret", "utf-8")
    (root / ".hidden.md").write_text("# hidden", "utf-8")
    with pytest.raises(DocumentUnreadable):
        await FolderSource(root).fetch(DocumentRef("files", location, "1"))


async def test_the_ref_of_another_source_is_refused(root: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="not a document of this folder"):
        await FolderSource(root).fetch(DocumentRef("wiki", "a.txt", "1"))


async def test_special_files_are_passed_over(root: Path) -> None:
    os.mkfifo(root / "pipe.md")
    assert "pipe.md" not in await listed(FolderSource(root))


async def test_a_file_that_vanishes_after_the_listing_is_one_unreadable_document(
    root: Path,
) -> None:
    source = FolderSource(root)
    ref = await ref_of(source, "a.txt")
    (root / "a.txt").unlink()
    with pytest.raises(DocumentUnreadable, match="vanished"):
        await source.fetch(ref)


async def test_a_file_that_changes_after_the_listing_comes_with_the_version_of_its_bytes(
    root: Path,
) -> None:
    source = FolderSource(root)
    before = await ref_of(source, "a.txt")
    (root / "a.txt").write_text("b", "utf-8")
    fetched = (await source.fetch(before)).ref
    assert fetched == await ref_of(source, "a.txt")
    assert fetched != before


async def test_a_missing_folder_is_an_unavailable_source_not_an_empty_one(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        (tmp_path / "file").write_text("x", "utf-8")
        source = FolderSource(path)
        with pytest.raises(SourceUnavailable, match=r"folder.*\.$"):
            await listed(source)
        with pytest.raises(SourceUnavailable):
            await source.fetch(DocumentRef("files", "a.txt", "1"))


@pytest.fixture
def foreign_name(root: Path) -> Path:
    """A file whose name is Latin-1, as old shares have them."""
    path = root / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(b"coffee")
    return path


@pytest.mark.usefixtures("foreign_name")
async def test_a_name_that_is_no_utf8_is_listed_printably_and_fetched(root: Path) -> None:
    source = FolderSource(root, base_url="https://d.example/")
    raw = await source.fetch(await ref_of(source, "caf%E9.txt"))
    assert raw.content == b"coffee"
    assert raw.url == "https://d.example/caf%E9.txt"


async def test_a_url_is_quoted_and_only_there_with_a_base(root: Path) -> None:
    (root / "b" / "größe #1?&%20.md").write_text("x", "utf-8")
    bare, linked = FolderSource(root), FolderSource(root, base_url="https://d.example/x/")
    ref = await ref_of(bare, "b/größe #1?&%20.md")
    assert (await bare.fetch(ref)).url == ""
    expected = "https://d.example/x/b/gr%C3%B6%C3%9Fe%20%231%3F%26%2520.md"
    assert (await linked.fetch(ref)).url == expected


async def test_a_fetched_document_carries_type_time_and_readers(root: Path) -> None:
    os.utime(root / "b.md", (1_700_000_000, 1_700_000_000))
    source = FolderSource(root, name="wiki", readers=frozenset({"team"}))
    raw = await source.fetch(await ref_of(source, "b.md"))
    assert (raw.media_type, raw.content, raw.readers) == (
        "text/markdown",
        b"# B",
        frozenset({"team"}),
    )
    assert raw.updated_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert (await FolderSource(root).fetch(DocumentRef("files", "b.md", "1"))).readers == frozenset(
        {EVERYONE.id}
    )


async def test_an_oversized_file_is_listed_without_reading_it_and_refused(root: Path) -> None:
    with (root / "huge.txt").open("wb") as file:
        file.truncate(LARGEST_BYTES * 100)
    source = FolderSource(root)
    ref = await ref_of(source, "huge.txt")
    raw = await source.fetch(ref)
    assert len(raw.content) == LARGEST_BYTES + 1
    with pytest.raises(DocumentUnreadable, match="split it"):
        DocumentParser().parse(raw)


async def test_an_empty_folder_has_no_documents(tmp_path: Path) -> None:
    assert await listed(FolderSource(tmp_path)) == []
