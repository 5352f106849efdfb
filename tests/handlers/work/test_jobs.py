"""Jobs as JSON: what is queued today is read by the version of tomorrow, and vice versa."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import Mention, Place
from handlers.work.errors import BadJob
from handlers.work.jobs import (
    LATEST,
    AgentJob,
    AnswerJob,
    PrepareJob,
    SyncJob,
    decode,
    encode,
)

JOB = AnswerJob("T1", "C1", "U1", "1.1", "1.0", "channel", "sealed", "trace", 1.5)

answer_jobs = st.builds(
    AnswerJob,
    team=st.text(),
    channel=st.text(),
    user=st.text(),
    ts=st.text(),
    thread_ts=st.text(),
    place=st.sampled_from([place.value for place in Place]),
    sealed=st.text(),
    trace=st.text(),
    accepted_at=st.floats(0.0, LATEST),
)


sync_jobs = st.builds(SyncJob, source=st.text(), trace=st.text())
prepare_jobs = st.builds(PrepareJob, source=st.text(), portion=st.text())
agent_jobs = st.builds(
    AgentJob,
    team=st.text(),
    channel=st.text(),
    user=st.text(),
    ts=st.text(),
    thread_ts=st.text(),
    place=st.sampled_from([place.value for place in Place]),
    step=st.text(),
    accepted_at=st.floats(0.0, LATEST),
)


@given(answer_jobs | sync_jobs | prepare_jobs | agent_jobs)
def test_a_job_survives_the_queue(job: AnswerJob | SyncJob | PrepareJob | AgentJob) -> None:
    assert decode(encode(job)) == job


def test_every_step_of_a_run_has_a_key_of_its_own_and_all_go_one_after_the_other() -> None:
    begun = AgentJob("T1", "C1", "U1", "1.1", "1.0", "channel")
    resumed, again = replace(begun, step="approval:a1"), replace(begun, step="approval:a2")
    assert begun.run == resumed.run == JOB.key
    assert len({begun.key, resumed.key, again.key, JOB.key}) == 4
    assert begun.group == resumed.group == JOB.group


def test_what_is_asked_of_the_agent_stays_in_slack() -> None:
    mention = Mention("T1", "C1", "U1", "1.1", "1.0", Place.CHANNEL, "agent: the secret task")
    job = AgentJob.of(mention, trace="t", accepted_at=1.0)
    assert "secret task" not in encode(job)
    assert (job.run, job.step, job.place) == ("T1:C1:1.1", "", "channel")


@pytest.mark.parametrize("change", [{"step": 1}, {"place": "the moon"}, {"version": 2}])
def test_a_step_that_no_version_wrote_is_refused(change: dict[str, object]) -> None:
    job = AgentJob("T1", "C1", "U1", "1.1", "1.0", "channel")
    with pytest.raises(BadJob):
        decode(json.dumps({**json.loads(encode(job)), **change}))


def test_a_step_of_a_later_version_loses_only_what_is_not_known() -> None:
    job = AgentJob("T1", "C1", "U1", "1.1", "1.0", "channel", step="s")
    body = {**json.loads(encode(job)), "invented_later": [1]}
    del body["round"]
    assert decode(json.dumps(body)) == job


def test_every_job_for_one_portion_is_of_one_group_and_no_other_portion_is() -> None:
    job = PrepareJob("docs", "a" * 32)
    assert job.group == PrepareJob("docs", "a" * 32).group
    assert (
        len({job.group, PrepareJob("docs", "b" * 32).group, PrepareJob("d", "a" * 32).group}) == 3
    )


def test_a_job_never_carries_what_was_said() -> None:
    mention = Mention("T1", "C1", "U1", "1.1", "1.0", Place.CHANNEL, "the secret question")
    job = AnswerJob.of(mention, trace="t", accepted_at=1.0)
    assert "secret question" not in encode(job)
    assert job.mention("the secret question") == mention


def test_every_delivery_of_a_message_has_the_same_key_and_its_thread_is_the_group() -> None:
    again = replace(JOB, trace="other", accepted_at=9.0, sealed="")
    assert again.key == JOB.key == "T1:C1:1.1"
    assert replace(JOB, ts="1.2").group == JOB.group
    assert replace(JOB, thread_ts="2.0").group != JOB.group


def test_a_field_of_a_later_version_is_ignored_and_a_missing_one_takes_its_default() -> None:
    body = json.loads(encode(JOB))
    body["invented_later"] = {"deep": 1}
    del body["trace"]
    assert decode(json.dumps(body)) == replace(JOB, trace="")


def test_whole_seconds_are_a_time_too() -> None:
    job = decode(encode(replace(JOB, accepted_at=1_800_000_000)))
    assert isinstance(job, AnswerJob)
    assert job.accepted_at == 1_800_000_000


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "unknown"},
        {"kind": ["answer"]},
        {"team": None},
        {"ts": 1.1},
        {"accepted_at": "soon"},
        {"accepted_at": True},
        {"place": "the moon"},
        {"accepted_at": 1e400},
        {"accepted_at": 10**400},
        {"version": 2},
        {"version": "two"},
    ],
)
def test_a_job_that_no_version_wrote_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadJob):
        decode(json.dumps({**json.loads(encode(JOB)), **change}))


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "7", '"answer"', "{}", '{"kind": "answer"}', "[" * 100_000]
)
def test_a_body_that_is_no_job_is_refused(body: str) -> None:
    with pytest.raises(BadJob):
        decode(body)


@given(st.text())
def test_no_text_at_all_raises_anything_but_bad_job(body: str) -> None:
    with pytest.raises(BadJob):
        decode(body)
