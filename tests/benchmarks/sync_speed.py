"""How fast a sync is, beside the bare embedder on the same chunks in the same run.

    python -m tests.benchmarks.sync_speed [--limit 150] [--s3] [--embedder hashing]

Prints one JSON object: the first sync, the bare embedder on the same chunks, the ratio of both, a
second sync that must embed nothing, its share of the first, and a third after one page was edited,
one removed and one added. Ends with status 1 if the second or third run did anything else. Syncs
parse in child processes, as they do wherever documents are not ours.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.chunking import chunk, searchable_text
from index.embedding import SentenceTransformerEmbedder
from index.errors import DocumentUnreadable
from index.lance import LanceIndex
from index.parsing import DocumentParser
from index.ports import Embedder, Parser
from index.sandbox import SandboxedParser
from index.sources.files import FolderSource
from index.sync import SyncProgress, SyncReport, sync
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.object_storage import running_object_storage

PAGES = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "data"
    / "awsdocs-tree"
    / "awsdocs-14guides-md.tar.gz"
)


WARM_UP = 1_000
"""Texts embedded before any clock runs: the first pass over new lengths is slow."""


def main() -> int:
    """Run the benchmark that the command line asks for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--limit", type=int, default=0, help="pages to sync; 0 for all")
    options.add_argument("--s3", action="store_true", help="sync to a SeaweedFS server")
    options.add_argument("--embedder", choices=["packaged", "hashing"], default="packaged")
    options.add_argument("--pages", type=Path, default=PAGES, help="a tar.gz of Markdown pages")
    asked = options.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder,
        place(Path(folder), s3=asked.s3) as (uri, storage_options, kind),
    ):
        pages = Path(folder) / "pages"
        extract(asked.pages, pages, asked.limit)
        embedder: Embedder = (
            HashingEmbedder(384) if asked.embedder == "hashing" else SentenceTransformerEmbedder()
        )
        index = LanceIndex(
            uri,
            embedder=embedder.name,
            dimensions=embedder.dimensions,
            storage_options=storage_options,
        )
        figures, kept = asyncio.run(measure(pages, embedder, index))
    json.dump({"storage": kind, "embedder": embedder.name, **figures}, sys.stdout, indent=2)
    print()
    return 0 if kept else 1


@contextlib.contextmanager
def place(folder: Path, *, s3: bool) -> Iterator[tuple[str, dict[str, str] | None, str]]:
    """Give an address for the index, what is needed to reach it, and its kind."""
    if not s3:
        yield str(folder / "index"), None, "folder"
        return
    with running_object_storage() as storage:
        yield storage.new_uri(), storage.storage_options, storage.kind


def extract(archive: Path, into: Path, limit: int) -> None:
    """Unpack the Markdown pages, or every n-th of them, so that all guides are there."""
    with tarfile.open(archive) as tar:
        members = [one for one in tar.getmembers() if one.isfile() and one.name.endswith(".md")]
        members.sort(key=lambda one: one.name)
        if limit:
            members = [members[n * len(members) // limit] for n in range(min(limit, len(members)))]
        tar.extractall(into, members=members, filter="data")


async def measure(
    pages: Path, embedder: Embedder, index: LanceIndex
) -> tuple[dict[str, Any], bool]:
    """Return the figures, and whether the second and third run did what they must."""
    source = FolderSource(pages)
    began, cpu_began = time.monotonic(), time.process_time()
    texts = await texts_of(source)
    preparing, cpu_preparing = time.monotonic() - began, time.process_time() - cpu_began
    embedder.embed_documents(texts[:: max(1, len(texts) // WARM_UP)])
    with SandboxedParser() as parser:
        cpu_began = time.process_time()
        first = await timed(source, parser, embedder, index)
        cpu_first = time.process_time() - cpu_began
        after = bare(embedder, texts)
        second = await timed(source, parser, embedder, index)
        edit_three(pages)
        third = await timed(source, parser, embedder, index)
    await index.close()
    quiet = (second.added, second.changed, second.removed, second.chunks_embedded) == (0, 0, 0, 0)
    three = (third.added, third.changed, third.removed) == (1, 1, 1)
    figures = {
        "cpus": os.cpu_count(),
        "load_at_end": round(os.getloadavg()[0], 2),
        "documents": first.added,
        "chunks": len(texts),
        "listing_parsing_chunking_alone": {
            "seconds": round(preparing, 2),
            "cpu_seconds": round(cpu_preparing, 2),
        },
        "bare_embedder": after,
        "first_sync": told(first) | {"cpu_seconds": round(cpu_first, 2)},
        "ratio": round(first.chunks_per_second / after["chunks_per_second"], 3),
        "second_sync": told(second) | {"embedded_nothing": quiet},
        "no_change_share": round(second.seconds / first.seconds, 4),
        "edited_removed_added": told(third) | {"exactly_those_three": three},
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    return figures, quiet and three


def bare(embedder: Embedder, texts: list[str]) -> dict[str, float]:
    """Time the embedder alone, over all texts at once: the fastest it can be."""
    began, cpu_began = time.monotonic(), time.process_time()
    embedder.embed_documents(texts)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu_began
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "chunks_per_second": round(len(texts) / seconds, 1),
    }


async def texts_of(source: FolderSource) -> list[str]:
    """Return what a sync embeds, in the order of the listing."""
    parser = DocumentParser()
    texts: list[str] = []
    async for ref in source.list():
        with contextlib.suppress(DocumentUnreadable):
            document = parser.parse(await source.fetch(ref))
            texts.extend(searchable_text(document.title, one) for one in chunk(document))
    return texts


async def timed(
    source: FolderSource, parser: Parser, embedder: Embedder, index: LanceIndex
) -> SyncReport:
    """Sync, and show on stderr that it moves."""
    shown = time.monotonic()

    def show(now: SyncProgress) -> None:
        nonlocal shown
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(now, file=sys.stderr, flush=True)

    return await sync(source, parser, embedder, index, progress=show)


def edit_three(pages: Path) -> None:
    """Edit one page, remove one, add one."""
    files = sorted(pages.rglob("*.md"))
    edited, removed = files[len(files) // 3], files[2 * len(files) // 3]
    text = edited.read_text(encoding="utf-8")
    edited.write_text(f"{text}\n\nOne more closing paragraph was added.\n", encoding="utf-8")
    removed.unlink()
    (pages / "added.md").write_text("# An added page\n\nIt says one thing.\n", encoding="utf-8")


def told(report: SyncReport) -> dict[str, Any]:
    """Return a report as JSON values, its skipped documents counted and the first ones named."""
    values = asdict(report)
    values["skipped"] = len(report.skipped)
    values["first_skipped"] = [asdict(one) for one in report.skipped[:3]]
    return {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in values.items()
    }


if __name__ == "__main__":
    raise SystemExit(main())
