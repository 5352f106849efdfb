"""Fusion of the two arms."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents import Chunk, Passage
from index.ports import Candidate
from index.ranking import fuse, other_documents


def candidate(name: str, similarity: float, keyword: float, document: str = "d") -> Candidate:
    chunk = Chunk(name, document, 0, (), f"text of {name}", 0, len(name) + 8)
    return Candidate(
        chunk=chunk,
        source="s",
        title="t",
        url="u",
        readers=frozenset({"r"}),
        updated_at=None,
        similarity=similarity,
        keyword=keyword,
    )


def passage(name: str, document: str, size: int) -> Passage:
    chunk = Chunk(name, document, 0, (), "x" * size, 0, size)
    return Passage(chunk, "s", "t", "u", 0.5, 0.5, frozenset())


scores = st.floats(-1.0, 1.0)
candidates = st.lists(st.tuples(scores, st.floats(0.0, 40.0)), max_size=30).map(
    lambda pairs: [candidate(f"c{n}", s, k) for n, (s, k) in enumerate(pairs)]
)
passages = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 400)), max_size=40).map(
    lambda rows: [passage(f"p{n}", f"d{d}", size) for n, (d, size) in enumerate(rows)]
)


def test_each_arm_is_divided_by_its_best_score_of_the_query() -> None:
    both = candidate("both", 0.4, 6.0)
    near = candidate("near", 0.8, 0.0)
    word = candidate("word", 0.2, 12.0)
    ranked = fuse([both, near, word], keyword_weight=0.5, coverage_weight=0.0)
    assert [one.chunk.id for one in ranked] == ["word", "both", "near"]
    assert [one.score for one in ranked] == pytest.approx([0.625, 0.5, 0.5])
    assert [one.similarity for one in ranked] == [0.2, 0.4, 0.8]


def test_the_weight_moves_the_ranking_from_one_arm_to_the_other() -> None:
    near, word = candidate("near", 0.8, 1.0), candidate("word", 0.4, 2.0)
    assert [one.chunk.id for one in fuse([word, near], keyword_weight=0.0)] == ["near", "word"]
    assert [one.chunk.id for one in fuse([near, word], keyword_weight=1.0)] == ["word", "near"]
    with pytest.raises(ValueError, match="keyword_weight"):
        fuse([], keyword_weight=1.5)


def test_an_arm_that_found_nothing_does_not_decide() -> None:
    alone = {"keyword_weight": 0.5, "coverage_weight": 0.0}
    ranked = fuse([candidate("b", 0.3, 0.0), candidate("a", 0.6, 0.0)], **alone)
    assert [(one.chunk.id, one.score) for one in ranked] == [("a", 0.5), ("b", 0.25)]
    assert [one.score for one in fuse([candidate("x", -0.5, 0.0)])] == [0.0]
    assert fuse([]) == []


@given(candidates, st.floats(0.0, 1.0))
def test_a_ranking_keeps_every_candidate_once_in_descending_score(
    found: list[Candidate], weight: float
) -> None:
    ranked = fuse(found, keyword_weight=weight)
    assert sorted(one.chunk.id for one in ranked) == sorted(one.chunk.id for one in found)
    assert all(0.0 <= one.score <= 1.0 for one in ranked)
    assert all(
        above.score > below.score
        or (above.score == below.score and above.chunk.id < below.chunk.id)
        for above, below in itertools.pairwise(ranked)
    )
    assert ranked == fuse(found[::-1], keyword_weight=weight)


@given(candidates, st.floats(0.01, 100.0))
def test_the_scale_of_the_keyword_scores_means_nothing(
    found: list[Candidate], factor: float
) -> None:
    scaled = [candidate(one.chunk.id, one.similarity, one.keyword * factor) for one in found]
    before = {one.chunk.id: one.score for one in fuse(found)}
    after = {one.chunk.id: one.score for one in fuse(scaled)}
    assert all(math.isclose(before[name], after[name], abs_tol=1e-6) for name in before)


@given(candidates)
def test_a_candidate_that_wins_in_both_arms_comes_first(found: list[Candidate]) -> None:
    best = candidate("best", 1.0, 50.0)
    assert fuse([*found, best])[0].chunk.id == "best"


@given(passages, st.integers(0, 5))
def test_related_pages_are_distinct_and_not_yet_shown(ranked: list[Passage], limit: int) -> None:
    taken = ranked[:3]
    related = other_documents(ranked, taken, limit=limit)
    shown = {one.chunk.document_id for one in taken}
    documents = [one.chunk.document_id for one in related]
    assert len(set(documents)) == len(documents) <= limit
    assert not shown & set(documents)
    everywhere = {one.chunk.document_id for one in ranked} - shown
    assert len(documents) == min(limit, len(everywhere))
