"""A copy of the newest commit of a branch, kept in step with little transfer."""

import asyncio
import contextlib
import logging
import os
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from index.errors import KnowledgeError, SourceUnavailable
from index.sources.git_program import GitFailed, GitProgram
from index.sources.git_tree import Tree, blobs_of, dates_of

_TIP: Final = "refs/footnote/tip"
_SHA256_DIGITS: Final = 64
_MOST_REFS_BYTES: Final = 1 << 20
_AT_ONCE: Final = 32
"""Contents a process; each is at most as large as a document may be."""

_LOCAL_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.5
"""Between two looks at how large a fetch has become."""

_log = logging.getLogger(__name__)


class GitRepository:
    """The newest commit of ``branch`` at ``url``, in the bare repository of ``git``.

    Without a branch it is the one that the remote calls its HEAD. ``depth`` commits are kept, and
    ``seconds`` are allowed for each talk with the remote, and ``largest`` bytes for what is kept,
    which may vanish or break at any time: it is begun afresh then.
    """

    def __init__(
        self,
        git: GitProgram,
        url: str,
        *,
        branch: str,
        depth: int,
        seconds: float,
        largest: int,
    ) -> None:
        """Describe it; nothing is run before it is asked."""
        self._git = git
        self._url = url
        self._branch = branch
        self._depth = depth
        self._seconds = seconds
        self._largest = largest
        self._wanted: dict[str, list[asyncio.Future[bytes]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def newest(self) -> Tree:
        """Fetch what is new and return the files of the newest commit. Raises SourceUnavailable."""
        ref, tip = await self._remote()
        held = await self._tip()
        if held:
            try:
                if held != tip or self._depth > 1:
                    await self._fetch(ref)
                if held != tip:
                    # What left the branch leaves the disk: a removed page must not stay there.
                    await self._git.run("gc", "--quiet", "--prune=now", seconds=self._seconds)
                return await self._tree()
            except GitFailed as error:
                # The remote has just answered, so what is kept here is the likelier culprit.
                _log.warning("a copy of a repository is begun afresh: %s", error)
        await self._begin("sha256" if len(tip) == _SHA256_DIGITS else "sha1")
        try:
            await self._fetch(ref)
            return await self._tree()
        except GitFailed as error:
            raise SourceUnavailable(f"{self._url} could not be fetched: {error}.") from error

    async def content(self, blob: str) -> bytes:
        """Return a content by its id. Raises SourceUnavailable, and keeps nothing, if it is broken.

        Those who ask at the same time share a process.
        """
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._wanted.setdefault(blob, []).append(waiting)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_wanted())
        return await waiting

    async def _remote(self) -> tuple[str, str]:
        """Return the full name of the branch at the remote, and the id it points to."""
        names = [f"refs/heads/{self._branch}", f"refs/tags/{self._branch}"]
        wanted = names if self._branch else ["HEAD"]
        try:
            said = await self._git.run(
                *("ls-remote", "--", self._url, *wanted),
                seconds=self._seconds,
                most=_MOST_REFS_BYTES,
                inside=False,
            )
        except GitFailed as error:
            raise SourceUnavailable(
                f"{self._url} could not be reached: {error}. {_hint(str(error))}"
            ) from error
        lines = (line.split("\t", 1) for line in said.decode("utf-8", "replace").splitlines())
        found = {line[1]: line[0] for line in lines if len(line) == 2}
        for name in wanted:
            if name in found:
                return name, found[name]
        if self._branch:
            raise SourceUnavailable(
                f"{self._url} has no branch or tag {self._branch!r}; name one that is there."
            )
        raise SourceUnavailable(
            f"{self._url} has no commit on its main branch; push one, or name another branch."
        )

    async def _begin(self, hashed: str) -> None:
        folder = self._git.repository
        await asyncio.to_thread(_throw_away, folder)
        try:
            await self._git.run(
                *("init", "--bare", "--quiet", "--template=", f"--object-format={hashed}"),
                seconds=_LOCAL_SECONDS,
            )
        except GitFailed as error:
            raise SourceUnavailable(
                f"No repository could be begun in {folder.parent}: {error}; free some space there"
                " or allow it."
            ) from error

    async def _tip(self) -> str:
        try:
            said = await self._git.run(
                "rev-parse", "--quiet", "--verify", _TIP, seconds=_LOCAL_SECONDS
            )
        except GitFailed:
            return ""
        return said.decode().strip()

    async def _fetch(self, ref: str) -> None:
        fetching = asyncio.ensure_future(
            self._git.run(
                *("fetch", "--quiet", "--force", "--no-tags", "--no-recurse-submodules"),
                *("--no-write-fetch-head", "--update-shallow", f"--depth={self._depth}"),
                *("--", self._url, f"+{ref}:{_TIP}"),
                seconds=self._seconds,
            )
        )
        size = 0
        try:
            while not fetching.done():
                await asyncio.wait([fetching], timeout=_LOOK_SECONDS)
                size = await asyncio.to_thread(_size, self._git.repository)
                if size > self._largest:
                    break
        finally:
            fetching.cancel()
            await asyncio.wait([fetching])
        if size > self._largest:
            await asyncio.to_thread(_throw_away, self._git.repository)
            raise SourceUnavailable(
                f"{self._url} is larger than {self._largest // 1_000_000:,} MB; allow more with"
                " megabytes, or read a smaller repository."
            )
        fetching.result()

    async def _tree(self) -> Tree:
        said = await self._git.run(
            "rev-parse", "--verify", f"{_TIP}^{{commit}}", seconds=_LOCAL_SECONDS
        )
        commit = said.decode().strip()
        listed = await self._git.run(
            "ls-tree", "-r", "-z", "--long", "--full-tree", commit, seconds=_LOCAL_SECONDS
        )
        blobs = await asyncio.to_thread(blobs_of, listed)
        return Tree(commit, blobs, await self._dates(commit) if self._depth > 1 else {})

    async def _dates(self, commit: str) -> dict[bytes, datetime]:
        """Return when each path last changed within the kept commits.

        The oldest of them, whose parent is unknown, seems to add all files and is left out.
        """
        said = await self._git.run(
            *("-c", "log.showRoot=false", "log", "--first-parent", "--diff-merges=first-parent"),
            *("--raw", "-z", "--no-renames", "--format=%ct", commit),
            seconds=_LOCAL_SECONDS,
        )
        return await asyncio.to_thread(dates_of, said)

    async def _read_wanted(self) -> None:
        while self._wanted:
            some = {blob: self._wanted.pop(blob) for blob in list(self._wanted)[:_AT_ONCE]}
            failure: Exception = SourceUnavailable("The reading was broken off; sync again.")
            contents: dict[str, bytes] = {}
            try:
                contents = await self._contents(list(some))
            except KnowledgeError as error:
                failure = error
            finally:
                for blob, group in some.items():
                    for waiting in group:
                        if waiting.done():  # whoever asked was cancelled
                            continue
                        if blob in contents:
                            waiting.set_result(contents[blob])
                        else:
                            waiting.set_exception(failure)

    async def _contents(self, blobs: Sequence[str]) -> dict[str, bytes]:
        fed = "".join(f"{blob}\n" for blob in blobs).encode()
        contents, at = {}, 0
        try:
            said = await self._git.run("cat-file", "--batch", fed=fed, seconds=_LOCAL_SECONDS)
            while at < len(said):
                end = said.index(b"\n", at)
                name, _, size = said[at:end].decode().split(" ")
                at = end + 1 + int(size) + 1
                contents[name] = said[end + 1 : at - 1]
        except (GitFailed, ValueError) as error:  # damaged, or "... missing"
            await asyncio.to_thread(_throw_away, self._git.repository)
            raise SourceUnavailable(
                f"The copy of {self._url} is damaged and was thrown away; sync again."
            ) from error
        return contents


def _size(folder: Path) -> int:
    """Return the bytes of all files below a folder that is being written to."""
    size = 0
    for below, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(below, file)).st_size
    return size


def _throw_away(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.unlink(missing_ok=True)  # in case it is a file or a link


def _hint(said: str) -> str:
    # an address may hold any number or word: port 40373 is no status 403
    said = re.sub(r"\S*/\S*", "", said.lower())
    status = set(re.findall(r"\b\d{3}\b", said))
    if status & {"401", "403"} or any(w in said for w in ("authentic", "username", "denied")):
        return "Check that the token or key may read it."
    if "404" in status or "not found" in said or "does not appear" in said:
        return "Check the address, and that the token or key may read it."
    if status & {"301", "302", "307", "308"}:
        return "Name the address that it leads to."
    if "not allowed" in said:
        return "Name an https or ssh address, or a path."
    return "Check the address and the connection."
