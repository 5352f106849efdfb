"""What every Source promises, wherever its documents come from."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from handlers.adapters.s3_source import s3_kind
from index.audience import EVERYONE
from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable
from index.ports import Source
from index.sources import contract, git
from index.sources.catalog import Given
from index.sources.contract import ContractBroken, Pages
from index.sources.files import FolderSource
from index.sources.judged import JudgedSet
from index.sources.patterns import PathPattern
from index.sources.ruled import ruled
from index.sources.rules import RULE_FILE, Rule
from tests.doubles.git_remote import GitRemote
from tests.doubles.memory_source import MemorySource
from tests.doubles.object_storage import (
    ACCESS_KEY,
    SECRET_KEY,
    ObjectStorage,
    running_object_storage,
)
from tests.doubles.web_sources import source_on
from tests.doubles.website import Page, Website

READERS = frozenset({EVERYONE.id})


@dataclass
class Place:
    """A place whose documents a test may replace; ``open`` gives a fresh source on it."""

    fill: Callable[[Pages], None]
    open: Callable[[], Source]
    # What must run while it is asked.
    serving: AbstractAsyncContextManager[object] = field(default_factory=nullcontext)


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as started:
        yield started


def given(root: Path, name: str) -> Given:
    return Given(name, READERS, root, root / "work" / uuid.uuid4().hex, lambda secret: "")


def folder_place(root: Path, storage: ObjectStorage) -> Place:
    def fill(pages: Pages) -> None:
        for old in root.glob("*.txt"):
            old.unlink()
        for location, text in pages.items():
            (root / location).write_text(text, "utf-8")

    return Place(fill, lambda: FolderSource(root))


def ruled_place(root: Path, storage: ObjectStorage) -> Place:
    folder = folder_place(root, storage)
    (root / RULE_FILE).write_text('[[rules]]\npath = "b*"\nreaders = ["group:b"]\n', "utf-8")
    rules = [Rule(PathPattern("c*"), frozenset({"c" * 32}))]
    return Place(folder.fill, lambda: ruled(folder.open(), rules))


def git_place(root: Path, storage: ObjectStorage) -> Place:
    remote = GitRemote(root / "remote")

    def fill(pages: Pages) -> None:
        remote.hold(pages)

    def opened() -> Source:
        options = git.GitOptions(url=remote.url, web="https://git.example/{path}?at={commit}")
        return git.KIND.make(given(root, "git"), options)

    return Place(fill, opened)


def s3_place(root: Path, storage: ObjectStorage) -> Place:
    prefix, client = uuid.uuid4().hex, storage.client()

    def fill(pages: Pages) -> None:
        listed = client.list_objects_v2(Bucket=storage.bucket, Prefix=f"{prefix}/")
        for old in listed.get("Contents", []):
            client.delete_object(Bucket=storage.bucket, Key=old["Key"])
        for location, text in pages.items():
            key = f"{prefix}/{location}"
            client.put_object(Bucket=storage.bucket, Key=key, Body=text.encode())

    kind = s3_kind(
        {
            "endpoint_url": storage.endpoint,
            "region_name": "us-east-1",
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
        }
    )
    options = kind.options.model_validate({"bucket": storage.bucket, "prefix": prefix})
    return Place(fill, lambda: kind.make(given(root, "s3"), options))


def judged_place(root: Path, storage: ObjectStorage) -> Place:
    def fill(pages: Pages) -> None:
        rows = [json.dumps({"id": i, "title": i, "text": text}) for i, text in pages.items()]
        (root / "corpus.jsonl").write_text("\n".join(rows), "utf-8")
        (root / "queries.jsonl").write_text('{"id": "q", "text": "?"}', "utf-8")
        first = next(iter(pages))
        (root / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\nq\t{first}\t1\n", "utf-8")

    return Place(fill, lambda: JudgedSet.load(root).source())


def memory_place(root: Path, storage: ObjectStorage) -> Place:
    held: dict[str, str] = {}

    def fill(pages: Pages) -> None:
        held.clear()
        held.update(pages)

    return Place(fill, lambda: MemorySource(dict(held)))


def web_place(root: Path, storage: ObjectStorage) -> Place:
    site = Website()

    def fill(pages: Pages) -> None:
        paths = {f"/{quote(name)}": text for name, text in pages.items()}
        site.pages = {path: Page(text, "text/plain; charset=utf-8") for path, text in paths.items()}
        names = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in paths)
        site.pages["/sitemap.xml"] = Page(f"<urlset>{names}</urlset>", "application/xml")

    return Place(fill, lambda: source_on(site, root, sitemap=site.url("/sitemap.xml")), site)


PLACES = {
    "folder": folder_place,
    "folder with rules": ruled_place,
    "git": git_place,
    "s3": s3_place,
    "judged set": judged_place,
    "memory double": memory_place,
    "web": web_place,
}


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", PLACES.values(), ids=list(PLACES))
async def test_a_source_keeps_the_promise(
    make: Callable[[Path, ObjectStorage], Place],
    check: contract.Check,
    tmp_path: Path,
    storage: ObjectStorage,
) -> None:
    place = make(tmp_path, storage)
    async with place.serving:
        await check(place)


class _Doubling(MemorySource):
    async def list(self):  # type: ignore[no-untyped-def,override]
        async for ref in super().list():
            yield ref
            yield ref


class _Forgetting(MemorySource):
    def ref(self, location: str) -> DocumentRef:
        return DocumentRef(self.name, location, "always the same")


class _Restless(MemorySource):
    def ref(self, location: str) -> DocumentRef:
        return DocumentRef(self.name, location, uuid.uuid4().hex)


class _Stubborn(MemorySource):
    """Lists and serves what it held when it was first asked, ever."""

    first: dict[str, str] | None = None

    def __init__(self, pages: dict[str, str]) -> None:
        type(self).first = type(self).first or pages
        super().__init__(type(self).first)


class _Unreadable(MemorySource):
    async def fetch(self, ref: DocumentRef) -> RawDocument:
        raw = await super().fetch(ref)
        return RawDocument(ref, raw.content, raw.media_type, raw.url, frozenset(), None)


class _Needy(MemorySource):
    """Fetches only what it has listed itself."""

    listed = False

    async def list(self):  # type: ignore[no-untyped-def,override]
        self.listed = True
        async for ref in super().list():
            yield ref

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        if not self.listed:
            raise DocumentUnreadable("List first.")
        return await super().fetch(ref)


class _Backdating(MemorySource):
    async def fetch(self, ref: DocumentRef) -> RawDocument:
        raw = await super().fetch(ref)
        return RawDocument(ref, raw.content, raw.media_type, raw.url, raw.readers, raw.updated_at)


class _Crashing(MemorySource):
    async def fetch(self, ref: DocumentRef) -> RawDocument:
        if ref.location not in self.pages:
            raise KeyError(ref.location)
        return await super().fetch(ref)


BREACHES: Mapping[str, tuple[type[MemorySource], contract.Check]] = {
    "twice": (_Doubling, contract.lists_each_document_once_under_its_own_name),
    "same version": (_Forgetting, contract.changes_a_version_exactly_when_the_content_changes),
    "new version": (_Restless, contract.changes_a_version_exactly_when_the_content_changes),
    "old listing": (_Stubborn, contract.lists_no_document_that_is_gone),
    "no readers": (_Unreadable, contract.fetches_what_it_lists),
    "listing needed": (_Needy, contract.fetches_what_another_process_listed),
    "old version": (_Backdating, contract.never_passes_new_content_for_an_old_version),
    "crash": (_Crashing, contract.refuses_a_document_that_is_not_there),
}


@pytest.mark.parametrize("breach", BREACHES)
async def test_a_source_that_breaks_a_promise_is_found_out(breach: str) -> None:
    made, check = BREACHES[breach]
    held: dict[str, str] = {}

    def fill(pages: Pages) -> None:
        held.clear()
        held.update(pages)

    with pytest.raises((ContractBroken, DocumentUnreadable, KeyError)):
        await check(Place(fill, lambda: made(dict(held))))


def test_every_check_is_known_to_bite() -> None:
    assert {check for _, check in BREACHES.values()} == set(contract.CHECKS)
