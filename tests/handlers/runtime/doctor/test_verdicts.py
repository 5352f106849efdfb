"""What `footnote doctor` makes of numbers and lists."""

from pathlib import Path

import pytest
import yaml

from bot.scopes import BOT_SCOPES
from handlers.runtime.doctor import verdicts
from handlers.runtime.doctor.findings import Finding, Verdict, failed, ok, skipped, warning, worst
from handlers.runtime.doctor.verdicts import QueueState

ROOT = Path(__file__).parents[4]
OK, WARNING, FAILED = Verdict.OK, Verdict.WARNING, Verdict.FAILED


def judged(finding: Finding) -> Verdict:
    """A finding that needs somebody says what to do, and one that does not says nothing of it."""
    assert finding.found.endswith((".", "”."))
    assert bool(finding.todo) == (finding.verdict in (WARNING, FAILED))
    return finding.verdict


@pytest.mark.parametrize(
    ("granted", "verdict"),
    [
        (BOT_SCOPES, OK),
        (BOT_SCOPES | {"files:read"}, OK),
        (BOT_SCOPES - {"chat:write"}, FAILED),
        (set(), FAILED),
        (None, WARNING),
    ],
)
def test_every_permission_of_the_manifest_is_needed(
    granted: set[str] | None, verdict: Verdict
) -> None:
    finding = verdicts.scopes_verdict("scopes", granted)
    assert judged(finding) is verdict
    if granted and "files:read" in granted:
        assert "files:read" in finding.found


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [(0.0, OK), (-29.0, OK), (31.0, WARNING), (-31.0, WARNING), (241.0, FAILED), (-1e6, FAILED)],
)
def test_a_clock_may_be_off_by_less_than_slacks_window(ahead: float, verdict: Verdict) -> None:
    assert judged(verdicts.clock_verdict("clock", ahead, "Slack")) is verdict


def test_a_clock_is_said_to_be_ahead_or_behind() -> None:
    assert "60 s ahead of" in verdicts.clock_verdict("clock", 60, "Slack").found
    assert "60 s behind" in verdicts.clock_verdict("clock", -60, "Slack").found


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (QueueState(0, 0), OK),
        (QueueState(900, 4, 20.0), OK),
        (QueueState(1, 0, 3600.0), WARNING),
    ],
)
def test_a_question_that_waits_for_long_is_pointed_out(state: QueueState, verdict: Verdict) -> None:
    assert judged(verdicts.queue_verdict("queue", state)) is verdict


@pytest.mark.parametrize(("dead", "verdict"), [(0, OK), (1, WARNING), (50, WARNING)])
def test_questions_that_were_given_up_are_pointed_out(dead: int, verdict: Verdict) -> None:
    assert judged(verdicts.dead_letters_verdict("dead letters", dead)) is verdict


@pytest.mark.parametrize(
    ("answer", "function", "verdict"),
    [(60, None, OK), (60, 120.0, OK), (110, 120.0, FAILED), (240, None, OK), (290, None, FAILED)],
)
def test_an_answer_must_fit_into_its_function_and_into_slacks_stream(
    answer: float, function: float | None, verdict: Verdict
) -> None:
    assert judged(verdicts.budget_verdict("budget", answer, function)) is verdict


def test_the_time_of_the_function_is_the_one_that_is_deployed() -> None:
    stack = yaml.safe_load((ROOT / "serverless.yml").read_text("utf-8"))
    assert stack["params"]["default"]["answerTimeout"] == verdicts.FUNCTION_SECONDS


@pytest.mark.parametrize(
    ("model", "price", "verdict"),
    [("", 0.0, Verdict.SKIPPED), ("m", 0.0, WARNING), ("m", 0.2, OK)],
)
def test_a_model_without_a_price_is_pointed_out(model: str, price: float, verdict: Verdict) -> None:
    assert judged(verdicts.price_verdict("price", model, price, 0.0)) is verdict


@pytest.mark.parametrize(
    ("documents", "synced", "changed", "verdict", "says"),
    [
        (0, 5.0, 5.0, WARNING, "no document"),
        (1, None, None, OK, "1 document in 9 passages."),
        (3, None, 90 * 86400.0, OK, "last changed 90 days ago"),
        (3, 60.0, 90 * 86400.0, OK, "in step 60 s ago"),
        (3, 30 * 86400.0, 30 * 86400.0, WARNING, "in step 30 days ago"),
    ],
)
def test_an_empty_or_forgotten_index_is_pointed_out(
    documents: int, synced: float | None, changed: float | None, verdict: Verdict, says: str
) -> None:
    finding = verdicts.index_verdict("index", documents, 9, synced=synced, changed=changed)
    assert judged(finding) is verdict
    assert says in finding.found


@pytest.mark.parametrize(("names", "verdict"), [([], WARNING), (["a"], OK), (["a"] * 9, OK)])
def test_a_bot_in_no_channel_is_pointed_out(names: list[str], verdict: Verdict) -> None:
    assert judged(verdicts.channels_verdict("channels", names, 0)) is verdict


def test_of_many_channels_a_few_are_named_and_shared_ones_counted() -> None:
    names = [f"c{n}" for n in range(8)]
    found = verdicts.channels_verdict("channels", names, 2).found
    assert "#c0, #c1, #c2, #c3, #c4 and 3 more" in found
    assert "2 shared" in found


def test_the_worst_verdict_counts_and_what_was_skipped_does_not() -> None:
    assert worst([]) is OK
    assert worst([skipped("a", "Why.")]) is OK
    assert worst([ok("a", "x"), warning("b", "x", "y"), skipped("c", "Why.")]) is WARNING
    assert worst([failed("a", "x", "y"), warning("b", "x", "y")]) is FAILED
