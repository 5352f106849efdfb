"""Whether a place on S3 can hold an index: each right tried out, and a conditional PUT proven."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from handlers.adapters.aws_operator import CloudRefused, operator_client, told

PROBES: Final = ".footnote-doctor"
"""Folder beside the tables of the index; LanceDB does not look into it."""

_REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


@dataclass(frozen=True, slots=True)
class PlaceReport:
    """``refused`` are the rights that are missing, with AWS's word for why.

    ``conditional`` tells whether the server refused to write over a file that should not be there;
    None when that could not be tried. ``left`` is the key of a probe that could not be deleted.
    """

    refused: Mapping[str, str]
    conditional: bool | None
    left: str = ""


def try_out(address: str, options: Mapping[str, str]) -> PlaceReport:
    """List, write, write again, read and delete a probe below ``s3://bucket/prefix``. Blocks.

    Raises CloudRefused for anything but a missing right: no such bucket, no connection.
    """
    bucket, prefix = _split(address)
    client = operator_client("s3", options)
    key = f"{prefix}{PROBES}/{secrets.token_hex(8)}"
    refused: dict[str, str] = {}

    def attempt(right: str, call: Callable[[], object]) -> bool:
        try:
            with told(f"The bucket {bucket}"):
                call()
        except CloudRefused as error:
            if not error.denied:
                raise
            refused[right] = error.code
        return right not in refused

    conditional: bool | None = None
    try:
        attempt("list", lambda: client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1))
        written = attempt("put", lambda: _put_new(client, bucket, key))
        if written:
            try:
                conditional = _refuses_second(client, bucket, key)
                attempt("get", lambda: client.get_object(Bucket=bucket, Key=key)["Body"].read())
            finally:
                attempt("delete", lambda: client.delete_object(Bucket=bucket, Key=key))
    finally:
        client.close()
    return PlaceReport(refused, conditional, key if written and "delete" in refused else "")


def seconds_since_change(
    address: str, options: Mapping[str, str], *, clock: Callable[[], float] = time.time
) -> float | None:
    """Return how long ago an index at ``address`` was changed; None if nothing tells. Blocks."""
    bucket, prefix = _split(address)
    client = operator_client("s3", options)
    try:
        with told(f"The bucket {bucket}"):
            # Newer versions have names that come first.
            found = client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}chunks.lance/_versions/")
    except CloudRefused:
        return None
    finally:
        client.close()
    times = [entry["LastModified"].timestamp() for entry in found.get("Contents", [])]
    return clock() - max(times) if times else None


def _put_new(client: Any, bucket: str, key: str) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=b"footnote doctor", IfNoneMatch="*")


def _refuses_second(client: Any, bucket: str, key: str) -> bool:
    try:
        with told(f"The bucket {bucket}"):
            _put_new(client, bucket, key)
    except CloudRefused as error:
        return error.code in _REFUSED
    return False


def _split(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    prefix = parts.path.strip("/")
    return parts.netloc, f"{prefix}/" if prefix else ""
