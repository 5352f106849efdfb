"""The measures, against values worked out by hand and against what must hold for any ranking."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.evaluation import distinct, mrr_at, ndcg_at, percentile, recall_at

names = st.sampled_from("abcdefghij")
rankings = st.lists(names, max_size=15)
golds = st.dictionaries(names, st.sampled_from([0.0, 1.0, 2.0, 3.0]), min_size=1).filter(
    lambda gold: any(gain > 0 for gain in gold.values())
)
depths = st.integers(1, 12)


def test_ndcg_is_what_a_pencil_says() -> None:
    gold = {"a": 3.0, "b": 2.0, "c": 1.0}
    ranked = ["b", "x", "a"]
    gained = 2 / math.log2(2) + 0 / math.log2(3) + 3 / math.log2(4)
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)
    assert ndcg_at(ranked, gold, 10) == pytest.approx(gained / ideal)
    assert ndcg_at(ranked, gold, 10) == pytest.approx(0.735007, abs=1e-6)
    assert ndcg_at(ranked, gold, 1) == pytest.approx(2 / 3)


def test_recall_counts_the_relevant_documents_that_were_found() -> None:
    gold = {"a": 1.0, "b": 1.0, "c": 0.0}
    assert recall_at(["x", "a", "c", "b"], gold, 2) == 0.5
    assert recall_at(["x", "a", "c", "b"], gold, 4) == 1.0
    assert recall_at(["c", "x"], gold, 10) == 0.0


def test_mrr_is_one_by_the_place_of_the_first_hit() -> None:
    gold = {"a": 1.0, "b": 1.0, "c": 0.0}
    assert mrr_at(["c", "x", "b", "a"], gold, 10) == pytest.approx(1 / 3)
    assert mrr_at(["c", "x", "b", "a"], gold, 2) == 0.0


def test_a_document_that_is_listed_twice_counts_once_at_its_first_place() -> None:
    gold = {"a": 1.0, "b": 1.0}
    assert distinct(["a", "a", "b", "a"]) == ["a", "b"]
    assert recall_at(["a", "a", "b"], gold, 2) == 1.0
    assert ndcg_at(["a", "a", "b"], gold, 10) == 1.0
    assert mrr_at(["x", "x", "a"], gold, 2) == 0.5


def test_a_question_without_a_relevant_document_is_refused() -> None:
    for measure in (recall_at, ndcg_at, mrr_at):
        with pytest.raises(ValueError, match="relevant"):
            measure(["a"], {"a": 0.0}, 10)


@given(rankings, golds, depths)
def test_every_measure_lies_between_0_and_1_and_recall_only_grows(
    ranked: list[str], gold: dict[str, float], k: int
) -> None:
    for measure in (recall_at, ndcg_at, mrr_at):
        assert 0.0 <= measure(ranked, gold, k) <= 1.0 + 1e-9
    assert recall_at(ranked, gold, k) <= recall_at(ranked, gold, k + 1)
    assert mrr_at(ranked, gold, k) <= mrr_at(ranked, gold, k + 1)


@given(golds, depths)
def test_the_ideal_order_has_an_ndcg_of_1(gold: dict[str, float], k: int) -> None:
    ideal = sorted(gold, key=lambda name: -gold[name])
    assert ndcg_at(ideal, gold, k) == pytest.approx(1.0)


@given(rankings, golds, depths)
def test_moving_a_better_document_up_never_lowers_ndcg(
    ranked: list[str], gold: dict[str, float], k: int
) -> None:
    order = distinct(ranked)
    for place in range(len(order) - 1):
        if gold.get(order[place + 1], 0.0) > gold.get(order[place], 0.0):
            better = [*order]
            better[place], better[place + 1] = order[place + 1], order[place]
            assert ndcg_at(better, gold, k) >= ndcg_at(order, gold, k) - 1e-12


def test_percentiles_interpolate_between_neighbours() -> None:
    values = [4.0, 1.0, 3.0, 2.0]
    assert percentile(values, 0) == 1.0
    assert percentile(values, 50) == 2.5
    assert percentile(values, 95) == pytest.approx(3.85)
    assert percentile(values, 100) == 4.0
    assert percentile([7.0], 95) == 7.0
    for wrong in (([], 50.0), ([1.0], -1.0), ([1.0], 101.0)):
        with pytest.raises(ValueError, match="percentile"):
            percentile(*wrong)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100), st.floats(0, 100))
def test_percentiles_lie_within_the_values_and_rise(
    values: list[float], one: float, other: float
) -> None:
    low, high = percentile(values, min(one, other)), percentile(values, max(one, other))
    assert min(values) - 1e-6 <= low <= high + 1e-6 <= max(values) + 2e-6
