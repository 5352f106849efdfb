"""The measures, against values worked out by hand and against what must hold for any ranking."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.evaluation import MEASURES, distinct, ranking_figures

names = st.sampled_from("abcdefghij")
rankings = st.lists(names, max_size=15)
golds = st.dictionaries(names, st.integers(0, 3), min_size=1).filter(
    lambda gold: any(gain > 0 for gain in gold.values())
)


def figures(ranked: list[str], gold: dict[str, int]) -> dict[str, float]:
    return ranking_figures({"q": ranked}, {"q": gold})["q"]


def test_ndcg_is_what_a_pencil_says() -> None:
    gained = 2 / math.log2(2) + 0 / math.log2(3) + 3 / math.log2(4)
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)
    found = figures(["b", "x", "a"], {"a": 3, "b": 2, "c": 1})["ndcg_at_10"]
    assert found == pytest.approx(gained / ideal)
    assert found == pytest.approx(0.735007, abs=1e-6)


def test_recall_counts_the_relevant_documents_that_were_found() -> None:
    found = figures(["x", "a", "c", "b"], {"a": 1, "b": 1, "c": 0})
    assert (found["recall_at_1"], found["recall_at_5"]) == (0.0, 1.0)
    assert figures(["c", "x"], {"a": 1, "b": 1, "c": 0})["recall_at_10"] == 0.0
    twelve = [*"xxyzuvwrst", "k", "l", "a"]
    assert figures(twelve, {"a": 1})["recall_at_10"] == 0.0


def test_mrr_is_one_by_the_place_of_the_first_hit_among_ten() -> None:
    assert figures(["c", "x", "b", "a"], {"a": 1, "b": 1, "c": 0})["mrr_at_10"] == pytest.approx(
        1 / 3
    )
    assert figures([*"bcdefghijk", "a"], {"a": 1})["mrr_at_10"] == 0.0


def test_a_document_that_is_listed_twice_counts_once_at_its_first_place() -> None:
    gold = {"a": 1, "b": 1}
    assert distinct(["a", "a", "b", "a"]) == ["a", "b"]
    assert figures(["a", "a", "b"], gold)["ndcg_at_10"] == 1.0
    assert figures(["x", "x", "a"], gold)["mrr_at_10"] == 0.5
    assert figures(["a", "x", "x", "a"], gold)["mrr_at_10"] == 1.0


def test_a_question_without_a_relevant_document_is_refused() -> None:
    for gold in ({"q": {"a": 0}}, {"q": {"a": -1}}, {}):
        with pytest.raises(ValueError, match="relevant"):
            ranking_figures({"q": ["a"]}, gold)


def test_a_question_that_found_nothing_counts_as_zero_and_is_not_forgotten() -> None:
    found = ranking_figures({"q": [], "r": ["a"]}, {"q": {"a": 1}, "r": {"a": 1}})
    assert found == {"q": dict.fromkeys(MEASURES, 0.0), "r": dict.fromkeys(MEASURES, 1.0)}
    assert ranking_figures({}, {}) == {}


@given(rankings, golds)
def test_every_measure_lies_between_0_and_1_and_recall_only_grows(
    ranked: list[str], gold: dict[str, int]
) -> None:
    found = figures(ranked, gold)
    assert all(0.0 <= value <= 1.0 + 1e-9 for value in found.values())
    assert found["recall_at_1"] <= found["recall_at_5"] <= found["recall_at_10"]


@given(golds)
def test_the_ideal_order_has_an_ndcg_of_1(gold: dict[str, int]) -> None:
    ideal = sorted(gold, key=lambda name: -gold[name])
    assert figures(ideal, gold)["ndcg_at_10"] == pytest.approx(1.0)


@given(rankings, golds)
def test_moving_a_better_document_up_never_lowers_ndcg(
    ranked: list[str], gold: dict[str, int]
) -> None:
    order = distinct(ranked)
    for place in range(len(order) - 1):
        if gold.get(order[place + 1], 0) > gold.get(order[place], 0):
            better = [*order]
            better[place], better[place + 1] = order[place + 1], order[place]
            before, after = (figures(o, gold)["ndcg_at_10"] for o in (order, better))
            assert after >= before - 1e-12
