"""Where requests and results lie between those who prepare documents and the one who commits them.

::

    index/                      the index itself
    staged/<index>/<source>/<portion>.asked       which documents, in which state
                            <portion>.prepared    what was made of them, or why nothing was

What lies here is as private as the index. It is deleted as soon as it is committed or not wanted.
"""

import asyncio
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from index.documents import stable_id
from index.errors import IndexUnavailable

ASKED: Final = ".asked"
PREPARED: Final = ".prepared"


class Staging(Protocol):
    """Files by name, each whole or not there. All methods raise IndexUnavailable."""

    async def names(self, folder: str = "") -> Sequence[str]:
        """Return the names of all files, or of those in one folder; each begins with its folder."""
        ...

    async def read(self, name: str) -> bytes | None:
        """Return what a file holds, or None if there is none."""
        ...

    async def write(self, name: str, content: bytes) -> None:
        """Write a file, wholly or not at all; what was there is replaced."""
        ...

    async def delete(self, names: Sequence[str]) -> None:
        """Delete files, in this order; those that are not there are deleted already."""
        ...


def folder_of(source: str) -> str:
    """Return the folder of a source, which may be called anything."""
    return stable_id("source", source)


def file_of(source: str, portion: str, kind: str) -> str:
    """Return the name of a file about a portion; ``kind`` is ASKED or PREPARED."""
    return f"{folder_of(source)}/{portion}{kind}"


def portion_of(name: str) -> str:
    """Return the id of the portion that a file is about."""
    return name.rpartition("/")[2].partition(".")[0]


def beside(index: str) -> str:
    """Return the address of what is staged for the index at an address of the same kind."""
    above, _, last = index.rstrip("/").rpartition("/")
    if above.endswith(":/"):  # a bucket alone
        return f"{index.rstrip('/')}/staged/index"
    return f"{above}/staged/{last}" if above else f"staged/{last}"


class FolderStaging:
    """Staging in a folder of this machine, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        """Nothing is made before something is written."""
        self._path = path

    async def names(self, folder: str = "") -> Sequence[str]:
        """Return the names of all files, or of those in one folder."""
        with self._explained():
            return await asyncio.to_thread(self._names, folder)

    async def read(self, name: str) -> bytes | None:
        """Return what a file holds, or None."""
        with self._explained():
            try:
                return await asyncio.to_thread((self._path / name).read_bytes)
            except FileNotFoundError:
                return None

    async def write(self, name: str, content: bytes) -> None:
        """Write beside the file and rename: whoever dies on the way leaves the old state."""
        with self._explained():
            await asyncio.to_thread(self._write, self._path / name, content)

    async def delete(self, names: Sequence[str]) -> None:
        """Delete files."""
        with self._explained():
            for name in names:
                await asyncio.to_thread((self._path / name).unlink, missing_ok=True)

    def _names(self, folder: str) -> list[str]:
        found = (self._path / folder).rglob("*")
        return sorted(one.relative_to(self._path).as_posix() for one in found if one.is_file())

    def _write(self, target: Path, content: bytes) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        unfinished = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
        try:
            unfinished.write_bytes(content)
            os.replace(unfinished, target)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise IndexUnavailable(
                f"The folder {self._path} cannot be used ({type(error).__name__}). Check that this"
                " process may read and write it."
            ) from error
