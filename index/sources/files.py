"""A folder of documents on this machine."""

import asyncio
import hashlib
import os
import stat
import urllib.parse
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from index.audience import EVERYONE
from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable, SourceUnavailable
from index.formats import LARGEST_BYTES, MEDIA_TYPES
from index.sources import paths
from index.sources.catalog import Given, Kind, Options
from index.sources.rules import LARGEST_RULE_FILE, RULE_FILE

_HASHED_AT_ONCE = 32


class FolderSource:
    """The Source port on a folder: all documents below it, in the order of their paths.

    Documents are what ``paths.is_document`` says: fetching one that no reader understands raises
    DocumentUnreadable, so that a sync names each such file instead of passing over it in silence.
    Any other file (images, programs) is no document. Hidden files and folders, special files and
    links that lead out of the folder are passed over; links to folders are not followed.

    ``url`` of a document is ``base_url`` and its quoted path, or empty without a ``base_url``.
    """

    def __init__(
        self,
        root: Path,
        *,
        name: str = "files",
        readers: frozenset[str] = frozenset({EVERYONE.id}),
        base_url: str = "",
    ) -> None:
        """Describe the source; the folder is not touched before it is listed."""
        self._root = root
        self._name = name
        self._readers = readers
        self._base_url = base_url

    @property
    def name(self) -> str:
        """Name in the catalog."""
        return self._name

    @property
    def readers(self) -> frozenset[str]:
        """Who may read every document of the folder."""
        return self._readers

    async def list(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document; its version is a hash of the content.

        Raises SourceUnavailable if the folder, or one below it, cannot be read: half a listing
        would look like deleted documents.
        """
        found = await asyncio.to_thread(lambda: sorted(self._paths()))
        for first in range(0, len(found), _HASHED_AT_ONCE):
            batch = found[first : first + _HASHED_AT_ONCE]
            for ref in await asyncio.to_thread(self._refs, batch):
                yield ref

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        """Return the bytes of one document, as they are now.

        Raises DocumentUnreadable if it vanished, is too large or lies outside the folder.
        """
        return await asyncio.to_thread(self._fetch, ref)

    async def rule_file(self) -> bytes | None:
        """Return the rule file in the folder, None if there is none; see ``HasRuleFile``."""
        return await asyncio.to_thread(self._rule_file)

    def _rule_file(self) -> bytes | None:
        root = self._existing_root()
        path = root / RULE_FILE
        if not os.path.lexists(path):
            return None
        if not _is_inside(path, root):
            raise DocumentUnreadable("it is not a plain file in the folder; make it one.")
        try:
            with path.open("rb") as file:
                return file.read(LARGEST_RULE_FILE + 1)
        except OSError as error:
            raise DocumentUnreadable(
                f"it cannot be read ({error.strerror}); allow it or remove it."
            ) from error

    def _paths(self) -> Iterator[str]:
        """Yield the relative paths of the documents, with ``/`` between their parts."""
        root = self._existing_root()

        def refuse(error: OSError) -> None:
            raise SourceUnavailable(
                f"The folder {error.filename} cannot be read ({error.strerror}); allow it or move"
                " it."
            ) from error

        for folder, folders, files in os.walk(root, onerror=refuse):
            folders[:] = [f for f in folders if not f.startswith(".")]
            for file in files:
                path = Path(folder, file)
                location = path.relative_to(root).as_posix()
                if paths.is_document(location) and _is_inside(path, root):
                    yield location

    def _existing_root(self) -> Path:
        try:
            root = self._root.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise SourceUnavailable(
                f"The folder {self._root} does not exist; create it or name another."
            ) from error
        if not root.is_dir():
            raise SourceUnavailable(f"{self._root} is not a folder; name the folder that holds it.")
        return root

    def _refs(self, found: Sequence[str]) -> Sequence[DocumentRef]:
        root = self._existing_root()
        refs = ((paths.printable(os.fsencode(path)), _version(root / path)) for path in found)
        return [DocumentRef(self._name, location, version) for location, version in refs if version]

    def _fetch(self, ref: DocumentRef) -> RawDocument:
        path = self._located(ref)
        media_type = paths.media_type(ref.location)
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                content = file.read(LARGEST_BYTES + 1)
        except FileNotFoundError as error:
            raise paths.vanished(ref) from error
        except OSError as error:
            raise DocumentUnreadable(
                f"{ref.location} cannot be read ({error.strerror}); allow it or remove it."
            ) from error
        quoted = urllib.parse.quote(os.fsencode(path.relative_to(self._existing_root()).as_posix()))
        # What was read may be newer than what was listed: its fingerprint must be its own.
        version = hashlib.sha256(content).hexdigest() if len(content) <= LARGEST_BYTES else ""
        return RawDocument(
            ref=replace(ref, version=version or ref.version),
            content=content,
            media_type=media_type,
            url=f"{self._base_url}{quoted}" if self._base_url else "",
            readers=self._readers,
            updated_at=datetime.fromtimestamp(status.st_mtime, UTC),
        )

    def _located(self, ref: DocumentRef) -> Path:
        """Return the path of a listed document; what a listing would not yield is refused."""
        root = self._existing_root()
        for location in (ref.location, os.fsdecode(urllib.parse.unquote_to_bytes(ref.location))):
            parts = location.split("/")
            path = root.joinpath(*parts)
            refused = any(not part or part.startswith(".") or "\0" in part for part in parts)
            if refused or ref.source != self._name:
                raise DocumentUnreadable(f"{ref.location!r} is not a document of this folder.")
            if os.path.lexists(path):
                if not _is_inside(path, root):
                    raise DocumentUnreadable(f"{ref.location!r} leads out of the folder.")
                return path
        raise paths.vanished(ref)


class FolderOptions(Options):
    """``path`` of the folder, and ``url``: where people can open it in a browser."""

    path: Path
    url: str = ""


def _made(given: Given, options: FolderOptions) -> FolderSource:
    root = given.beside / options.path.expanduser()
    base_url = f"{options.url.rstrip('/')}/" if options.url else ""
    return FolderSource(root, name=given.name, readers=given.readers, base_url=base_url)


KIND: Final = Kind(FolderOptions, _made)
"""``kind = "folder"``."""


def _is_inside(path: Path, root: Path) -> bool:
    """Tell whether ``path``, its links followed, is a plain file below ``root``."""
    try:
        return path.resolve().is_relative_to(root) and stat.S_ISREG(path.stat().st_mode)
    except (OSError, RuntimeError):
        return False


def _version(path: Path) -> str:
    """Return a hash of the content; empty if the file is gone.

    What will not be read anyway is not read here either: size and time stand for it.
    """
    try:
        status = path.stat()
        if path.suffix.lower() not in MEDIA_TYPES or status.st_size > LARGEST_BYTES:
            return f"{status.st_size}-{status.st_mtime_ns}"
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
    except OSError:
        return "unreadable"
