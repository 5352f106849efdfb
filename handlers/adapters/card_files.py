"""Cards as Markdown files, in a folder or below a prefix of a bucket, that the catalog names."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import code_of
from handlers.tools.errors import ToolRefused, ToolUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_PASSING = frozenset({408, 429})
_FAILED = "The card could not be saved; an operator must see to its place."


class FolderCards:
    """The Cards port on a folder: the ``path`` of a source of kind folder."""

    def __init__(self, folder: Path, *, url: str = "") -> None:
        """Keep cards in ``folder``; ``url`` is where people can open it in a browser, or ""."""
        self._folder = folder
        self._url = url.rstrip("/")

    async def write(self, name: str, text: str) -> bool:
        """Write a new file, wholly or not at all. Raises ToolRefused."""
        return await asyncio.to_thread(self._write, name, text)

    async def remove(self, name: str) -> bool:
        """Remove a file. Raises ToolRefused."""
        return await asyncio.to_thread(self._remove, name)

    def address(self, name: str) -> str:
        """Return where people can open it."""
        return f"{self._url}/{quote(name)}" if self._url else ""

    def _write(self, name: str, text: str) -> bool:
        path = self._folder / name
        # A sync that runs meanwhile lists no hidden file, and never sees half a card.
        unfinished = self._folder / f".{name}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(text, encoding="utf-8")
            try:
                os.link(unfinished, path)
            except FileExistsError:
                return False
            finally:
                with suppress(FileNotFoundError):
                    unfinished.unlink()
        except OSError as error:
            raise ToolRefused(_FAILED) from error
        return True

    def _remove(self, name: str) -> bool:
        try:
            (self._folder / name).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ToolRefused("The card could not be removed.") from error
        return True


class S3Cards:
    """The Cards port below a prefix: ``bucket`` and ``prefix`` of a source of kind s3."""

    def __init__(
        self, client: "Callable[[], S3Client]", bucket: str, prefix: str, *, url: str = ""
    ) -> None:
        """Keep cards below ``prefix``, which is empty or ends in ``/``; see ``FolderCards``."""
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._url = url.rstrip("/")

    async def write(self, name: str, text: str) -> bool:
        """Write a new object. Raises ToolRefused, ToolUnavailable."""
        try:
            await asyncio.to_thread(
                lambda: self._client().put_object(
                    Bucket=self._bucket,
                    Key=f"{self._prefix}{name}",
                    Body=text.encode(),
                    ContentType="text/markdown; charset=utf-8",
                    IfNoneMatch="*",
                )
            )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _TAKEN:
                return False
            raise _told(error) from error
        return True

    async def remove(self, name: str) -> bool:
        """Remove an object; S3 does not say whether it was there. Raises as ``write`` does."""
        try:
            await asyncio.to_thread(
                lambda: self._client().delete_object(
                    Bucket=self._bucket, Key=f"{self._prefix}{name}"
                )
            )
        except (ClientError, BotoCoreError) as error:
            raise _told(error) from error
        return True

    def address(self, name: str) -> str:
        """Return where people can open it."""
        return f"{self._url}/{quote(name)}" if self._url else ""


def _told(error: Exception) -> Exception:
    response = error.response if isinstance(error, ClientError) else {}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if 400 <= status < 500 and status not in _PASSING:
        return ToolRefused(_FAILED)
    return ToolUnavailable("The store of cards did not answer.")
