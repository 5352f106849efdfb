"""A prefix of an S3 bucket as a source of documents."""

import asyncio
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import AfterValidator

from handlers.adapters.aws import code_of, make_client
from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable, SourceUnavailable
from index.formats import LARGEST_BYTES
from index.sources import paths
from index.sources.catalog import Given, Kind, Options
from index.sources.rules import LARGEST_RULE_FILE, RULE_FILE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, ListObjectsV2OutputTypeDef

_GONE = frozenset({"NoSuchKey", "404", "NotFound", "MethodNotAllowed"})
_ARCHIVED = frozenset({"InvalidObjectState"})
_OF_ONE_OBJECT = frozenset({"AccessDenied", "403", "AllAccessDisabled", "InvalidObjectName"})


class S3Source:
    """The Source port on the objects below a prefix.

    A location is the key without the prefix, a version the ETag and the size. What is fetched is
    what was listed, or bears the version of what is there now. Documents are what a folder would
    list too; keys that end in ``/`` are folders to S3's own console, and none.
    """

    def __init__(
        self,
        client: "Callable[[], S3Client]",
        bucket: str,
        prefix: str,
        *,
        name: str,
        readers: frozenset[str],
        url: str = "",
    ) -> None:
        """Describe the source; ``client`` is called when it is listed or fetched.

        ``prefix`` is empty or ends in ``/``. ``url`` is where a document can be opened, with
        ``{path}`` for its location or ``{key}`` for its key, or the address both begin at.
        """
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._name = name
        self._readers = readers
        self._url = url

    @property
    def name(self) -> str:
        """Name in the catalog."""
        return self._name

    @property
    def readers(self) -> frozenset[str]:
        """Who may read every document below the prefix."""
        return self._readers

    async def list(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document below the prefix. Raises SourceUnavailable."""
        pages = self._pages()
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            for ref in self._refs(page):
                yield ref

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        """Return the bytes of one object.

        Raises DocumentUnreadable if it is gone, too large, archived or closed to us, and
        SourceUnavailable.
        """
        return await asyncio.to_thread(self._fetch, ref)

    async def rule_file(self) -> bytes | None:
        """Return the rule file at the prefix, None if there is none; see ``HasRuleFile``."""
        return await asyncio.to_thread(self._rule_file)

    def _pages(self) -> "Iterator[ListObjectsV2OutputTypeDef]":
        try:
            listing = self._client().get_paginator("list_objects_v2")
            yield from listing.paginate(Bucket=self._bucket, Prefix=self._prefix)
        except (ClientError, BotoCoreError) as error:
            self._unavailable(error)

    def _refs(self, page: "ListObjectsV2OutputTypeDef") -> Iterator[DocumentRef]:
        for one in page.get("Contents", []):
            location = one["Key"].removeprefix(self._prefix)
            if paths.is_document(location):
                yield DocumentRef(self._name, location, _version(one["ETag"], one["Size"]))

    def _fetch(self, ref: DocumentRef) -> RawDocument:
        if ref.source != self._name or not paths.is_document(ref.location):
            raise DocumentUnreadable(f"{ref.location!r} is not a document of this prefix.")
        media_type = paths.media_type(ref.location)
        size = ref.version.rpartition("-")[2]
        if size.isdecimal():
            paths.refuse_too_large(ref.location, int(size))
        try:
            found = self._opened(ref.location)
            if found is None:
                raise paths.vanished(ref)
            with found["Body"] as body:
                paths.refuse_too_large(ref.location, found["ContentLength"])
                content = body.read(LARGEST_BYTES + 1)
        except (ClientError, BotoCoreError) as error:
            self._unavailable(error)
        return RawDocument(
            ref=DocumentRef(self._name, ref.location, _version(found["ETag"], len(content))),
            content=content,
            media_type=media_type,
            url=self._address(ref.location),
            readers=self._readers,
            updated_at=found["LastModified"],
        )

    def _rule_file(self) -> bytes | None:
        try:
            found = self._opened(RULE_FILE)
            if found is None:
                return None
            with found["Body"] as body:
                return body.read(LARGEST_RULE_FILE + 1)
        except (ClientError, BotoCoreError) as error:
            self._unavailable(error)

    def _opened(self, location: str) -> "GetObjectOutputTypeDef | None":
        """Return the object with the ETag of these very bytes; None if it is gone.

        If-Match would add nothing: what is newer than the listing is wanted too, with its version.
        """
        try:
            return self._client().get_object(Bucket=self._bucket, Key=f"{self._prefix}{location}")
        except ClientError as error:
            code = code_of(error)
            if code in _GONE:
                return None
            if code in _ARCHIVED:
                raise DocumentUnreadable(
                    f"{location} is archived in Glacier; restore it, or move it to a class that can"
                    " be read at once."
                ) from error
            if code in _OF_ONE_OBJECT:
                raise DocumentUnreadable(
                    f"{location} may not be read ({code}); allow s3:GetObject on it, and"
                    " kms:Decrypt if it is encrypted with a key of your own."
                ) from error
            raise

    def _address(self, location: str) -> str:
        path, key = (urllib.parse.quote(one) for one in (location, f"{self._prefix}{location}"))
        if "{path}" in self._url or "{key}" in self._url:
            return self._url.replace("{path}", path).replace("{key}", key)
        return f"{self._url.rstrip('/')}/{path}" if self._url else ""

    def _unavailable(self, error: Exception) -> NoReturn:
        where = f"s3://{self._bucket}/{self._prefix}"
        code = code_of(error)
        if "AccessDenied" in code or code == "403":
            hint = "Allow s3:ListBucket on the bucket and s3:GetObject below the prefix."
        elif code in ("NoSuchBucket", "404", "PermanentRedirect", "AuthorizationHeaderMalformed"):
            hint = "Check the name of the bucket and its region."
        elif any(word in code for word in ("Credentials", "AccessKeyId", "Signature", "Token")):
            hint = "Check the credentials of AWS."
        else:
            hint = "It is tried again with the next sync."
        raise SourceUnavailable(f"{where} could not be read ({code}). {hint}") from error


def _version(etag: str, size: int) -> str:
    return f"{etag}-{size}"


def _named(bucket: str) -> str:
    if not bucket or "/" in bucket or not bucket.isprintable():
        raise ValueError("is the name of a bucket alone; what comes after it is the prefix")
    return bucket


def _prefix(prefix: str) -> str:
    if prefix.startswith("/"):
        raise ValueError("begins without a slash, as keys do")
    return f"{prefix.rstrip('/')}/" if prefix else ""


def _web(url: str) -> str:
    if url and urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("must be an address that begins with https://")
    return url


class S3Options(Options):
    """What ``kind = "s3"`` takes: ``bucket``, the ``prefix`` that keys begin with, and ``url``.

    A prefix means a folder: ``docs`` is ``docs/``, and ``docs-private/`` no part of it. ``url`` is
    where people can open a document: an address with ``{path}`` or ``{key}``, or the one that
    locations are added to.
    """

    bucket: Annotated[str, AfterValidator(_named)]
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    url: Annotated[str, AfterValidator(_web)] = ""


def s3_kind(client_options: Mapping[str, str]) -> Kind:
    """Return ``kind = "s3"``; ``client_options`` are ``Settings.aws_client_options``."""

    def made(given: Given, options: S3Options) -> S3Source:
        @lru_cache(maxsize=1)
        def client() -> "S3Client":
            return make_client("s3", client_options)

        return S3Source(
            client,
            options.bucket,
            options.prefix,
            name=given.name,
            readers=given.readers,
            url=options.url,
        )

    return Kind(S3Options, made)
