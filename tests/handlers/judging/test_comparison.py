"""`--against`: a planted loss is found, equal runs pass, and what differs is named."""

import dataclasses
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers.judging.comparison import FORMAT, compare, read_report
from handlers.judging.errors import ReportUnreadable
from handlers.judging.judge import Judged
from handlers.judging.recipe import configuration
from handlers.judging.summary import SetReport, macro, summarised
from index.evaluation import ranking_figures
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.handlers.judging.conftest import make_judged

Rank = Callable[[int], list[str]]
PAGES = [f"page {n}" for n in range(20)]


def good(question: int) -> list[str]:
    """The gold page at place one to three."""
    others = [page for page in PAGES if page != "page 0"]
    return [*others[: question % 3], "page 0", *others[question % 3 :]]


def shuffled(question: int) -> list[str]:
    return random.Random(question).sample(PAGES, len(PAGES))


def judged(
    rank: Rank, n: int = 40, evidence: Callable[[int], float] = lambda q: 0.5 + q / 100
) -> list[Judged]:
    found = []
    for question in range(n):
        values = ranking_figures({"q": rank(question)}, {"q": {"page 0": 1}})["q"]
        values |= {"answered": 1.0, "decision": 1.0}
        found.append(make_judged(f"q{question}", values, evidence=evidence(question)))
    for question in range(n):
        values = {"refused": float(question % 2), "decision": float(question % 2)}
        found.append(
            make_judged(f"u{question}", values, impossible=True, evidence=evidence(-question))
        )
    return found


def report(rank: Rank = good, *, name: str = "tiny", **more: Any) -> SetReport:
    return summarised(name, judged(rank, **more), documents=20, chunks=20, index_version=1)


def block(**changed: object) -> dict[str, object]:
    made = configuration(
        embedder=HashingEmbedder(),
        precision={},
        model="",
        sampling={},
        settings={},
        run={},
        sets={"tiny": {"content": "ab"}},
    )
    return made | changed


def earlier(*sets: SetReport, configured: dict[str, object] | None = None) -> dict[str, Any]:
    plain = [dataclasses.asdict(one) for one in sets]
    written = {"format": FORMAT, "configuration": configured or block(), "sets": plain}
    result: dict[str, Any] = json.loads(json.dumps(written))
    return result


def test_equal_runs_show_no_difference_at_all() -> None:
    found = compare(earlier(report()), [report()], block())
    assert not found.losses
    assert not found.gains
    assert not found.changes
    assert not found.notes
    assert {one.figure for one in found.figures} >= {"ndcg_at_10", "decision", "auc", "refused"}


def test_a_shuffled_ranking_is_a_real_loss_and_the_way_back_a_real_gain() -> None:
    found = compare(earlier(report()), [report(shuffled)], block())
    assert {"ndcg_at_10", "mrr_at_10", "recall_at_5"} <= {one.figure for one in found.losses}
    assert not found.gains
    lost = next(one for one in found.losses if one.figure == "ndcg_at_10")
    assert lost.before == pytest.approx(report().figures["ndcg_at_10"].mean)
    assert lost.after == pytest.approx(report(shuffled).figures["ndcg_at_10"].mean)
    assert lost.difference.low <= lost.difference.mean <= lost.difference.high < 0
    back = compare(earlier(report(shuffled)), [report()], block())
    assert not back.losses
    assert "ndcg_at_10" in {one.figure for one in back.gains}


def test_evidence_that_no_longer_parts_the_questions_is_a_real_loss() -> None:
    found = compare(earlier(report()), [report(evidence=lambda q: 0.5 + abs(q) / 100)], block())
    assert {one.figure for one in found.losses} == {"auc", "refused_at_5"}


def test_one_worse_question_is_no_real_loss() -> None:
    found = compare(earlier(report()), [report(lambda q: good(q if q else 2))], block())
    assert any(one.difference.mean < 0 for one in found.figures)
    assert not found.losses


def test_only_the_questions_of_both_runs_are_compared_and_that_is_said() -> None:
    found = compare(earlier(report(n=40)), [report(n=30)], block())
    assert found.notes == (
        "tiny: the questions differ; compared are the 60 that both reports hold, of 80 before and"
        " 60 now.",
    )
    assert not found.losses
    assert {one.difference.n for one in found.figures if one.figure == "ndcg_at_10"} == {30}


