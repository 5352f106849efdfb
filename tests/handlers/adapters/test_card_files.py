"""Cards below a prefix of a bucket; those in a folder are tested with the tool."""

import uuid
from collections.abc import Iterator

import pytest

from handlers.adapters.aws import make_client
from handlers.adapters.card_files import S3Cards
from handlers.adapters.s3_source import S3Source
from handlers.tools.errors import ToolRefused, ToolUnavailable
from index.audience import EVERYONE
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


def client_options(endpoint: str) -> dict[str, str]:
    return {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": ACCESS_KEY,
        "aws_secret_access_key": SECRET_KEY,
    }


async def test_a_card_in_a_bucket_is_a_document_of_its_source(storage: ObjectStorage) -> None:
    client = make_client("s3", client_options(storage.endpoint))
    prefix = f"{uuid.uuid4().hex}/"
    cards = S3Cards(lambda: client, storage.bucket, prefix, url="https://wiki.example/cards/")
    source = S3Source(
        lambda: client,
        storage.bucket,
        prefix,
        name="cards",
        readers=frozenset({EVERYONE.id}),
    )
    assert await cards.write("a-fact.md", "# Ä\n\nFirst.\n")
    assert not await cards.write("a-fact.md", "# Ä\n\nSecond.\n")
    [ref] = [one async for one in source.list()]
    assert (await source.fetch(ref)).content.decode() == "# Ä\n\nFirst.\n"
    assert cards.address("a-fact.md") == "https://wiki.example/cards/a-fact.md"
    assert await cards.remove("a-fact.md")
    assert [one async for one in source.list()] == []
    assert await cards.write("a-fact.md", "again")


async def test_a_key_that_opens_nothing_is_for_the_operator(storage: ObjectStorage) -> None:
    options = client_options(storage.endpoint) | {"aws_secret_access_key": "another"}
    client = make_client("s3", options)
    with pytest.raises(ToolRefused, match="operator"):
        await S3Cards(lambda: client, storage.bucket, "").write("a.md", "x")
    gone = make_client("s3", client_options("http://127.0.0.1:9"))
    with pytest.raises(ToolUnavailable):
        await S3Cards(lambda: gone, "bucket", "").remove("a.md")
