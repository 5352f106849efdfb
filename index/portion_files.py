"""What is staged beside an index, as bytes: what is asked for, and what was made of it.

A request is JSON: it names documents and holds no text. A result is an Arrow file with a row a
chunk. Before it stands its checksum, so that half a file, or a bit that fell over, is an error and
never a wrong passage.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from index.documents import Chunk, Document, DocumentRef, Opens
from index.errors import PreparedBroken
from index.portions import Asked, Portion
from index.ports import IndexEntry
from index.sync_progress import Skipped

FORMAT: Final = 1
"""Grows when a field changes its meaning; what another version wrote is made again."""

_MAGIC: Final = b"footnote prepared\n"
_ABOUT: Final = b"footnote.prepared"


@dataclass(frozen=True, slots=True)
class Request:
    """A portion of a source. ``remembered`` are the earlier versions that vectors are taken from,
    each the name of a table and a number."""

    source: str
    portion: Portion
    remembered: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made of a portion. ``covered`` are the tokens of the documents it speaks of.

    The text of a document is in its chunks alone. ``given_up`` says why there is nothing.
    """

    portion: str
    covered: frozenset[str] = frozenset()
    entries: tuple[IndexEntry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    embedded: int = 0
    reused: int = 0
    given_up: str = ""


def encode_request(request: Request) -> bytes:
    """Return the request as JSON."""
    asked = [
        [one.ref.location, one.ref.version, one.fingerprint, one.known_before]
        for one in request.portion.asked
    ]
    return json.dumps(
        {
            "format": FORMAT,
            "source": request.source,
            "recipe": request.portion.recipe,
            "remembered": request.remembered,
            "asked": asked,
        }
    ).encode()


def decode_request(content: bytes) -> Request:
    """Read a request back. Raises PreparedBroken."""
    try:
        told = json.loads(content)
        _refuse_other(told)
        source = told["source"]
        asked = tuple(
            Asked(DocumentRef(source, str(place), str(version)), str(fingerprint), bool(known))
            for place, version, fingerprint, known in told["asked"]
        )
        remembered = tuple((str(name), int(number)) for name, number in told["remembered"])
        return Request(str(source), Portion(str(told["recipe"]), asked), remembered)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PreparedBroken("A request for a portion of documents cannot be read.") from error


def encode_prepared(prepared: Prepared) -> bytes:
    """Return the result as bytes."""
    dimensions = prepared.entries[0].vectors.shape[1] if prepared.entries else 1
    rows = [(n, chunk) for n, entry in enumerate(prepared.entries) for chunk in entry.chunks]
    vectors = [entry.vectors for entry in prepared.entries if entry.chunks]
    flat = np.concatenate(vectors).reshape(-1) if vectors else np.zeros(0, dtype=np.float32)
    about = {
        "format": FORMAT,
        "portion": prepared.portion,
        "covered": sorted(prepared.covered),
        "documents": [_document(entry) for entry in prepared.entries],
        "skipped": [[one.location, one.reason] for one in prepared.skipped],
        "embedded": prepared.embedded,
        "reused": prepared.reused,
        "given_up": prepared.given_up,
    }
    table = pa.table(
        {
            "document": pa.array([number for number, _ in rows], pa.int32()),
            # As JSON, which can hold what UTF-8 cannot; Arrow makes it small again.
            "chunk": pa.array([json.dumps(asdict(chunk)) for _, chunk in rows], pa.string()),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), dimensions),
        }
    ).replace_schema_metadata({_ABOUT: json.dumps(about).encode()})
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    content = sink.getvalue()
    return _MAGIC + hashlib.sha256(content).digest() + content


def decode_prepared(content: bytes) -> Prepared:
    """Read a result back. Raises PreparedBroken for anything that was not written as a whole."""
    begin = len(_MAGIC) + hashlib.sha256().digest_size
    body = content[begin:]
    if content[:begin] != _MAGIC + hashlib.sha256(body).digest():
        raise PreparedBroken("A result for a portion of documents is not whole.")
    try:
        table = pa.ipc.open_file(pa.py_buffer(body)).read_all()
        told = json.loads(table.schema.metadata[_ABOUT])
        _refuse_other(told)
        return Prepared(
            portion=told["portion"],
            covered=frozenset(told["covered"]),
            entries=tuple(_entries(table, told["documents"])),
            skipped=tuple(Skipped(location, reason) for location, reason in told["skipped"]),
            embedded=told["embedded"],
            reused=told["reused"],
            given_up=told["given_up"],
        )
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise PreparedBroken("A result for a portion of documents cannot be read.") from error


def _refuse_other(told: Mapping[str, Any]) -> None:
    if told["format"] != FORMAT:
        raise ValueError(f"format {told['format']} is not {FORMAT}")


def _document(entry: IndexEntry) -> Mapping[str, object]:
    document = entry.document
    return {
        "ref": asdict(document.ref),
        "title": document.title,
        "url": document.url,
        "readers": sorted(document.readers),
        "updated_at": document.updated_at and document.updated_at.isoformat(),
        "opens": document.opens.value,
        "fingerprint": entry.fingerprint,
    }


def _entries(table: pa.Table, documents: Sequence[Mapping[str, Any]]) -> list[IndexEntry]:
    size = table.schema.field("vector").type.list_size
    flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    vectors = np.asarray(flat, dtype=np.float32).reshape(-1, size)
    places: list[list[int]] = [[] for _ in documents]
    chunks = [_chunk(json.loads(one)) for one in table["chunk"].to_pylist()]
    for row, number in enumerate(table["document"].to_pylist()):
        places[number].append(row)
    return [
        IndexEntry(
            Document(
                ref=DocumentRef(**told["ref"]),
                title=told["title"],
                url=told["url"],
                text="",
                readers=frozenset(told["readers"]),
                updated_at=told["updated_at"] and datetime.fromisoformat(told["updated_at"]),
                opens=Opens(told["opens"]),
            ),
            told["fingerprint"],
            tuple(chunks[row] for row in rows),
            vectors[rows],
        )
        for told, rows in zip(documents, places, strict=True)
    ]


def _chunk(told: dict[str, Any]) -> Chunk:
    return Chunk(**{**told, "heading_path": tuple(told["heading_path"])})
