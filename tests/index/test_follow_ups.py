import numpy as np
import pytest

from index.follow_ups import points_back, standalone_text, standalone_vector
from tests.doubles.hashing_embedder import HashingEmbedder


@pytest.mark.parametrize(
    "question",
    ["How early do I have to announce it?", "And in my first year?", "What about those?"],
)
def test_a_question_that_points_back_is_searched_with_the_turn_before_it(question: str) -> None:
    assert points_back(question)
    assert standalone_text(question, ["first", "How long is my leave?"]) == (
        f"{question} How long is my leave?"
    )


@pytest.mark.parametrize("question", ["Which countries are allowed?", "Italy's limit", ""])
def test_a_question_that_stands_alone_stays_as_it_is(question: str) -> None:
    assert standalone_text(question, ["How long is my leave?"]) == question


def test_earlier_turns_pull_the_vector_towards_them_and_later_ones_pull_more() -> None:
    embedder = HashingEmbedder()
    asked = standalone_vector(embedder, "which countries", ["holiday pay", "parental leave"])
    alone = embedder.embed_query("which countries")
    near, far = embedder.embed_query("parental leave"), embedder.embed_query("holiday pay")
    assert np.linalg.norm(asked) == pytest.approx(1.0, abs=1e-6)
    assert asked @ near > alone @ near
    assert asked @ near > asked @ far


def test_turns_without_words_change_nothing() -> None:
    embedder = HashingEmbedder()
    alone = standalone_vector(embedder, "which countries", [])
    assert np.allclose(standalone_vector(embedder, "which countries", ["", "  "]), alone)
