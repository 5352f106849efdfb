"""A Git repository: the documents of the newest commit of a branch."""

import asyncio
import re
import urllib.parse
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable
from index.sources import git_links, paths
from index.sources.catalog import Given, Kind, Options
from index.sources.git_program import PROTOCOLS, GitProgram, credentials
from index.sources.git_repository import GitRepository
from index.sources.git_tree import Blob, Tree
from index.sources.patterns import PathPattern, PatternText
from index.sources.rules import LARGEST_RULE_FILE, RULE_FILE

_LFS: Final = b"version https://git-lfs.github.com/spec/"
_SCP_LIKE = re.compile(r"[\w.-]+@[\w.-]+:")
_LFS_BYTES: Final = 1_024
"""A pointer of Git LFS is shorter: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"""


class GitSource:
    """The Source port on the newest commit of a branch.

    A location is the path from the root of the repository; a version is the id of the content, so a
    commit that leaves a file alone leaves its document alone. The address of a document names the
    commit in which it was indexed, which holds these very bytes for ever.

    Documents are what a folder would list too, and nothing that is a link, a submodule or hidden.
    A file of Git LFS is listed, and refused by name when it is fetched.

    ``updated_at`` is when the last commit that changed the file was made, if that is among the
    newest ``depth`` commits, and None otherwise: the time of the newest commit would make old
    pages look new, and the time of the first sight would depend on when syncs ran.
    """

    def __init__(
        self,
        repository: GitRepository,
        *,
        name: str,
        readers: frozenset[str],
        folder: str = "",
        include: Sequence[PathPattern] = (),
        exclude: Sequence[PathPattern] = (),
        link: str = "",
    ) -> None:
        """Describe the source; git is not run before it is listed or fetched.

        Of the documents those count that are below ``folder``, fit one of ``include`` if there are
        any, and none of ``exclude``. ``link`` is what ``git_links.template_of`` returns.
        """
        self._repository = repository
        self._name = name
        self._readers = readers
        self._below = f"{folder}/" if folder else ""
        self._include = tuple(include)
        self._exclude = tuple(exclude)
        self._link = link
        self._seen: tuple[Tree, dict[str, Blob]] | None = None
        self._refreshing = asyncio.Lock()

    @property
    def name(self) -> str:
        """Name in the catalog."""
        return self._name

    @property
    def readers(self) -> frozenset[str]:
        """Who may read every document of the repository."""
        return self._readers

    async def list(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document of the newest commit. Raises SourceUnavailable."""
        async with self._refreshing:
            _, documents = await self._refresh()
        for location, blob in documents.items():
            yield DocumentRef(self._name, location, blob.id)

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        """Return the bytes of one document, as listed here last, or else as they are now.

        Raises DocumentUnreadable if it is not there, too large or kept in Git LFS, and
        SourceUnavailable.
        """
        tree, documents = await self._holding(ref)
        blob = documents.get(ref.location)
        if blob is None or ref.source != self._name:
            raise paths.vanished(ref)
        media_type = paths.media_type(ref.location)
        paths.refuse_too_large(ref.location, blob.size)
        content = await self._repository.content(blob.id)
        if len(content) < _LFS_BYTES and content.startswith(_LFS):
            raise DocumentUnreadable(
                f"{ref.location} is kept in Git LFS, which is not fetched; commit the file itself."
            )
        return RawDocument(
            ref=DocumentRef(self._name, ref.location, blob.id),
            content=content,
            media_type=media_type,
            url=git_links.link(self._link, tree.commit, blob.path),
            readers=self._readers,
            updated_at=tree.dates.get(blob.path),
        )

    async def rule_file(self) -> bytes | None:
        """Return the rule file in the root of the repository; see ``HasRuleFile``."""
        async with self._refreshing:
            tree, _ = await self._refresh()
        path = RULE_FILE.encode()
        found = [one for one in tree.blobs if one.path.split(b"/", 1)[0] == path]
        if not found:
            return None
        blob = found[0]
        if blob.path != path or not blob.plain:
            raise DocumentUnreadable("it is not a plain file in the repository; make it one.")
        if blob.size > LARGEST_RULE_FILE:
            raise DocumentUnreadable(f"it is larger than {LARGEST_RULE_FILE:,} bytes; shorten it.")
        return await self._repository.content(blob.id)

    async def _holding(self, ref: DocumentRef) -> tuple[Tree, dict[str, Blob]]:
        """Return the tree that was listed, or the newest one if another process listed the ref."""
        async with self._refreshing:
            if self._seen is not None:
                blob = self._seen[1].get(ref.location)
                if blob is not None and blob.id == ref.version:
                    return self._seen
            return await self._refresh()

    async def _refresh(self) -> tuple[Tree, dict[str, Blob]]:
        tree = await self._repository.newest()
        located = ((paths.printable(blob.path), blob) for blob in tree.blobs if blob.plain)
        self._seen = tree, {path: blob for path, blob in located if self._wants(path)}
        return self._seen

    def _wants(self, path: str) -> bool:
        return (
            path.startswith(self._below)
            and paths.is_document(path)
            and (not self._include or any(one.matches(path) for one in self._include))
            and not any(one.matches(path) for one in self._exclude)
        )


def _address(url: str) -> str:
    """Refuse what is no address, or one that git would take for something else."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if not url or url.startswith("-") or host.startswith("-") or not url.isprintable():
        raise ValueError("is no address of a repository")
    if "::" in url or ("://" in url and parts.scheme not in PROTOCOLS):
        raise ValueError(f"must be a path or begin with one of {', '.join(PROTOCOLS)}")
    if parts.password or (parts.username and parts.scheme in ("http", "https")):
        raise ValueError("must hold no user or password; store a token, and name it in token")
    return url


def _branch(branch: str) -> str:
    if branch.startswith("-") or not branch.isprintable() or set(branch) & set(" ~^:?*[\\"):
        raise ValueError("is no name of a branch or tag")
    return branch.removeprefix("refs/heads/").removeprefix("refs/tags/")


def _folder(folder: str) -> str:
    stripped = folder.strip("/")
    if {"", ".", ".."} & set(stripped.split("/")) and stripped:
        raise ValueError("must be a path from the root of the repository, such as docs/handbook")
    return stripped


def _web(web: str) -> str:
    if problem := git_links.problem_of(web):
        raise ValueError(problem)
    return web


class GitOptions(Options):
    """What ``kind = "git"`` takes.

    ``url`` is an https, ssh or file address, ``user@host:path``, or a path on this machine. Without
    a ``branch`` (or tag) it is the one that the remote calls its HEAD. Only documents below
    ``folder`` count, that fit one of ``include``, if given, and none of ``exclude``.

    ``web`` says where a file can be opened: the name of a software of ``git_links.STYLES``, or an
    address with ``{path}`` and ``{commit}``; the usual hosts are known without it. ``token`` names
    the secret that is sent to the host, with ``user``. ``depth`` is how many commits are looked
    through for the dates of files. A talk with the host may take ``seconds``, and what is kept of
    the repository, packed, may have ``megabytes``.
    """

    url: Annotated[str, AfterValidator(_address)]
    branch: Annotated[str, AfterValidator(_branch)] = ""
    folder: Annotated[str, AfterValidator(_folder)] = ""
    include: tuple[PatternText, ...] = ()
    exclude: tuple[PatternText, ...] = ()
    web: Annotated[str, AfterValidator(_web)] = ""
    token: str = ""
    user: str = "x-access-token"
    depth: int = Field(default=1, ge=1, le=10_000)
    seconds: float = Field(default=600.0, gt=0, le=86_400)
    megabytes: int = Field(default=4_000, ge=1)

    @model_validator(mode="after")
    def _token_is_sent_in_secret(self) -> Self:
        parts = urllib.parse.urlsplit(self.url)
        near = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if self.token and parts.scheme != "https" and not (parts.scheme == "http" and near):
            raise ValueError("a token is sent over https only; name an https address")
        return self


def _made(given: Given, options: GitOptions) -> GitSource:
    is_address = "://" in options.url or _SCP_LIKE.match(options.url)
    url = options.url if is_address else str(given.beside / Path(options.url).expanduser())
    settings = (
        credentials(url, options.user, given.secret(options.token)) if options.token else None
    )
    repository = GitRepository(
        GitProgram(given.work, settings=settings),
        url,
        branch=options.branch,
        depth=options.depth,
        seconds=options.seconds,
        largest=options.megabytes * 1_000_000,
    )
    return GitSource(
        repository,
        name=given.name,
        readers=given.readers,
        folder=options.folder,
        include=[PathPattern(one) for one in options.include],
        exclude=[PathPattern(one) for one in options.exclude],
        link=git_links.template_of(options.url, options.web),
    )


KIND: Final = Kind(GitOptions, _made)
"""``kind = "git"``."""
