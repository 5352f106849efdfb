"""All that is shown of a row, and its vector, as one value of a fixed size.

::

    vector, float16 │ length │ fields as JSON, deflated │ zeros

Of a far storage each column is asked for by itself, so a row of fourteen of them is about six
requests. Where a value of a fixed size stands follows from the number of its row, so this one is
one request, and nothing has to be opened for it. A large table has such a column (see
lance_packing.py). The value of a row that is too long holds its vector alone, and that of a row
that was written before there was the column is missing; both are read as they ever were.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PACKED = "packed"
"""Name of the column."""

FIELDS = (
    "id",
    "doc_id",
    "fingerprint",
    "source",
    "title",
    "url",
    "updated_at",
    "readers",
    "heading_path",
    "text",
    "start",
    "end",
    "page",
    "anchor",
    "ordinal",
)
"""The fields of a row that are shown, in the order in which they are packed."""

ROOM = 1_024
"""Bytes for the fields: of 100 words, with their title, address and readers, 600 are used."""

_LENGTH = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def packed_field(dimensions: int) -> pa.Field:
    """Return the column for vectors of so many dimensions."""
    return pa.field(PACKED, pa.binary(2 * dimensions + ROOM))


def packed(row: Mapping[str, Any], vector: NDArray[np.float16], chunks: int) -> bytes:
    """Return a row as one value; ``chunks`` is the number of those that its document has."""
    told = [row[name] for name in FIELDS]
    moment = FIELDS.index("updated_at")
    if told[moment] is not None:
        told[moment] = (told[moment] - _EPOCH) // _MICROSECOND
    said = json.dumps([*told, chunks], ensure_ascii=False, separators=(",", ":"))
    deflated = zlib.compress(said.encode())
    if len(deflated) > ROOM - _LENGTH:
        deflated = b""
    start = vector.astype("<f2").tobytes() + len(deflated).to_bytes(_LENGTH, "little")
    return (start + deflated).ljust(2 * len(vector) + ROOM, b"\0")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A value with the row that it holds, and the number of chunks that the row's document has."""

    value: bytes
    row: Mapping[str, Any]
    chunks: int

    @classmethod
    def of(cls, value: bytes | None, dimensions: int) -> "Unpacked | None":
        """Return what a value holds; None for one that holds no fields."""
        start = 2 * dimensions + _LENGTH
        length = int.from_bytes((value or b"")[start - _LENGTH : start], "little")
        if value is None or not length:
            return None
        *told, chunks = json.loads(zlib.decompress(value[start : start + length]))
        row = dict(zip(FIELDS, told, strict=True))
        if row["updated_at"] is not None:
            row["updated_at"] = _EPOCH + row["updated_at"] * _MICROSECOND
        return cls(value, row, chunks)

    @property
    def place(self) -> tuple[str, int]:
        """The document that the row is of, and its ordinal there."""
        return self.row["doc_id"], self.row["ordinal"]


def table_of(rows: Sequence[Unpacked], schema: pa.Schema) -> pa.Table:
    """Return rows as they are read from a table of this schema: their fields, and vectors."""
    vector = schema.field("vector")
    size = vector.type.list_size
    flat = np.frombuffer(b"".join(one.value[: 2 * size] for one in rows), "<f2")
    columns = {
        name: pa.array([one.row[name] for one in rows], schema.field(name).type) for name in FIELDS
    }
    columns[vector.name] = pa.FixedSizeListArray.from_arrays(pa.array(flat), size)
    return pa.table(columns)
