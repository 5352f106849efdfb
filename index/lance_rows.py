"""The rows of the chunk table: their schema, and the way to and from the nouns of the index."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from index.chunking import searchable_text
from index.documents import Chunk, stable_id
from index.keywords import ANALYSIS, coverage, keyword_text, single_terms
from index.lance_fence import PREFIX
from index.lance_filters import is_hex_id, source_id
from index.lance_packed import FIELDS, PACKED, packed
from index.ports import Candidate, IndexEntry, Vectors

EMBEDDER_KEY = b"footnote.embedder"
RECIPE_KEY = b"footnote.recipe"
ANALYSIS_KEY = b"footnote.analysis"

KEYWORD_CHARACTERS = 2_000
"""How much of a question the keyword arm reads; what follows adds time and no meaning."""

SHOWN_COLUMNS = list(FIELDS)
"""What makes a candidate of a row, beside what it is compared by."""

CANDIDATE_COLUMNS = (*FIELDS, "keywords", "vector")
"""What a search reads: all but the columns that only the writer needs."""


def table_schema(embedder: str, dimensions: int, recipe: str = "") -> pa.Schema:
    """Return the schema of a table for vectors of this embedder, filled by this recipe.

    ``id`` is marked as the primary key: without it two writers that merge one new id at the same
    time both insert it. Vectors are float16, which costs no recall that could be measured.
    """
    strings = pa.list_(pa.field("item", pa.string(), nullable=False))
    key = {b"lance-schema:unenforced-primary-key": b"true"}
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False, metadata=key),
            pa.field("doc_id", pa.string(), nullable=False),
            pa.field("source_id", pa.string(), nullable=False),
            pa.field("fingerprint", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("title", pa.string(), nullable=False),
            pa.field("url", pa.string(), nullable=False),
            pa.field("updated_at", pa.timestamp("us", tz="UTC")),
            pa.field("readers", strings, nullable=False),
            pa.field("heading_path", strings, nullable=False),
            pa.field("text", pa.string(), nullable=False),
            pa.field("embedded_id", pa.string(), nullable=False),
            pa.field("keywords", pa.string(), nullable=False),
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("page", pa.int32()),
            pa.field("anchor", pa.string(), nullable=False),
            pa.field("ordinal", pa.int32(), nullable=False),
            pa.field("vector", pa.list_(pa.float16(), dimensions), nullable=False),
        ],
        metadata={
            EMBEDDER_KEY: embedder.encode(),
            RECIPE_KEY: recipe.encode(),
            ANALYSIS_KEY: ANALYSIS.encode(),
        },
    )


def vector_space(schema: pa.Schema) -> tuple[str, int]:
    """Return the embedder that a table was made with, and the length of its vectors."""
    built_with = (schema.metadata or {}).get(EMBEDDER_KEY, b"").decode()
    return built_with, schema.field("vector").type.list_size


async def columns_of(table: Any, where: str | None, columns: Iterable[str]) -> pa.Table:
    """Return columns of the rows that a filter admits, or of all."""
    query = table.query().select(list(columns))
    return await (query if where is None else query.where(where)).to_arrow()


def check_entry(entry: IndexEntry, dimensions: int) -> None:
    """Raise ValueError for an entry that would make rows no search or later commit could trust."""
    ids = [chunk.id for chunk in entry.chunks]
    if entry.vectors.shape != (len(ids), dimensions):
        raise ValueError(f"{len(ids)} chunks need vectors of shape ({len(ids)}, {dimensions})")
    if not np.isfinite(entry.vectors).all():
        raise ValueError("a vector holds a number that is not finite")
    if len(set(ids)) != len(ids):
        raise ValueError("two chunks of one document have the same id")
    if not all(map(is_hex_id, [*ids, *entry.document.readers])):
        raise ValueError("ids of chunks and readers must be 32 hex digits")
    if any(chunk.document_id != entry.document.ref.id for chunk in entry.chunks):
        raise ValueError("a chunk names another document")


def rows_of(entries: Collection[IndexEntry], schema: pa.Schema) -> pa.Table:
    """Return one row a chunk, with those columns of the table that hold documents."""
    schema = pa.schema([one for one in schema if not one.name.startswith(PREFIX)], schema.metadata)
    rows: list[dict[str, object]] = []
    vectors: list[Vectors] = []
    for entry in entries:
        document = entry.document
        shared = {
            "doc_id": document.ref.id,
            "source_id": source_id(document.ref.source),
            "fingerprint": entry.fingerprint,
            "source": storable(document.ref.source),
            "title": storable(document.title),
            "url": storable(document.url),
            "updated_at": _in_utc(document.updated_at),
            "readers": sorted(document.readers),
        }
        vectors.append(entry.vectors)
        rows.extend(
            shared
            | {
                "id": chunk.id,
                "heading_path": [storable(heading) for heading in chunk.heading_path],
                "text": storable(chunk.text),
                "embedded_id": stable_id(searchable_text(document.title, chunk)),
                "keywords": storable(keyword_text(document.title, chunk)),
                "start": chunk.start,
                "end": chunk.end,
                "page": chunk.page,
                "anchor": storable(chunk.anchor),
                "ordinal": chunk.ordinal,
            }
            for chunk in entry.chunks
        )
    field = schema.field("vector")
    held = np.concatenate(vectors).astype(np.float16)
    if PACKED in schema.names:
        counts = [len(entry.chunks) for entry in entries for _ in entry.chunks]
        for row, vector, chunks in zip(rows, held, counts, strict=True):
            row[PACKED] = packed(row, vector, chunks)
    columns = [
        pa.FixedSizeListArray.from_arrays(pa.array(held.reshape(-1)), field.type.list_size)
        if name == field.name
        else pa.array([row[name] for row in rows], type=schema.field(name).type)
        for name in schema.names
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def candidates_of(
    rows: pa.Table,
    similarities: Iterable[float],
    scores: Iterable[float],
    terms: Mapping[str, float],
    total: int,
) -> list[Candidate]:
    """Return the rows that both arms found as candidates, nearest first.

    ``similarities`` and ``scores`` have one number a row: its exact cosine, and its BM25 score.
    ``terms`` are the words looked for with their weights; ``total`` counts all chunks.
    """
    read = rows.select([name for name in rows.column_names if name != "vector"]).to_pylist()
    held = [_held(row, terms) for row in read]
    covered = coverage(terms, held, total)
    candidates = [
        _candidate(row, similarity, score, share)
        for row, similarity, score, share in zip(read, similarities, scores, covered, strict=True)
    ]
    return sorted(candidates, key=lambda one: (-one.similarity, one.chunk.id))


def candidates_at(
    table: pa.Table, places: Iterable[tuple[str, int]], query: NDArray[np.float32]
) -> list[Candidate]:
    """Return the rows of ``table`` that stand at ``places``, with their exact cosines."""
    wanted = set(places)
    similarities = cosines(vectors_in(table), query)
    rows = table.select(SHOWN_COLUMNS).to_pylist()
    return [
        _candidate(row, float(similarity), 0.0, 0.0)
        for row, similarity in zip(rows, similarities, strict=True)
        if (row["doc_id"], row["ordinal"]) in wanted
    ]


def vectors_in(table: pa.Table | pa.RecordBatch) -> Vectors:
    """Return the ``vector`` column of a result as rows of float32."""
    column = table["vector"]
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float32).reshape(-1, column.type.list_size)


def storable(text: str) -> str:
    """Return text that UTF-8 can hold, of the same length: each lone surrogate becomes ``?``."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _held(row: Mapping[str, Any], terms: Iterable[str]) -> frozenset[str]:
    """Return which of the terms a row holds; they follow from its text where they were not read."""
    if "keywords" not in row:
        found = single_terms(row["title"], row["heading_path"], row["text"])
        return frozenset(terms).intersection(found)
    # A tenth of the time of taking the tokens apart.
    tokens = f" {row['keywords']} "
    return frozenset(term for term in terms if f" {term} " in tokens)


def _candidate(
    row: Mapping[str, Any], similarity: float, keyword: float, covered: float
) -> Candidate:
    chunk = Chunk(
        id=row["id"],
        document_id=row["doc_id"],
        ordinal=row["ordinal"],
        heading_path=tuple(row["heading_path"]),
        text=row["text"],
        start=row["start"],
        end=row["end"],
        page=row["page"],
        anchor=row["anchor"],
    )
    return Candidate(
        chunk=chunk,
        source=row["source"],
        title=row["title"],
        url=row["url"],
        readers=frozenset(row["readers"]),
        updated_at=row["updated_at"],
        similarity=similarity,
        keyword=keyword,
        coverage=covered,
    )


def cosines(vectors: Vectors, query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine of the query and each row of ``vectors``."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    cosines = (vectors @ query) / np.maximum(lengths, np.float32(1e-12))
    return np.asarray(np.clip(cosines, -1.0, 1.0), dtype=np.float32)


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)
