"""Which passages an answer is given to read, and which of them with their surroundings."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from index.context import (
    NEIGHBOURED,
    Decision,
    Fate,
    decided,
    in_reading_order,
    neighbour_places,
    with_surroundings,
)
from index.documents import Chunk, Passage

_SYLLABLES = "ba be bi bo bu da de di do du fa fe fi fo fu ga ge gi go gu".split()


def passage(name: str, document: str = "d", ordinal: int = 0, size: int = 40) -> Passage:
    """Return a passage of ``size`` characters that is like no other of another name."""
    word = "".join(_SYLLABLES[ord(one) % 20] for one in name)
    text = f"{word} ".ljust(size, "x" if name[-1] in "02468" else "y")[:size]
    return Passage(
        Chunk(name, document, ordinal, (), text, 0, size), "s", "t", "u", 0.5, 0.5, frozenset()
    )


def fates(decisions: Sequence[Decision]) -> dict[str, Fate]:
    return {one.passage.chunk.id: one.fate for one in decisions}


passages = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 400)), max_size=40).map(
    lambda rows: [passage(f"p{n}", f"d{d}", n, size) for n, (d, size) in enumerate(rows)]
)


@given(passages, st.integers(0, 1_000), st.integers(1, 4), st.integers(1, 10))
def test_a_context_keeps_its_limits_and_the_order(
    ranked: list[Passage], characters: int, per_document: int, limit: int
) -> None:
    decisions = decided(ranked, characters=characters, per_document=per_document, limit=limit)
    assert [one.passage for one in decisions] == ranked
    taken = [one.passage for one in decisions if one.fate is Fate.TAKEN]
    assert len(taken) <= limit
    assert sum(len(one.chunk.text) for one in taken) <= characters
    documents = [one.chunk.document_id for one in taken]
    assert all(documents.count(one) <= per_document for one in documents)
    above: list[Passage] = []
    for one in decisions:
        size = sum(len(other.chunk.text) for other in above) + len(one.passage.chunk.text)
        crowd = [other.chunk.document_id for other in above].count(one.passage.chunk.document_id)
        match one.fate:
            case Fate.TAKEN:
                above.append(one.passage)
            case Fate.TOO_LONG:
                assert size > characters
            case Fate.CROWDED:
                assert crowd == per_document
            case Fate.DUPLICATE:
                assert one.like in {other.chunk.id for other in above}
            case _:
                assert len(above) == limit
    read = in_reading_order(decisions)
    assert read == taken


def test_a_long_document_does_not_crowd_out_the_others() -> None:
    ranked = [passage(f"{name}0", "long") for name in "abcde"] + [passage("k1", "short")]
    decisions = decided(ranked, characters=1_000, per_document=3, limit=5)
    assert list(fates(decisions).values()) == [*[Fate.TAKEN] * 3, *[Fate.CROWDED] * 2, Fate.TAKEN]


def test_of_two_that_say_the_same_the_better_is_kept_and_takes_one_place() -> None:
    copy = Chunk("copy", "other", 0, (), passage("a0").chunk.text, 0, 40)
    ranked = [
        passage("a0"),
        Passage(copy, "s", "t", "u", 0.4, 0.4, frozenset()),
        passage("k1", "e"),
    ]
    decisions = decided(ranked, characters=1_000, per_document=3, limit=2)
    assert fates(decisions) == {"a0": Fate.TAKEN, "copy": Fate.DUPLICATE, "k1": Fate.TAKEN}
    assert decisions[1].like == "a0"


def test_the_best_are_read_between_what_stands_before_and_after_them() -> None:
    ranked = [passage("a0", "one", 4), passage("c0", "two", 0), passage("e0", "three", 7)]
    around = {
        ("one", 3): passage("f1", "one", 3),
        ("one", 5): passage("h1", "one", 5),
        ("two", 1): passage("j1", "two", 1),
        ("three", 8): passage("l1", "three", 8),
    }
    decisions = decided(ranked, characters=1_000, per_document=3, limit=3)
    assert NEIGHBOURED == 2
    assert neighbour_places(decisions) == [("one", 5), ("one", 3), ("two", 1)]
    read = in_reading_order(with_surroundings(decisions, around, characters=1_000))
    assert [one.chunk.id for one in read] == ["f1", "a0", "h1", "c0", "j1", "e0"]


def test_a_neighbour_never_takes_the_place_of_a_passage_that_was_found() -> None:
    ranked = [passage("a0", "one", 1, 40), passage("c0", "two", 1, 40)]
    around = {
        ("one", 2): passage("f1", "one", 2, 30),
        ("one", 0): passage("h1", "one", 0, 20),
        ("two", 2): passage("j1", "two", 2, 15),
    }
    decisions = decided(ranked, characters=115, per_document=3, limit=2)
    read = in_reading_order(with_surroundings(decisions, around, characters=115))
    assert [one.chunk.id for one in read] == ["a0", "f1", "c0"]
    assert sum(len(one.chunk.text) for one in read) <= 115


def test_a_neighbour_that_was_ranked_lower_is_read_beside_the_better_one() -> None:
    ranked = [passage("a0", "one", 1), passage("c0", "two", 0), passage("e0", "one", 2)]
    decisions = decided(ranked, characters=1_000, per_document=3, limit=2)
    assert fates(decisions)["e0"] is Fate.BELOW
    decisions = with_surroundings(decisions, {("one", 2): ranked[2]}, characters=1_000)
    assert fates(decisions)["e0"] is Fate.SURROUNDING and len(decisions) == 3
    assert [one.chunk.id for one in in_reading_order(decisions)] == ["a0", "e0", "c0"]


def test_a_neighbour_that_says_what_is_read_already_is_left_out() -> None:
    ranked = [passage("a0", "one", 1)]
    echo = Chunk("echo", "one", 2, (), ranked[0].chunk.text, 0, 40)
    decisions = decided(ranked, characters=1_000, per_document=3, limit=2)
    around = {("one", 2): Passage(echo, "s", "t", "u", 0.1, 0.1, frozenset())}
    assert with_surroundings(decisions, around, characters=1_000) == decisions


@given(passages, st.integers(0, 1_500), st.lists(st.integers(1, 300), max_size=6))
def test_surroundings_keep_the_budget_and_lose_nothing_that_was_taken(
    ranked: list[Passage], characters: int, sizes: list[int]
) -> None:
    decisions = decided(ranked, characters=characters, per_document=3, limit=8)
    places = neighbour_places(decisions)
    around = {
        place: passage(f"n{n}", place[0], place[1], size)
        for n, (place, size) in enumerate(zip(places, sizes, strict=False))
    }
    read = in_reading_order(with_surroundings(decisions, around, characters=characters))
    assert sum(len(one.chunk.text) for one in read) <= characters
    taken = [one.passage for one in decisions if one.fate is Fate.TAKEN]
    assert [one for one in read if one in taken] == taken
    assert len({one.chunk.id for one in read}) == len(read)
