import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents import Chunk
from index.keywords import (
    LONGEST_TOKEN,
    PAIR_WEIGHT,
    TITLE_TIMES,
    coverage,
    keyword_text,
    pairs,
    terms,
    wanted,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("entitlements", "entitlement"),
        ("Vacation", "vacations"),
        ("café", "CAFE"),
        ("running", "runs"),
    ],
)
def test_inflections_and_accents_of_a_word_are_one_term(one: str, other: str) -> None:
    assert terms(one) == terms(other)


@pytest.mark.parametrize("name", ["getUserName", "get_user_name", "GetUserName"])
def test_an_identifier_is_found_by_its_name_and_by_its_parts(name: str) -> None:
    assert set(terms(name)) == {name.casefold(), "user", "name"}


def test_words_that_every_text_has_are_left_out_but_not_names_in_capitals() -> None:
    assert terms("What is it that we do with this?") == []
    assert terms("Does IT pay in the US?") == ["it", "pay", "us"]


def test_neighbours_are_a_pair_across_the_words_left_out() -> None:
    assert pairs("the end of the year") == ["end_year"]
    assert pairs("year") == []


def test_scripts_without_spaces_are_read_character_by_character() -> None:
    assert terms("年次休暇") == list("年次休暇")
    assert pairs("休暇") == ["休_暇"]


def test_the_title_counts_more_than_the_text() -> None:
    chunk = Chunk("c", "d", 0, ("Outer",), "some leave", 0, 10)
    tokens = keyword_text("Holiday", chunk).split()
    assert tokens.count("holiday") == TITLE_TIMES
    assert tokens.count("leav") == tokens.count("outer") == 1


@given(st.text(alphabet=string.printable + "äöß漢字éИ", max_size=400))
def test_a_token_is_short_and_holds_no_white_space(text: str) -> None:
    for token in (*terms(text), *pairs(text)):
        assert token.strip() == token != ""
        assert len(token.split()) == 1
        assert len(token) <= LONGEST_TOKEN


def test_the_words_of_earlier_turns_weigh_less_unless_they_are_asked_for_again() -> None:
    found = wanted("remote work", [("parental leave", 0.4), ("work abroad", 0.2)])
    assert found.terms == {"remot": 1.0, "work": 1.0, "parent": 0.4, "leav": 0.4, "abroad": 0.2}
    assert found.pairs["remot_work"] == PAIR_WEIGHT
    assert found.pairs["parent_leav"] == PAIR_WEIGHT * 0.4
    assert sum(map(len, found.by_weight().values())) == len(found.terms) + len(found.pairs)


def test_a_chunk_with_the_rare_words_covers_more_than_one_with_the_common_ones() -> None:
    held = [frozenset({"common"})] * 50 + [frozenset({"rare"}), frozenset({"rare", "common"})]
    shares = coverage({"rare": 1.0, "common": 1.0}, held, 1000)
    assert 0 < shares[0] < shares[50] < shares[51] == pytest.approx(1.0)
    assert coverage({}, held, 1000) == [0.0] * len(held)
