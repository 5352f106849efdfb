"""An index of 20,000 real chunks with rights of 50 groups, on the S3 double.

The texts are those of the AWS pages of shared/data. Their vectors come from the hashing embedder,
since embedding 20,000 chunks takes minutes and what is measured here is time and not relevance; the
questions are embedded by the real model, which has as many dimensions.
"""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from index.audience import EVERYONE
from index.chunking import chunk, searchable_text
from index.documents import Document
from index.errors import DocumentUnreadable
from index.lance import LanceIndex
from index.parsing import DocumentParser
from index.ports import IndexEntry
from index.sources.files import FolderSource
from index.weights import PUBLISHED_DIMENSIONS, PUBLISHED_NAME
from tests.benchmarks.reader_groups import GROUPS
from tests.benchmarks.sync_speed import PAGES, extract
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.object_storage import ObjectStorage

CHUNKS = 20_000
DOCUMENTS_A_COMMIT = 500


def build(storage: ObjectStorage) -> tuple[str, int]:
    """Return the address of the index and how many chunks it holds."""
    return asyncio.run(_build(storage))


async def _build(storage: ObjectStorage) -> tuple[str, int]:
    uri = storage.new_uri()
    index = LanceIndex(
        uri,
        embedder=PUBLISHED_NAME,
        dimensions=PUBLISHED_DIMENSIONS,
        storage_options=storage.storage_options,
    )
    embedder = HashingEmbedder(PUBLISHED_DIMENSIONS)
    rng = random.Random(11)
    staged = chunks = 0
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder:
        extract(PAGES, Path(folder), 0)
        async for document in _documents(Path(folder)):
            left = CHUNKS - chunks
            entry = _entry(document, embedder, rng, left)
            await index.stage([entry])
            staged, chunks = staged + 1, chunks + len(entry.chunks)
            if staged % DOCUMENTS_A_COMMIT == 0:
                await index.commit()
            if chunks >= CHUNKS:
                break
    await index.commit()
    await index.maintain(force=True)
    count = await index.count()
    await index.close()
    return uri, count


async def _documents(folder: Path) -> AsyncIterator[Document]:
    source, parser = FolderSource(folder), DocumentParser()
    async for ref in source.list():
        with contextlib.suppress(DocumentUnreadable):
            yield parser.parse(await source.fetch(ref))


def _entry(
    document: Document, embedder: HashingEmbedder, rng: random.Random, most: int
) -> IndexEntry:
    # Every page is open to two groups, and every second one to the whole company.
    readers = {one.id for one in rng.sample(GROUPS, 2)}
    if rng.random() < 0.5:
        readers.add(EVERYONE.id)
    chunks = tuple(chunk(document))[:most]
    vectors = embedder.embed_documents([searchable_text(document.title, one) for one in chunks])
    return IndexEntry(replace(document, readers=frozenset(readers)), "f1", chunks, vectors)