def test_a_question_whose_words_changed_is_not_the_same_question() -> None:
    before = earlier(report())
    before["sets"][0]["questions"][0]["question"] = "Something else?"
    found = compare(before, [report()], block())
    assert "compared are the 79" in found.notes[0]


def test_sets_that_only_one_run_has_are_named_and_nothing_shared_is_an_error() -> None:
    found = compare(earlier(report(), report(name="old")), [report(), report(name="new")], block())
    assert [note.split()[0] for note in found.notes] == ["new", "old"]
    with pytest.raises(ReportUnreadable, match="shares no judged question"):
        compare(earlier(report(name="old")), [report()], block())


def test_every_part_of_the_recipe_that_changed_is_named() -> None:
    before = block()
    now: Any = json.loads(json.dumps(before))
    now["fusion"]["KEYWORD_WEIGHT"] = 0.0
    now["turns"]["TURN_WEIGHT"] = 0.1
    now["chunker"]["RECIPE"] = "other-2"
    now["prompts"]["answer_prompt.md"] = "0" * 12
    now["keyword analysis"] = "letters-1"
    now["embedder"] = "another"
    now["model"] = "gpt-x"
    now["package"] = "9.9.9"
    now["date"] = "2001-01-01"
    now["sets"]["tiny"]["content"] = "cd"
    now["run"]["limit"] = 40
    found = compare(earlier(report(), configured=before), [report()], now)
    assert {change.name for change in found.changes} == {
        *("fusion KEYWORD_WEIGHT", "turns TURN_WEIGHT", "chunker RECIPE", "keyword analysis"),
        *("prompts answer_prompt.md", "embedder", "model", "package", "sets tiny content"),
        "run limit",
    }
    weight = next(one for one in found.changes if one.name == "fusion KEYWORD_WEIGHT")
    assert (weight.before, weight.after) == (before["fusion"]["KEYWORD_WEIGHT"], 0.0)  # type: ignore[index]


def with_figure(value: object, *, nameless: bool = False) -> str:
    """Return a report of one question."""
    one: dict[str, Any] = {"questions": [{"id": 1, "values": {"a": value}, "evidence": None}]}
    one |= {} if nameless else {"name": "x"}
    return json.dumps({"format": FORMAT, "configuration": {}, "sets": [one]})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "is no report"),
        ('{"sets": []}', "is no report"),
        (json.dumps({"format": FORMAT}), "lacks a part"),
        (json.dumps({"format": FORMAT, "configuration": {}, "sets": [{"name": "x"}]}), "lacks"),
        (with_figure("b"), "lacks"),
        (with_figure(float("nan")), "lacks"),
        (with_figure(10**400), "lacks"),
        (with_figure(1.0, nameless=True), "lacks"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_report_is_refused_in_a_sentence(
    tmp_path: Path, content: str | None, says: str
) -> None:
    path = tmp_path / "before.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ReportUnreadable, match=says):
        read_report(path)


def test_the_mean_of_sets_counts_each_the_same_and_has_an_interval() -> None:
    one, other = report(), report(shuffled, name="other", n=10)
    found = macro([one, other])["ndcg_at_10"]
    figures = [each.figures["ndcg_at_10"] for each in (one, other)]
    assert found.mean == pytest.approx(sum(each.mean for each in figures) / 2)
    widest = max(each.high - each.low for each in figures)
    assert widest / 2 <= found.high - found.low < widest
    assert macro([one]) == {}


def test_balanced_accuracy_is_the_mean_of_both_kinds_and_needs_both() -> None:
    assert report().figures["decision"].mean == 0.75
    only = [one for one in judged(good) if not one.asked.impossible]
    found = summarised("x", only, documents=1, chunks=1, index_version=1)
    assert not {"decision", "auc", "refused"} & found.figures.keys()


def test_effort_is_told_of_the_questions_that_were_timed() -> None:
    effort = report().effort
    assert (effort["retrieval_p50_ms"], effort["whole_p95_ms"]) == (100.0, 200.0)
    assert effort["timed"] == 80
    assert effort["cost"] is None
