"""Sync a source of any size, and tell how long it takes and what it leaves in the storage.

    python -m tests.benchmarks.load --documents 1000
    python -m tests.benchmarks.load --documents 100000 --s3 > million.json
    python -m tests.benchmarks.load --documents 100000 --at /tmp/million     # goes on if stopped

A document has about ten chunks. Texts are real sentences mixed anew (remixed.py), vectors are made
of theirs (remixed_vectors.py); source, parser, chunker, sync and index are those that run. Prints
one JSON object; progress goes to standard error. Ctrl-C ends it with status 130: what was committed
stays, and with --at the same command goes on from there.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from index.ports import Embedder, Source
from index.sandbox import SandboxedParser
from index.sync import SyncProgress, SyncReport, sync
from tests.benchmarks.figures import peak_memory_mb
from tests.benchmarks.remixed import RemixedSource, read_pool
from tests.benchmarks.remixed_vectors import sentence_vectors
from tests.benchmarks.stored import described, stored_bytes
from tests.benchmarks.timed_index import TimedIndex
from tests.doubles.object_storage import ObjectStorage, running_object_storage

INTERRUPTED = 130
SHOWN_EVERY = 10.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Where:
    """Where the index lies; ``storage`` is None for a folder."""

    uri: str
    storage: ObjectStorage | None

    @property
    def kind(self) -> str:
        """What stores it."""
        return self.storage.kind if self.storage else "folder"

    @property
    def options(self) -> dict[str, str] | None:
        """What the engine needs to reach it."""
        return self.storage.storage_options if self.storage else None


def main() -> int:
    """Run what the command line asks for; returns the exit status."""
    asked = arguments().parse_args()
    try:
        with where(asked.at, s3=asked.s3) as place:
            figures = asyncio.run(measured(asked, place))
    except KeyboardInterrupt:
        goes_on = f"; the same command goes on in {asked.at}" if asked.at else ""
        print(f"stopped{goes_on}", file=sys.stderr)
        return INTERRUPTED
    json.dump(figures, sys.stdout, indent=2)
    print()
    return 0


def arguments() -> argparse.ArgumentParser:
    """Return what the command line understands."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    place = parser.add_mutually_exclusive_group()
    parser.add_argument("--documents", type=int, default=1_000, metavar="N", help="default: 1000")
    parser.add_argument("--seed", type=int, default=11, help="another one, other documents")
    parser.add_argument(
        "--vectors",
        choices=["hashing", "packaged"],
        default="hashing",
        help="packaged: embeds 20,000 sentences once with the built-in model, about two minutes",
    )
    place.add_argument("--s3", action="store_true", help="an S3 server on this machine")
    place.add_argument("--at", metavar="FOLDER", help="a folder that stays, and is gone on with")
    parser.add_argument("--no-maintenance", action="store_true", help="end after the sync")
    return parser


@contextmanager
def where(folder: str | None, *, s3: bool) -> Iterator[Where]:
    """Give a place for the index; it is thrown away at the end unless it is ``folder``."""
    if s3:
        with running_object_storage() as storage:
            yield Where(storage.new_uri(), storage)
    elif folder:
        yield Where(folder, None)
    else:
        with tempfile.TemporaryDirectory(prefix="footnote-load-") as made:
            yield Where(str(Path(made) / "index"), None)


async def measured(asked: argparse.Namespace, place: Where) -> dict[str, Any]:
    """Sync, sync again with nothing changed, maintain; return the figures of it all."""
    pool = read_pool()
    embedder = sentence_vectors(pool, asked.vectors)
    source = RemixedSource(pool, asked.documents, seed=asked.seed)
    before = peak_memory_mb()
    index = TimedIndex(
        place.uri,
        embedder=embedder.name,
        dimensions=embedder.dimensions,
        storage_options=place.options,
    )
    with SandboxedParser() as parser:
        first = await shown(source, parser, embedder, index)
        busy, peak = index.taken(), peak_memory_mb()
        again = await shown(source, parser, embedder, index)
        index.taken()
        readers = max(map(peak_memory_mb, parser.processes()), default=0)
    figures: dict[str, Any] = {
        "storage": place.kind,
        "vectors": asked.vectors,
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "documents": await index.documents(),
        "chunks": await index.count(),
        "unchanged_before": first.unchanged,
        "skipped": len(first.skipped),
        "seconds": round(first.seconds, 2),
        "chunks_per_second": round(first.chunks_per_second, 1),
        "writer_seconds": busy,
        "memory_mb_before": before,
        "peak_memory_mb": peak,
        "parser_peak_memory_mb": readers,
        "no_change": {
            "seconds": round(again.seconds, 2),
            "share_of_first": round(again.seconds / first.seconds, 4),
            "changes": again.added + again.changed + again.removed,
            "peak_memory_mb": peak_memory_mb(),
        },
    }
    stored = await described(place.uri, place.options)
    figures |= {"bytes_stored": stored_bytes(place.uri, place.storage), **stored}
    if not asked.no_maintenance:
        print("maintaining", file=sys.stderr, flush=True)
        figures["maintenance"] = await maintained(index, place)
    await index.close()
    return figures


async def maintained(index: TimedIndex, place: Where) -> dict[str, Any]:
    """Maintain and erase as the maintain function does; return how long, and what is there then."""
    seconds = await taking(index.maintain(force=True))
    erasing = await taking(index.erase())
    stored = await described(place.uri, place.options)
    return {
        "seconds": round(seconds, 2),
        "erase_seconds": round(erasing, 2),
        "peak_memory_mb": peak_memory_mb(),
        "bytes_stored": stored_bytes(place.uri, place.storage),
        **stored,
    }


async def taking(work: Awaitable[T]) -> float:
    """Return how many seconds this takes."""
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def shown(
    source: Source, parser: SandboxedParser, embedder: Embedder, index: TimedIndex
) -> SyncReport:
    """Sync, and show on standard error that it moves."""
    last = 0.0

    def show(now: SyncProgress) -> None:
        nonlocal last
        if time.monotonic() - last > SHOWN_EVERY or now.stage in ("finishing", "done"):
            last = time.monotonic()
            print(
                f"{now.stage}: {now.listed} listed, {now.fetched} of {now.to_fetch} fetched,"
                f" {now.embedded_chunks} chunks embedded, {now.committed} documents committed",
                file=sys.stderr,
                flush=True,
            )

    return await sync(source, parser, embedder, index, progress=show)


if __name__ == "__main__":
    raise SystemExit(main())
