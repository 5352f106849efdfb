"""Index entries made from plain texts, one chunk a text."""

from datetime import UTC, datetime

import numpy as np

from index.audience import EVERYONE
from index.chunking import searchable_text
from index.documents import Chunk, Document, DocumentRef, stable_id
from index.ports import Embedder, IndexEntry, Vectors

UPDATED = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def entry(
    embedder: Embedder,
    location: str,
    *texts: str,
    readers: frozenset[str] = frozenset({EVERYONE.id}),
    source: str = "handbook",
    fingerprint: str = "f1",
    title: str = "A title",
    updated_at: datetime | None = UPDATED,
) -> IndexEntry:
    """Return a document whose text is ``texts`` on lines of their own, each of them a chunk."""
    ref = DocumentRef(source, location, "v1")
    text = "\n".join(texts)
    chunks: list[Chunk] = []
    start = 0
    for ordinal, one in enumerate(texts):
        chunks.append(
            Chunk(
                id=stable_id(ref.id, one, str(ordinal)),
                document_id=ref.id,
                ordinal=ordinal,
                heading_path=("Outer", "Inner"),
                text=one,
                start=start,
                end=start + len(one),
                page=ordinal + 1 if ordinal else None,
                anchor="inner",
            )
        )
        start += len(one) + 1
    document = Document(
        ref=ref,
        title=title,
        url=f"https://docs.example/{location}",
        text=text,
        readers=readers,
        updated_at=updated_at,
    )
    return IndexEntry(document, fingerprint, tuple(chunks), vectors_of(embedder, title, chunks))


def vectors_of(embedder: Embedder, title: str, chunks: list[Chunk]) -> Vectors:
    """Return the vectors that a sync would store for these chunks."""
    if not chunks:
        return np.zeros((0, embedder.dimensions), dtype=np.float32)
    return embedder.embed_documents([searchable_text(title, chunk) for chunk in chunks])
