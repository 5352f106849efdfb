"""What workers and the committer hand each other survives whole, or is an error with a name."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents import Chunk, Document, DocumentRef, Opens
from index.errors import PreparedBroken
from index.portion_files import (
    Prepared,
    Request,
    decode_prepared,
    decode_request,
    encode_prepared,
    encode_request,
)
from index.portions import Asked, Portion
from index.ports import IndexEntry
from index.sync_progress import Skipped

words = st.text(max_size=30) | st.just("lone \ud800 surrogate")


def entry(number: int, text: str, chunks: int = 2) -> IndexEntry:
    ref = DocumentRef("docs", f"p{number}", text)
    document = Document(
        ref=ref,
        title=text,
        url="https://docs.example/a",
        text="",
        readers=frozenset({"a" * 32}),
        updated_at=datetime(2026, 11, 1, 12, 30, 0, number, tzinfo=UTC),
        opens=Opens.PAGE,
    )
    cut = tuple(
        Chunk(f"{place:032x}", ref.id, place, (text, "b"), text, 1, 1 + len(text), place or None)
        for place in range(chunks)
    )
    vectors = np.linspace(-1, 1, chunks * 8, dtype=np.float32).reshape(chunks, 8)
    return IndexEntry(document, f"fingerprint {text}", cut, vectors)


PREPARED = Prepared(
    portion="0" * 32,
    covered=frozenset({"1" * 32, "2" * 32}),
    entries=(entry(1, "one"), entry(2, "", chunks=0), entry(3, "three", chunks=5)),
    skipped=(Skipped("p4", "It is locked."),),
    embedded=3,
    reused=4,
)


def assert_equal(one: Prepared, other: Prepared) -> None:
    assert replace(one, entries=()) == replace(other, entries=())
    for a, b in zip(one.entries, other.entries, strict=True):
        assert (a.document, a.fingerprint, a.chunks) == (b.document, b.fingerprint, b.chunks)
        assert a.vectors.dtype == b.vectors.dtype == np.float32
        assert a.vectors.tobytes() == b.vectors.tobytes()


def test_a_result_survives_being_staged() -> None:
    assert_equal(decode_prepared(encode_prepared(PREPARED)), PREPARED)


@given(words, words)
def test_any_text_survives_being_staged(title: str, reason: str) -> None:
    made = replace(PREPARED, entries=(entry(1, title),), skipped=(Skipped(title, reason),))
    assert_equal(decode_prepared(encode_prepared(made)), made)


def test_a_result_with_nothing_in_it_survives_too() -> None:
    for made in (Prepared("a" * 32), Prepared("a" * 32, given_up="The source is out of order.")):
        assert_equal(decode_prepared(encode_prepared(made)), made)
    dropped = Prepared("a" * 32, entries=(entry(2, "", chunks=0),))
    assert decode_prepared(encode_prepared(dropped)).entries[0].chunks == ()


@given(words, st.booleans(), st.lists(st.tuples(words, st.integers(0, 99)), max_size=3))
def test_a_request_survives_being_staged(
    word: str, known: bool, remembered: list[tuple[str, int]]
) -> None:
    asked = (Asked(DocumentRef(word, f"{word}/a", word), "f", known),)
    request = Request(word, Portion(word, asked), tuple(remembered))
    again = decode_request(encode_request(request))
    assert again == request
    assert again.portion.id == request.portion.id


@pytest.mark.parametrize("made", [b"", b"{}", b"[]", b"\xff", b'{"format": 2}', b"[" * 100_000])
def test_what_is_no_request_is_refused(made: bytes) -> None:
    with pytest.raises(PreparedBroken):
        decode_request(made)


WHOLE = encode_prepared(PREPARED)


@given(st.integers(0, len(WHOLE) - 1))
def test_half_a_result_is_refused(length: int) -> None:
    with pytest.raises(PreparedBroken):
        decode_prepared(WHOLE[:length])


@given(st.integers(0, len(WHOLE) * 8 - 1))
def test_a_bit_that_fell_over_is_seen(bit: int) -> None:
    broken = bytearray(WHOLE)
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PreparedBroken):
        decode_prepared(bytes(broken))
