"""handlers.adapters.s3_source: on a real S3 server, and on one that refuses as S3 documents it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from handlers.adapters.s3_source import S3Source, s3_kind
from index.audience import EVERYONE
from index.documents import DocumentRef
from index.errors import CatalogInvalid, DocumentUnreadable, SourceUnavailable
from index.formats import LARGEST_BYTES
from index.sources.catalog import Given, read_catalog
from index.sources.ruled import ruled
from index.sources.rules import RULE_FILE
from tests.doubles.object_storage import (
    ACCESS_KEY,
    SECRET_KEY,
    ObjectStorage,
    running_object_storage,
)


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as started:
        yield started


def client_options(endpoint: str, **changed: str) -> dict[str, str]:
    return {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": ACCESS_KEY,
        "aws_secret_access_key": SECRET_KEY,
        **changed,
    }


class Bucket:
    """A part of a bucket that no other test uses, and sources on it."""

    def __init__(self, storage: ObjectStorage, name: str = "") -> None:
        self.endpoint = storage.endpoint
        self.client = storage.client()
        self.name = name or storage.bucket
        self.root = uuid.uuid4().hex

    def put(self, key: str, text: str | bytes = "text", **options: Any) -> None:
        body = text.encode() if isinstance(text, str) else text
        self.client.put_object(Bucket=self.name, Key=f"{self.root}/{key}", Body=body, **options)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=f"{self.root}/{key}")

    def open(self, prefix: str = "", url: str = "", **changed: str) -> S3Source:
        options = client_options(self.endpoint, **changed)
        return opened(self.name, options, f"{self.root}/{prefix}", url)


def opened(bucket: str, options: dict[str, str], prefix: str = "", url: str = "") -> S3Source:
    kind = s3_kind(options)
    given: Any = Given("files", frozenset({EVERYONE.id}), None, None, str)  # type: ignore[arg-type]
    chosen = kind.options.model_validate({"bucket": bucket, "prefix": prefix, "url": url})
    source = kind.make(given, chosen)
    assert isinstance(source, S3Source)
    return source


@pytest.fixture
def bucket(storage: ObjectStorage) -> Bucket:
    return Bucket(storage)


async def refs(source: S3Source) -> dict[str, DocumentRef]:
    return {ref.location: ref async for ref in source.list()}


async def reason(source: S3Source) -> str:
    with pytest.raises(SourceUnavailable, match=r"\.$") as caught:
        await refs(source)
    return str(caught.value)


async def test_a_prefix_is_a_folder_and_its_neighbours_are_not_in_it(bucket: Bucket) -> None:
    for key in ("docs/a.md", "docs/deep/b.txt", "docs-private/c.md", "docs.md", "d.md"):
        bucket.put(key)
    for prefix in ("docs", "docs/"):
        assert list(await refs(bucket.open(prefix))) == ["a.md", "deep/b.txt"]
    assert len(await refs(bucket.open())) == 5
    whole = await refs(opened(bucket.name, client_options(bucket.endpoint)))
    assert {f"{bucket.root}/docs.md", f"{bucket.root}/docs/a.md"} <= whole.keys()


async def test_what_is_no_document_is_passed_over(bucket: Bucket) -> None:
    for key in ("x/", "x/a.md", "logo.png", ".hidden.md", ".git/a.md", RULE_FILE, "x/.draft/b.md"):
        bucket.put(key, "" if key.endswith("/") else "text")
    assert list(await refs(bucket.open())) == ["x/a.md"]


async def test_more_keys_than_a_page_holds_are_all_listed(bucket: Bucket) -> None:
    numbers = range(1_050)
    for first in range(0, 1_050, 50):
        some = numbers[first : first + 50]
        await asyncio.gather(
            *(asyncio.to_thread(bucket.put, f"{number:04}.md", "") for number in some)
        )
    assert list(await refs(bucket.open())) == [f"{number:04}.md" for number in numbers]


@pytest.mark.parametrize(
    "name",
    [
        *("größe 東京.md", "a b+c%20.md", "q?a=1&b#c.md", "quo'te\".md", "<tag>&amp;.md"),
        *("\u202egnp.md", "-rf.md", "x:y@z.md", "~!$(id)`.md", "e\u0301.md", "\U0001f4c4.md"),
    ],
)
async def test_a_key_of_any_kind_is_listed_fetched_and_linked(bucket: Bucket, name: str) -> None:
    bucket.put(f"my docs/{name}", f"text of {name}")
    source = bucket.open("my docs", url="https://files.example/?key={key}&path={path}")
    (ref,) = (await refs(source)).values()
    raw = await source.fetch(ref)
    assert ref.location == name and raw.ref == ref
    assert raw.content.decode() == f"text of {name}"
    assert (
        raw.url.startswith(f"https://files.example/?key={bucket.root}/my%20docs/")
        and " " not in raw.url
    )
    assert not set(raw.url.partition("?")[2].replace("&path=", "")) & set('&#?<>"')


async def test_a_fetched_object_carries_type_time_address_and_readers(bucket: Bucket) -> None:
    bucket.put("docs/a b.md", "# A", ContentType="application/x-evil")
    source = bucket.open("docs", url="https://files.example/docs/")
    raw = await source.fetch((await refs(source))["a b.md"])
    assert (raw.media_type, raw.url) == ("text/markdown", "https://files.example/docs/a%20b.md")
    assert raw.readers == source.readers == {EVERYONE.id}
    assert raw.updated_at is not None
    assert abs(datetime.now(UTC) - raw.updated_at) < timedelta(minutes=5)
    bare = bucket.open("docs")
    assert (await bare.fetch((await refs(bare))["a b.md"])).url == ""


async def test_an_object_that_changes_after_the_listing_bears_its_new_version(
    bucket: Bucket,
) -> None:
    bucket.put("a.md", "old")
    source = bucket.open()
    listed = (await refs(source))["a.md"]
    bucket.put("a.md", "newer")
    raw = await source.fetch(listed)
    assert raw.content == b"newer" and raw.ref == (await refs(source))["a.md"] != listed


async def test_an_object_that_vanishes_after_the_listing_is_one_unreadable_document(
    bucket: Bucket,
) -> None:
    bucket.put("a.md")
    source = bucket.open()
    listed = (await refs(source))["a.md"]
    bucket.delete("a.md")
    with pytest.raises(DocumentUnreadable, match="vanished"):
        await source.fetch(listed)


async def test_of_a_bucket_with_versions_the_newest_counts(storage: ObjectStorage) -> None:
    bucket = Bucket(storage, name=f"versions-{uuid.uuid4().hex}")
    bucket.client.create_bucket(Bucket=bucket.name)
    bucket.client.put_bucket_versioning(
        Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    for text in ("one", "two", "three"):
        bucket.put("a.md", text)
        bucket.put("gone.md", text)
    bucket.delete("gone.md")
    source = bucket.open()
    listed = await refs(source)
    assert list(listed) == ["a.md"]
    assert (await source.fetch(listed["a.md"])).content == b"three"
    with pytest.raises(DocumentUnreadable, match="vanished"):
        await source.fetch(DocumentRef("files", "gone.md", listed["a.md"].version))


async def test_an_object_that_is_too_large_is_refused_without_being_read(bucket: Bucket) -> None:
    bucket.put("huge.md", b"\0" * (LARGEST_BYTES + 1))
    bucket.put("page.doc", "old Word")
    source = bucket.open()
    listed = await refs(source)
    unknown_size = DocumentRef("files", "huge.md", "")
    for ref in (listed["huge.md"], unknown_size):
        with pytest.raises(DocumentUnreadable, match="20,000,001 bytes; split it"):
            await source.fetch(ref)
    with pytest.raises(DocumentUnreadable, match="save it as one of"):
        await source.fetch(listed["page.doc"])


async def test_the_rule_file_at_the_prefix_is_honoured(bucket: Bucket) -> None:
    bucket.put("docs/a.md")
    bucket.put("docs/hr/b.md")
    bucket.put(RULE_FILE, "broken [[ but outside of the prefix")
    source = bucket.open("docs")
    assert await source.rule_file() is None
    bucket.put(f"docs/{RULE_FILE}", '[[rules]]\npath = "hr/**"\nreaders = ["group:hr"]')
    guarded = ruled(source)
    found = {ref.location: (await guarded.fetch(ref)).readers async for ref in guarded.list()}
    assert found["a.md"] == {EVERYONE.id} and not found["hr/b.md"] & found["a.md"]


async def test_a_bucket_that_cannot_be_listed_is_unavailable_not_empty(bucket: Bucket) -> None:
    missing = opened(f"{bucket.name}-not", client_options(bucket.endpoint))
    assert "NoSuchBucket" in await reason(missing)
    stranger = bucket.open(aws_access_key_id="stranger")
    assert "Check the credentials" in await reason(stranger)
    forged = bucket.open(aws_secret_access_key="forged")
    said = await reason(forged)
    assert "Check the credentials" in said and "forged" not in said
    nobody = opened("b", client_options("http://127.0.0.1:9"))
    assert "tried again" in await reason(nobody)


class Refusing:
    """Answers each request as S3 documents it: a listing of one key, and an error for the rest."""

    def __init__(self) -> None:
        self.listing_error = ""
        self.object_error = ""
        self.pages = 0

    async def answer(self, request: web.Request) -> web.Response:
        if "list-type" in request.query:
            self.pages += 1
            if self.listing_error and self.pages > 1:
                return self._error(self.listing_error)
            return web.Response(content_type="application/xml", text=_ONE_OF_MANY)
        return self._error(self.object_error)

    def _error(self, code: str) -> web.Response:
        text = f"<Error><Code>{code}</Code><Message>secret detail</Message></Error>"
        return web.Response(status=403, content_type="application/xml", text=text)


_ONE_OF_MANY = """<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>
<NextContinuationToken>more</NextContinuationToken><KeyCount>1</KeyCount><Contents><Key>a.md</Key>
<ETag>"0"</ETag><Size>4</Size><StorageClass>GLACIER</StorageClass></Contents></ListBucketResult>"""


@pytest.fixture
async def refusing() -> AsyncIterator[tuple[Refusing, S3Source]]:
    server = Refusing()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield server, opened("b", client_options(f"http://{host}:{port}"))
    await runner.cleanup()


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("InvalidObjectState", "archived in Glacier"),
        ("AccessDenied", "allow s3:GetObject"),
    ],
)
async def test_an_object_that_is_not_given_out_is_skipped_by_name(
    refusing: tuple[Refusing, S3Source], code: str, word: str
) -> None:
    server, source = refusing
    server.object_error = code
    with pytest.raises(DocumentUnreadable, match=word) as caught:
        await source.fetch(DocumentRef("files", "a.md", '"0"-4'))
    assert str(caught.value).startswith("a.md") and "secret detail" not in str(caught.value)
    with pytest.raises(DocumentUnreadable):
        await source.rule_file()  # closed, and not taken for absent


async def test_a_listing_that_is_refused_half_way_is_no_listing(
    refusing: tuple[Refusing, S3Source],
) -> None:
    server, source = refusing
    server.listing_error = "AccessDenied"
    said = await reason(source)
    assert "AccessDenied" in said and "s3:ListBucket" in said and "secret detail" not in said


async def test_credentials_that_lapse_end_the_sync(refusing: tuple[Refusing, S3Source]) -> None:
    server, source = refusing
    server.object_error = "ExpiredToken"
    with pytest.raises(SourceUnavailable, match="credentials"):
        await source.fetch(DocumentRef("files", "a.md", '"0"-4'))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("", "bucket"),
        ('bucket = "s3://x/y"', "bucket: is the name"),
        ('bucket = "x"\nprefix = "/docs"', "prefix: begins without"),
        ('bucket = "x"\nurl = "files.example"', "url: must be"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(options: str, word: str) -> None:
    head = '[[source]]\nname = "files"\nkind = "s3"\nreaders = ["everyone"]\n'
    with pytest.raises(CatalogInvalid, match=word):
        read_catalog(head + options, {"s3": s3_kind({})})
