"""index.sources.rules and .ruled: who may read which path, and that every doubt closes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from index.audience import EVERYONE, Audience, Principal
from index.documents import DocumentRef, RawDocument
from index.errors import CatalogInvalid, DocumentUnreadable, SourceUnavailable
from index.lance import LanceIndex
from index.sources import files
from index.sources.catalog import Declared, Kind, Options, read_catalog
from index.sources.files import FolderSource
from index.sources.opening import open_source
from index.sources.ruled import ruled
from index.sources.rules import (
    LARGEST_RULE_FILE,
    MOST_RULES,
    RULE_FILE,
    RulesInvalid,
    narrowed,
    read_rule_file,
    read_rules,
)
from index.sync import SyncReport, sync
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.memory_source import MemorySource, TextParser

HR, STAFF = Principal("slack-group", "T1:HR"), Principal("group", "staff")
ALL = frozenset({EVERYONE.id})
PAGES = {"a.md": "# alpha", "hr/pay.md": "# salary", "hr/open/leave.md": "# leave"}


def rule(path: str, *readers: str) -> dict[str, object]:
    return {"path": path, "readers": list(readers)}


def written(*rules: dict[str, Any]) -> str:
    return "".join(
        f"[[rules]]\npath = '{one['path']}'\nreaders = {one['readers']}\n" for one in rules
    )


HR_ONLY = written(
    rule("hr/open/**", "everyone"), rule("hr/**", "slack-group:T1:HR"), rule("x/**", "email:a@b.c")
)


class RuledMemory(MemorySource):
    """A MemorySource with a rule file; ``turns`` are rule files that replace it, read by read."""

    beside: bytes | None = None
    turns: tuple[bytes | None, ...] = ()

    async def rule_file(self) -> bytes | None:
        if self.turns:
            self.beside, *turns = self.turns
            self.turns = tuple(turns)
        return self.beside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(text, "utf-8")
    return tmp_path / "docs"


async def readers_of(source: Any) -> dict[str, frozenset[str]]:
    return {ref.location: (await source.fetch(ref)).readers async for ref in source.list()}


async def test_the_first_rule_of_the_catalog_that_fits_decides(folder: Path) -> None:
    rules = read_rules([rule("hr/open/**", "everyone"), rule("hr/**", "group:staff")])
    source = ruled(FolderSource(folder, readers=frozenset({HR.id})), rules)
    assert source.readers == frozenset()
    assert await readers_of(source) == {
        "a.md": {HR.id},
        "hr/pay.md": {STAFF.id},
        "hr/open/leave.md": ALL,
    }


async def test_a_rule_file_beside_the_documents_narrows_what_the_catalog_allows(
    folder: Path,
) -> None:
    (folder / RULE_FILE).write_text(HR_ONLY, "utf-8")
    everyone, staff = FolderSource(folder), FolderSource(folder, readers=frozenset({STAFF.id}))
    assert (await readers_of(ruled(everyone)))["hr/pay.md"] == {HR.id}
    for location, readers in (await open_to(ruled(staff))).items():
        assert readers == (set() if location == "hr/pay.md" else {STAFF.id})


async def open_to(source: Any) -> dict[str, frozenset[str]]:
    """Return the readers of each document, nobody for one that is not given out."""
    found = {}
    async for ref in source.list():
        try:
            found[ref.location] = (await source.fetch(ref)).readers
        except DocumentUnreadable as error:
            assert "readable by nobody" in str(error) and str(error).endswith(".")
            found[ref.location] = frozenset()
    return found


@pytest.mark.parametrize(
    ("allowed", "named", "left"),
    [
        ({EVERYONE}, {HR}, {HR}),
        ({EVERYONE}, {EVERYONE}, {EVERYONE}),
        ({HR, STAFF}, {EVERYONE}, {HR, STAFF}),
        ({HR, STAFF}, {HR}, {HR}),
        ({HR}, {HR, STAFF, EVERYONE}, {HR}),
        ({HR}, {STAFF}, set()),
        (set(), {EVERYONE}, set()),
        (set(), {HR}, set()),
    ],
)
def test_what_is_named_beside_the_documents_never_reaches_beyond_what_is_allowed(
    allowed: set[Principal], named: set[Principal], left: set[Principal]
) -> None:
    ids = [frozenset(one.id for one in group) for group in (allowed, named, left)]
    assert narrowed(ids[0], ids[1]) == ids[2]


BROKEN: Mapping[str, bytes] = {
    "no TOML": b"[[rules",
    "no UTF-8": b'[[rules]]\npath = "\xff"\nreaders = ["everyone"]',
    "a foreign table": b'[[rule]]\npath = "x"\nreaders = ["everyone"]',
    "no list": b'rules = "hr/**"',
    "no tables": b'rules = ["hr/**"]',
    "no path": b'[[rules]]\nreaders = ["everyone"]',
    "a path that is none": b'[[rules]]\npath = 7\nreaders = "everyone"',
    "no readers": b'[[rules]]\npath = "x"',
    "empty readers": b'[[rules]]\npath = "x"\nreaders = []',
    "an unknown principal": b'[[rules]]\npath = "x"\nreaders = ["team:x"]',
    "a typing error": b'[[rules]]\npath = "x"\nreader = ["everyone"]\nreaders = ["everyone"]',
    "a bad pattern": b'[[rules]]\npath = "!x"\nreaders = ["everyone"]',
    "too long": b"#" * (LARGEST_RULE_FILE + 1),
    "too many": b'[[rules]]\npath="x"\nreaders=["everyone"]\n' * (MOST_RULES + 1),
    "nested beyond measure": b"rules = " + b"[" * 50_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=list(BROKEN))
async def test_a_rule_file_that_is_broken_closes_all_documents(
    content: bytes, folder: Path
) -> None:
    with pytest.raises(RulesInvalid, match=r"\.$"):
        read_rule_file(content)
    (folder / RULE_FILE).write_bytes(content)
    assert set((await open_to(ruled(FolderSource(folder)))).values()) == {frozenset()}


async def test_a_rule_file_that_cannot_be_read_is_not_taken_for_none(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.toml").write_text("")
    breaches: list[Callable[[Path], object]] = [
        lambda path: path.mkdir(),
        lambda path: path.symlink_to(tmp_path / "elsewhere.toml"),
        lambda path: path.symlink_to(tmp_path / "nothing"),
        lambda path: path.symlink_to(path),
    ]
    for breach in breaches:
        path = folder / RULE_FILE
        breach(path)
        assert set((await open_to(ruled(FolderSource(folder)))).values()) == {frozenset()}
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    assert set((await open_to(ruled(FolderSource(folder)))).values()) == {ALL}


async def test_a_changed_right_is_a_changed_version_and_nothing_else_is(folder: Path) -> None:
    before = {ref.location: ref async for ref in ruled(FolderSource(folder)).list()}
    (folder / RULE_FILE).write_text(HR_ONLY, "utf-8")
    after = {ref.location: ref async for ref in ruled(FolderSource(folder)).list()}
    assert after["a.md"] == before["a.md"]
    assert after["hr/open/leave.md"] == before["hr/open/leave.md"]
    assert after["hr/pay.md"].version != before["hr/pay.md"].version
    assert after["hr/pay.md"].id == before["hr/pay.md"].id
    staff = FolderSource(folder, readers=frozenset({STAFF.id}))
    narrower = {ref.location: ref async for ref in ruled(staff).list()}
    assert narrower["a.md"].version != after["a.md"].version


async def test_rules_that_change_during_the_listing_end_it() -> None:
    source = RuledMemory(dict(PAGES))
    source.turns = (None, HR_ONLY.encode())
    with pytest.raises(SourceUnavailable, match="sync again"):
        await readers_of(ruled(source))


async def test_a_right_that_changes_between_listing_and_fetching_is_the_newer_one() -> None:
    source = RuledMemory(dict(PAGES))
    listing = ruled(source)
    listed = {ref.location: ref async for ref in listing.list()}
    source.beside = HR_ONLY.encode()
    source.pages["hr/pay.md"] = "# salary, now with figures"
    for one in (listing, ruled(source)):
        raw = await one.fetch(listed["hr/pay.md"])
        assert raw.readers == {HR.id}
    relisted = {ref.location: ref async for ref in ruled(source).list()}
    assert raw.ref == relisted["hr/pay.md"]


async def test_another_process_fetches_with_the_rights_of_the_moment() -> None:
    source = RuledMemory(dict(PAGES))
    source.beside = HR_ONLY.encode()
    listed = {ref.location: ref async for ref in ruled(source).list()}
    source.beside = b"broken"
    with pytest.raises(DocumentUnreadable, match="is broken"):
        await ruled(source).fetch(listed["hr/pay.md"])


async def test_a_process_that_knows_older_rules_reads_them_again_for_a_newer_listing() -> None:
    source = RuledMemory(dict(PAGES))
    warm = ruled(source)
    await readers_of(warm)
    source.beside = HR_ONLY.encode()
    listed = {ref.location: ref async for ref in ruled(source).list()}
    raw = await warm.fetch(listed["hr/pay.md"])
    assert raw.readers == {HR.id} and raw.ref == listed["hr/pay.md"]


async def test_a_rule_that_decides_nothing_is_named_for_it_may_be_misspelt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = RuledMemory(dict(PAGES))
    source.beside = written(rule("HR/**", "group:hr"), rule("a.md", "group:a")).encode()
    await readers_of(ruled(source, read_rules([rule("h/**", "group:h"), rule("hr/", "group:b")])))
    assert [one.getMessage() for one in caplog.records] == [
        f"no document of memory is decided by the rule '{path}'" for path in ("h/**", "HR/**")
    ]


@pytest.fixture
def synced(index: LanceIndex, embedder: HashingEmbedder) -> Callable[[MemorySource], Any]:
    async def run(source: MemorySource) -> SyncReport:
        return await sync(ruled(source), TextParser(), embedder, index)

    return run


@pytest.fixture
def found(index: LanceIndex, embedder: HashingEmbedder) -> Callable[..., Any]:
    async def search(word: str, *principals: Principal) -> set[str]:
        vector = embedder.embed_query(word)
        candidates = await index.search(vector, word, Audience.of(principals), 10)
        return {one.chunk.text for one in candidates if word in one.chunk.text}

    return search


async def test_a_right_that_is_taken_away_holds_after_the_next_sync(
    synced: Any, found: Any
) -> None:
    source = RuledMemory(dict(PAGES))
    await synced(source)
    assert await found("salary", EVERYONE)
    source.beside = HR_ONLY.encode()
    report = await synced(source)
    assert (report.changed, report.unchanged, report.chunks_embedded) == (1, 2, 0)
    assert not await found("salary", EVERYONE) and await found("salary", HR)
    source.beside = None
    await synced(source)
    assert await found("salary", EVERYONE)


async def test_a_rule_file_that_breaks_takes_its_documents_out_of_the_index(
    synced: Any, found: Any
) -> None:
    source = RuledMemory(dict(PAGES))
    await synced(source)
    source.beside = b"[[rules"
    report = await synced(source)
    assert [one.location for one in report.skipped] == sorted(PAGES)
    assert all(f"{RULE_FILE} is broken" in one.reason for one in report.skipped)
    assert not await found("alpha", EVERYONE, HR, STAFF)
    source.beside = b""
    assert (await synced(source)).added == len(PAGES)
    assert await found("alpha", EVERYONE)


async def test_a_right_that_is_taken_away_holds_even_if_the_page_cannot_be_read_any_more(
    synced: Any, found: Any
) -> None:
    source = RuledMemory(dict(PAGES))
    await synced(source)
    source.beside = HR_ONLY.encode()
    source.unreadable.add("hr/pay.md")
    assert len((await synced(source)).skipped) == 1
    assert not await found("salary", EVERYONE)


CATALOG = """
[[source]]
name = "handbook"
kind = "folder"
readers = ["everyone"]
path = "docs"

