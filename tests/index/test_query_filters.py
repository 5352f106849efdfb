"""Filters that a question names are understood, and questions that name none are left alone."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.query_filters import may_name_sources, understood
from index.within import EVERYTHING, Within

TODAY = date(2026, 11, 22)  # a Sunday
SOURCES = {"Handbook", "Human Resources", "general", "slack:travel"}


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "text", "since", "before"),
    [
        ("What has changed since May?", "What has changed?", "2026-05-01", None),
        ("what changed since december", "what changed", "2025-12-01", None),
        ("What is new since 3 May 2025?", "What is new?", "2025-05-03", None),
        ("updates since May 3, 2026 about travel", "updates about travel", "2026-05-03", None),
        ("Since May, what has changed?", "what has changed?", "2026-05-01", None),
        ("travel policy since 2025-05-01", "travel policy", "2025-05-01", None),
        ("travel policy since:2025-05", "travel policy", "2025-05-01", None),
        ("Who may travel? before:2024-06", "Who may travel?", None, "2024-06-01"),
        ("changes before June 2024", "changes", None, "2024-06-01"),
        ("changes since May 2024 before June 2024", "changes", "2024-05-01", "2024-06-01"),
        ("What changed last week?", "What changed?", "2026-11-09", None),
        ("What was announced last month?", "What was announced?", "2026-10-01", None),
        ("holiday news from last year", "holiday news", "2025-01-01", None),
        ("What is new this week?", "What is new?", "2026-11-16", None),
        ("news in the last 30 days", "news", "2026-10-23", None),
        ("what was decided in the past 2 weeks?", "what was decided?", "2026-11-08", None),
        ("changes over the last 3 months", "changes", "2026-08-22", None),
        ("What happened since yesterday?", "What happened?", "2026-11-21", None),
        ("Was ist neu seit Mai?", "Was ist neu?", "2026-05-01", None),
        ("Was hat sich letzte Woche geändert?", "Was hat sich geändert?", "2026-11-09", None),
        ("Änderungen in den letzten 3 Monaten", "Änderungen", "2026-08-22", None),
        ("Änderungen vor Juni 2024", "Änderungen", None, "2024-06-01"),
        ("Neuigkeiten seit dem 1.5.2026", "Neuigkeiten", "2026-05-01", None),
        ("Reisekosten seit März", "Reisekosten", "2026-03-01", None),
    ],
)
def test_the_age_of_pages_is_understood_and_taken_out_of_the_question(
    question: str, text: str, since: str | None, before: str | None
) -> None:
    found = understood(question, today=TODAY)
    assert found.text == text
    assert found.within == Within(
        since=day(since) if since else None, before=day(before) if before else None
    )


@pytest.mark.parametrize(
    "question",
    [
        "What happened in 1973?",
        "How long since last payment?",
        "Who has led the team since May?",
        "What was the revenue last year?",
        "What was last year's revenue? What is new in it?",
        "How many people have joined since 2019?",
        "What has changed since 1973?",
        "What has changed since Jan left?",
        "What has changed since 2026-02-31?",
        "What has changed since 2030?",
        "Who had joined New York before June 2024?",
        "Was wurde vor 3 Wochen geändert?",
        "When is the last week of the term?",
        "Is the deadline before May?",
        "What has changed since:tomorrow",
        "  two  spaces,   kept as they are ",
        "",
        "?",
    ],
)
def test_what_is_no_filter_stays_in_the_question(question: str) -> None:
    found = understood(question, today=TODAY, sources=SOURCES)
    assert (found.text, found.within) == (question, EVERYTHING)


@pytest.mark.parametrize(
    ("question", "text", "sources"),
    [
        ("source:handbook travel", "travel", {"Handbook"}),
        ("What is new in source:Handbook?", "What is new?", {"Handbook"}),
        ('leave source:"human resources"', "leave", {"Human Resources"}),
        ("Who approves trips in #general?", "Who approves trips?", {"general"}),
        ("Who approves trips in <#C0123ABC|travel>?", "Who approves trips?", {"slack:travel"}),
        ("Reisekosten im Kanal #travel", "Reisekosten", {"slack:travel"}),
        ("leave source:handbook in #general", "leave", {"Handbook", "general"}),
        ("leave source:unknown", "leave source:unknown", None),
        ("leave in #unknown", "leave in #unknown", None),
        ("leave source:travel", "leave source:travel", None),
        ("is #general the place?", "is #general the place?", None),
    ],
)
def test_a_source_is_understood_if_there_is_one_of_that_name(
    question: str, text: str, sources: set[str] | None
) -> None:
    found = understood(question, today=TODAY, sources=SOURCES)
    assert found.text == text
    assert found.within == Within(sources=frozenset(sources) if sources else None)


def test_names_are_wanted_only_where_a_question_may_mean_one() -> None:
    assert may_name_sources("source:handbook leave")
    assert may_name_sources("what was said in #general")
    assert not may_name_sources("What is the source of the leave policy?")


def test_a_question_of_nothing_but_filters_is_searched_for_as_it_stands() -> None:
    found = understood("since May", today=TODAY)
    assert found.text == "since May" and found.within.since == day("2026-05-01")


def test_the_end_of_february_is_found_two_months_before_the_end_of_april() -> None:
    found = understood("news in the last 2 months", today=date(2026, 4, 30))
    assert found.within.since == day("2026-02-28")
    assert understood("news last month", today=date(2026, 1, 31)).within.since == day("2025-12-01")


@given(st.text(max_size=200), st.dates(date(2001, 1, 1), date(2100, 1, 1)))
def test_no_text_is_too_odd_and_no_date_lies_ahead(question: str, today: date) -> None:
    found = understood(f"news {question}", today=today, sources=SOURCES)
    moments = [one for one in (found.within.since, found.within.before) if one]
    assert all(one.date() <= today for one in moments)
    assert found.text


def test_a_long_question_costs_no_more_than_its_length() -> None:
    for part in (" ", "in the last ", "since ", "source:", "in <#", "1 May ", "? "):
        text = f"news since May {part * (40_000 // len(part))}x"
        assert understood(text, today=TODAY, sources=SOURCES).text


def test_limits_admit_what_lies_inside_and_say_so() -> None:
    within = Within(frozenset({"b", "a", "c"}), day("2026-05-01"), day("2026-06-01"))
    assert within.admits("a", day("2026-05-01"))
    assert not within.admits("a", day("2026-06-01"))
    assert not within.admits("d", day("2026-05-02"))
    assert not within.admits("a", None)
    assert Within(frozenset({"a"})).admits("a", None)
    assert EVERYTHING.admits("anything", None) and EVERYTHING.in_words() == ()
    assert within.in_words() == (
        "only from a, b and c",
        "only pages updated since 2026-05-01",
        "only pages updated before 2026-06-01",
    )
