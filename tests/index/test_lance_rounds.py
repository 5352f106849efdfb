"""How often a search waits for the storage: what overlaps is one round, what follows is another."""

import pytest

from tests.doubles.request_rounds import Passed, rounds_of, told


def request(began: float, ended: float, path: str = "/bucket/table/data/1.lance") -> Passed:
    return Passed("GET", path, began, ended, 1_000)


@pytest.mark.parametrize(
    ("spans", "rounds"),
    [
        ([], []),
        ([(0, 2), (1, 3)], [2]),
        ([(0, 1), (1, 2), (2, 3)], [1, 1, 1]),
        # One that takes long hides nothing: the others still waited for each other.
        ([(0, 9), (1, 2), (3, 4), (5, 6)], [2, 1, 1]),
        ([(5, 6), (0, 1)], [1, 1]),
    ],
)
def test_a_round_is_what_overlaps(spans: list[tuple[float, float]], rounds: list[int]) -> None:
    assert [len(one) for one in rounds_of(request(*span) for span in spans)] == rounds


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/b?list-type=2&prefix=a%2Ft.lance%2F_versions%2F&max-keys=1", "GET list _versions"),
        ("/b?list-type=2", "GET list"),
        ("/b/t.lance/_versions/18446744073709551614.manifest", "GET manifest"),
        ("/b/t.lance/data/0110.lance", "GET rows"),
        ("/b/t.lance/_indices/0a1b-2c/page_data.lance", "GET index page_data.lance"),
        ("/b/t.lance/_deletions/1-2.arrow", "GET deletions"),
        ("/b/t.lance/something", "GET other"),
    ],
)
def test_a_request_says_what_it_asks_for(path: str, kind: str) -> None:
    assert request(0, 1, path).kind == kind


def test_rounds_are_told_in_order_with_their_kinds() -> None:
    lines = told(rounds_of([request(2.0, 2.02), request(2.0, 2.03), request(2.5, 2.6, "/b/?x")]))
    assert len(lines) == 2
    assert lines[0].split() == "1 0 ms 2 kB 2 GET rows".split()
    assert lines[1].split() == "2 500 ms 1 kB 1 GET list".split()