[[source.rules]]
path = "hr/**"
readers = ["slack-group:T1:HR"]
"""


def declared(text: str, kinds: Mapping[str, Kind]) -> Declared:
    (one,) = read_catalog(text, kinds)
    return one


async def test_rules_of_the_catalog_reach_the_source(folder: Path) -> None:
    kinds = {"folder": files.KIND}
    one = declared(CATALOG, kinds)
    source = open_source(one, kinds, beside=folder.parent, work=folder, secret=str)
    assert (await readers_of(source))["hr/pay.md"] == {HR.id}
    assert (await readers_of(source))["a.md"] == ALL


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ('rules = "hr/**"', "rules must be tables"),
        ("[[source.rules]]\npath = 'hr/**'", "rule 1: readers must say"),
        ("[[source.rules]]\npath = ''\nreaders = ['everyone']", "rule 1: path '' is empty"),
        ("[[source.rules]]\npath = 'x'\nreaders = ['team:x']", "rule 1: readers: 'team:x'"),
    ],
)
def test_rules_of_the_catalog_that_cannot_be_meant_are_problems(rules: str, word: str) -> None:
    with pytest.raises(CatalogInvalid) as caught:
        read_catalog(CATALOG.split("[[source.rules]]")[0] + rules, {"folder": files.KIND})
    (problem,) = caught.value.problems
    assert problem.startswith("Source handbook: ") and word in problem


class Channels(Options):
    """A kind whose documents tell who may read them."""


def test_rules_have_no_place_where_documents_tell_who_may_read_them() -> None:
    kinds = {"slack": Kind(Channels, lambda given, options: MemorySource({}), own_readers=True)}
    entry = '[[source]]\nname = "chat"\nkind = "slack"\n'
    assert declared(entry, kinds).rules == ()
    with pytest.raises(CatalogInvalid, match="rules have no place"):
        read_catalog(f"{entry}rules = []", kinds)


async def test_a_source_without_a_rule_file_and_without_rules_stays_as_it_is() -> None:
    source = MemorySource(dict(PAGES))
    assert ruled(source) is source
    assert isinstance(await source.fetch(source.ref("a.md")), RawDocument)
    assert isinstance(source.ref("a.md"), DocumentRef)
