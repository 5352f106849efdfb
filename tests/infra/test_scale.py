"""The page of size says what its sum gives, and the sum rests on measured facts."""

from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from index import lance_upkeep, sync_committing
from infra import scale

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    text = scale.PAGE.read_text("utf-8")
    assert scale.with_tables(text) == text, "run `python -m infra.scale`"


def test_what_was_measured_says_where() -> None:
    places = {fact.measured for fact in scale.FACTS.values()} - {"", "AWS's manual"}
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_no_assumption_passes_for_a_measurement() -> None:
    assert not [fact.meaning for fact in scale.FACTS.values() if fact.quiet and not fact.measured]


def test_a_larger_index_takes_more_of_every_limit() -> None:
    for limit in scale.LIMITS:
        shares = [limit.share(size) for size in scale.SIZES]
        assert all(fewer < more for fewer, more in pairwise(shares)), limit.name


def test_a_limit_is_reached_where_its_share_becomes_one() -> None:
    for limit in scale.LIMITS:
        at = limit.reached_at()
        assert at is not None
        assert limit.share(at) >= 1 > limit.share(at - 1)


def test_the_first_limit_is_the_one_with_the_largest_share() -> None:
    for size in scale.SIZES:
        first = scale.first_limit(size)
        assert all(first.share(size) >= one.share(size) for one in scale.LIMITS)


def test_more_workers_are_no_use_once_the_writer_is_the_last() -> None:
    size = scale.SIZES[-1]
    alone, *_, most = (scale.first_sync_hours(size, workers) for workers in scale.WORKERS)
    assert most < alone
    assert scale.first_sync_hours(size, 1_000_000) == scale.writer_seconds(size) / 3_600


def test_commits_and_schedules_are_those_that_run() -> None:
    given = yaml.safe_load((ROOT / "serverless.yml").read_text("utf-8"))["params"]["default"]
    hours = {"rate(1 hour)": 1, "rate(6 hours)": 6}
    assert scale.f("sync_runs") == 720 / hours[given["syncRate"]]
    assert scale.f("maintain_runs") == 720 / hours[given["maintainRate"]]
    assert scale.f("commit_chunks") == sync_committing.COMMIT_CHUNKS
    assert scale.f("kept") == lance_upkeep.KEPT_ROWS
    assert scale.f("at_once") == lance_upkeep.AT_ONCE_ROWS


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"SCALE.md has lost the marks around its table of sizes"):
        scale.with_tables("# How far it goes\n")
