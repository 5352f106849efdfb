"""What every Staging promises, checked on a folder and on a real S3 server."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.adapters.aws import make_client
from handlers.adapters.s3_staging import S3Staging
from index.errors import IndexUnavailable
from index.staging import FolderStaging, Staging, beside
from tests.doubles.aws import client_options
from tests.doubles.object_storage import (
    ACCESS_KEY,
    SECRET_KEY,
    ObjectStorage,
    running_object_storage,
)


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as running:
        yield running


@pytest.fixture(params=["folder", "s3"])
def staging(
    request: pytest.FixtureRequest, tmp_path: Path, storage: ObjectStorage
) -> Iterator[Staging]:
    if request.param == "folder":
        yield FolderStaging(tmp_path / "staged")
        return
    options = client_options(storage.endpoint) | {
        "aws_access_key_id": ACCESS_KEY,
        "aws_secret_access_key": SECRET_KEY,
    }
    client = make_client("s3", options)
    yield S3Staging(f"s3://{storage.bucket}/{uuid.uuid4().hex}/staged", client)
    client.close()


@pytest.fixture(params=["folder", "s3"])
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Staging]:
    if request.param == "folder":
        (tmp_path / "a-file").write_text("")
        yield FolderStaging(tmp_path / "a-file")
        return
    client = make_client("s3", client_options("http://127.0.0.1:9"))
    yield S3Staging("s3://bucket/staged", client)
    client.close()


async def test_what_is_written_is_read_back_and_listed_by_its_folder(staging: Staging) -> None:
    await staging.write("one/a.asked", b"first")
    await staging.write("one/a.prepared", bytes(range(256)) * 1_000)
    await staging.write("two/b.asked", b"")
    assert await staging.read("one/a.prepared") == bytes(range(256)) * 1_000
    assert await staging.read("two/b.asked") == b""
    assert sorted(await staging.names("one")) == ["one/a.asked", "one/a.prepared"]
    assert len(await staging.names()) == 3


async def test_a_file_that_is_written_twice_is_there_once_with_its_last_content(
    staging: Staging,
) -> None:
    await staging.write("one/a", b"first")
    await staging.write("one/a", b"second")
    assert (await staging.names(), await staging.read("one/a")) == (["one/a"], b"second")


async def test_what_is_not_there_is_none_and_is_deleted_already(staging: Staging) -> None:
    assert await staging.read("one/a") is None
    assert list(await staging.names()) == list(await staging.names("one")) == []
    await staging.delete(["one/a", "two/b"])


async def test_what_is_deleted_is_gone_and_the_rest_is_not(staging: Staging) -> None:
    names = [f"one/{number}" for number in range(40)]
    for name in names:
        await staging.write(name, name.encode())
    await staging.delete(names[1:])
    assert list(await staging.names()) == names[:1]
    assert await staging.read(names[1]) is None


async def test_writers_of_one_file_at_once_leave_one_of_them_whole(staging: Staging) -> None:
    contents = [bytes([number]) * 100_000 for number in range(6)]
    await asyncio.gather(*(staging.write("one/a", content) for content in contents))
    assert await staging.read("one/a") in contents
    assert list(await staging.names()) == ["one/a"]


async def test_storage_that_does_not_answer_is_an_outage(broken: Staging) -> None:
    for call in (
        broken.read("one/a"),
        broken.write("one/a", b""),
        broken.delete(["one/a"]),
    ):
        with pytest.raises(IndexUnavailable):
            await call


async def test_a_folder_is_closed_to_other_people(tmp_path: Path) -> None:
    await FolderStaging(tmp_path / "staged").write("one/a", b"private")
    assert (tmp_path / "staged").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("index", "staged"),
    [
        ("s3://bucket/index", "s3://bucket/staged/index"),
        ("s3://bucket/team/index/", "s3://bucket/team/staged/index"),
        ("s3://bucket", "s3://bucket/staged/index"),
        ("/home/me/.footnote/index", "/home/me/.footnote/staged/index"),
        ("index", "staged/index"),
    ],
)
def test_results_lie_beside_their_index_and_never_inside(index: str, staged: str) -> None:
    assert beside(index) == staged
