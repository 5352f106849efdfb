import numpy as np
import pytest

from index.follow_ups import HEAVIEST, standalone_text, standalone_vector, weighted_turns
from tests.doubles.hashing_embedder import HashingEmbedder

LEAVE = "How long is my leave?"


@pytest.mark.parametrize(
    "question",
    ["How early do I have to announce it?", "And in my first year?", "What about those?"],
)
def test_a_question_with_few_words_of_its_own_goes_on_from_the_turn_before(question: str) -> None:
    assert standalone_text(question, ["first", LEAVE]) == f"{question} {LEAVE}"


@pytest.mark.parametrize(
    "question",
    ["Which countries in Europe allow remote work for contractors this winter?", ""],
)
def test_a_question_that_stands_alone_stays_as_it_is(question: str) -> None:
    assert standalone_text(question, [] if not question else [LEAVE]) == question


def test_the_more_words_a_question_has_the_less_earlier_turns_weigh() -> None:
    def weight(question: str) -> float:
        return weighted_turns(question, [LEAVE])[0][1]

    assert weight("why?") == HEAVIEST
    assert weight("remote work") > weight("remote work from abroad in winter") > 0
    latest, before = weighted_turns("remote work", ["first turn", LEAVE])
    assert latest[0] == LEAVE and latest[1] > before[1] > 0


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
