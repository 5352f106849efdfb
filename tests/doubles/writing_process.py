"""A process that holds the lease of an index and commits for as long as it may."""

import asyncio
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.claims import Claim, Claims
from handlers.work.errors import WorkError
from handlers.work.writer import Fence, Writers, writer_key
from index.errors import KnowledgeError
from index.lance import LanceIndex
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder

EMBEDDER = HashingEmbedder()


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes where: a document of that name with ``lines`` lines, ``commits`` times."""

    uri: str
    options: Mapping[str, str] | None
    store: Path
    name: str
    commits: int
    lease_seconds: float
    lines: int = 20


async def write(work: Writing, *, patience: float = 0.0) -> int:
    """Commit as the only writer; return the version of the first commit."""
    store = SqliteStore(work.store)
    try:
        writers = Writers(store, lease_seconds=work.lease_seconds)
        return await writers.alone(work.uri, lambda fence: _commits(work, fence), patience=patience)
    finally:
        await store.close()


async def write_unwatched(work: Writing) -> int:
    """Commit as ``write`` does, yet ask for the lease before each change only, never between.

    So does a process that was frozen with its timers, until they ring.
    """
    store = SqliteStore(work.store)
    try:
        claim = await Claims(store, lease_seconds=work.lease_seconds).take(writer_key(work.uri))
        assert isinstance(claim, Claim)
        return await _commits(work, lambda: claim.note({}))
    finally:
        await store.close()


async def _commits(work: Writing, fence: Fence) -> int:
    index = LanceIndex(
        work.uri,
        embedder=EMBEDDER.name,
        dimensions=EMBEDDER.dimensions,
        storage_options=work.options,
        before_change=fence,
    )
    first = 0
    for turn in range(work.commits):
        lines = [f"{work.name} turn {turn} line {n}" for n in range(work.lines)]
        await index.stage([entry(EMBEDDER, work.name, *lines, fingerprint=str(turn))])
        version = await index.commit()
        first = first or version
    await index.close()
    return first


def run(work: Writing, ends: Connection) -> None:
    """Write; the body of a process. Sends the name of the error that ended it, or nothing."""
    try:
        asyncio.run(write_unwatched(work))
    except (KnowledgeError, WorkError) as error:
        ends.send(type(error).__name__)
    else:
        ends.send("")


def started(work: Writing) -> tuple[BaseProcess, Connection]:
    """Start a process on the work, forked from one that has imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "tests.doubles.syncing_process"])
    receives, sends = context.Pipe(duplex=False)
    process = context.Process(target=run, args=(work, sends))
    process.start()
    sends.close()
    return process, receives
