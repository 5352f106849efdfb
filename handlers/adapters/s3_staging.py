"""What is staged beside an index on S3: each file is one object, written by one request."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import code_of, explain
from index.errors import IndexUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT_ONCE = 16
"""Objects that are deleted at the same time."""

_GONE = frozenset({"NoSuchKey", "404", "NotFound"})


class S3Staging:
    """The Staging port on the objects below ``s3://bucket/prefix``."""

    def __init__(self, address: str, client: "S3Client") -> None:
        """Nothing is read or written yet."""
        parts = urlsplit(address)
        self._bucket, self._prefix = parts.netloc, f"{parts.path.strip('/')}/"
        self._client = client

    async def names(self, folder: str = "") -> Sequence[str]:
        """Return the names of all files, or of those in one folder."""
        with _explained():
            return await asyncio.to_thread(self._names, f"{folder}/" if folder else "")

    async def read(self, name: str) -> bytes | None:
        """Return what an object holds, or None if there is none."""
        with _explained():
            return await asyncio.to_thread(self._read, name)

    async def write(self, name: str, content: bytes) -> None:
        """Write an object: S3 shows it wholly or not at all."""
        with _explained():
            await asyncio.to_thread(
                self._client.put_object, Bucket=self._bucket, Key=self._key(name), Body=content
            )

    async def delete(self, names: Sequence[str]) -> None:
        """Delete objects, those of a step at the same time and the steps in order."""
        with _explained():
            for begin in range(0, len(names), AT_ONCE):
                some = names[begin : begin + AT_ONCE]
                await asyncio.gather(*(asyncio.to_thread(self._delete, name) for name in some))

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def _names(self, folder: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._key(folder)
        )
        found = (one["Key"] for page in pages for one in page.get("Contents", []))
        return [key.removeprefix(self._prefix) for key in found]

    def _read(self, name: str) -> bytes | None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
        except ClientError as error:
            if code_of(error) in _GONE:
                return None
            raise
        with found["Body"] as body:
            return body.read()

    def _delete(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._key(name))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise IndexUnavailable(explain(error, "The bucket beside the index")) from error
