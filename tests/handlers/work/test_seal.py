"""Sealed text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.work.errors import BadSeal
from handlers.work.seal import Seal


@given(st.text(max_size=300))
def test_what_was_sealed_is_opened_by_the_same_secret_and_shows_nothing(text: str) -> None:
    sealed = Seal("signing secret").seal(text)
    assert Seal("signing secret").open(sealed) == text
    assert sealed.isascii()
    if len(text) > 8:
        assert text not in sealed


def test_another_secret_opens_nothing() -> None:
    with pytest.raises(BadSeal):
        Seal("b").open(Seal("a").seal("text"))


@given(st.text(max_size=60))
def test_what_was_never_sealed_is_refused(junk: str) -> None:
    with pytest.raises(BadSeal):
        Seal("a").open(junk)


@given(st.data())
def test_a_single_changed_character_is_noticed(data: st.DataObject) -> None:
    sealed = Seal("a").seal("a response_url")
    # The last letter before the padding holds bits that base64 does not use.
    at = data.draw(st.integers(0, len(sealed.rstrip("=")) - 2))
    changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
    with pytest.raises(BadSeal):
        Seal("a").open(changed)


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    seal = Seal("a")
    assert seal.seal("text") != seal.seal("text")


def test_a_seal_shows_no_secret_and_needs_one() -> None:
    assert "hidden" not in repr(Seal("hidden"))
    with pytest.raises(ValueError, match="secret"):
        Seal("")
