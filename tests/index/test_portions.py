"""A plan is cut into portions that an interrupted run and the next one have in common."""

from hypothesis import given
from hypothesis import strategies as st

from index.documents import DocumentRef
from index.portions import Asked, Portion, portions

numbers = st.sets(st.integers(0, 5_000), max_size=400)
most = st.integers(1, 60)


def asked(number: int, fingerprint: str = "f", *, known: bool = False) -> Asked:
    return Asked(DocumentRef("docs", f"p{number}", "1"), fingerprint, known)


def cut(some: set[int], most: int) -> list[Portion]:
    return list(portions(map(asked, some), "recipe", most))


@given(numbers, most)
def test_every_document_is_in_exactly_one_portion_of_bounded_size(
    some: set[int], most: int
) -> None:
    made = cut(some, most)
    documents = [one.ref.location for portion in made for one in portion.asked]
    assert sorted(documents) == sorted(f"p{number}" for number in some)
    assert all(1 <= len(portion.asked) <= most for portion in made)


@given(numbers, most, st.randoms(use_true_random=False))
def test_the_order_of_a_listing_changes_nothing(
    some: set[int], most: int, random: st.DataObject
) -> None:
    shuffled = sorted(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert list(portions(map(asked, shuffled), "recipe", most)) == cut(some, most)


@given(numbers, most, st.data())
def test_portions_that_are_done_change_none_of_the_others(
    some: set[int], most: int, data: st.DataObject
) -> None:
    made = cut(some, most)
    done = data.draw(st.sets(st.integers(0, max(0, len(made) - 1))))
    left = [portion for place, portion in enumerate(made) if place not in done]
    numbers = {int(one.ref.location[1:]) for portion in left for one in portion.asked}
    assert cut(numbers, most) == left


def test_a_document_that_comes_or_goes_leaves_most_portions_as_they_are() -> None:
    before, after = cut(set(range(4_000)), 25), cut(set(range(1, 4_001)), 25)
    kept = {portion.id for portion in before} & {portion.id for portion in after}
    assert len(kept) > 0.9 * len(before)
    assert len(before) < 4_000 / 25 * 1.3


def test_an_id_is_that_of_the_documents_in_their_state_and_of_the_recipe() -> None:
    whole = Portion("recipe", (asked(1), asked(2)))
    others = [
        Portion("another", whole.asked),
        Portion("recipe", whole.asked[:1]),
        Portion("recipe", (asked(1), asked(2, "other rights"))),
        Portion("recipe", (asked(1), asked(2, known=True))),
    ]
    assert whole.id == Portion("recipe", (asked(1), asked(2))).id
    assert len({one.id for one in [whole, *others]}) == 5
