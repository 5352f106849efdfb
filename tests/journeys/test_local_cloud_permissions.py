"""Every permission of the deployed roles is needed: without it, what needs it fails.

Each is taken from the role in the local AWS, the part of the journey that needs it is seen to fail,
and it is put back. At the end everything works again, so a probe that always fails is found out.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from infra.local_cloud.cloud import Steps, running
from tests.doubles.cloud_journey import PAGE, QUESTION, Journey
from tests.doubles.cloud_permissions import allowed, visible, without

pytestmark = [
    pytest.mark.soak,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

Part = Callable[[Journey], Awaitable[bool]]

NEEDED: dict[tuple[str, str, str], Part] = {
    ("SlackRole", "ReadParameters", "ssm:GetParametersByPath"): Journey.door,
    ("SlackRole", "PutQuestions", "sqs:SendMessage"): Journey.door,
    ("SlackRole", "ReadFootnotes", "dynamodb:GetItem"): Journey.footnote,
    ("SlackRole", "KeepVotes", "dynamodb:PutItem"): Journey.vote,
    ("AnswerRole", "ReadParameters", "ssm:GetParametersByPath"): Journey.answer,
    ("AnswerRole", "TakeQuestions", "sqs:ChangeMessageVisibility"): Journey.takeover,
    ("AnswerRole", "KeepState", "dynamodb:GetItem"): Journey.takeover,
    ("AnswerRole", "KeepState", "dynamodb:PutItem"): Journey.answer,
    ("AnswerRole", "KeepState", "dynamodb:DeleteItem"): Journey.giving_back,
    ("AnswerRole", "FindIndex", "s3:ListBucket"): Journey.answer,
    ("AnswerRole", "ReadIndex", "s3:GetObject"): Journey.answer,
    ("IngestRole", "ReadParameters", "ssm:GetParametersByPath"): Journey.sync,
    ("IngestRole", "FindIndex", "s3:ListBucket"): Journey.sync,
    ("IngestRole", "WriteIndex", "s3:GetObject"): Journey.sync,
    ("IngestRole", "WriteIndex", "s3:PutObject"): Journey.sync,
    ("IngestRole", "HoldWritersLease", "dynamodb:GetItem"): Journey.second_sync,
    ("IngestRole", "HoldWritersLease", "dynamodb:PutItem"): Journey.sync,
    ("IngestRole", "HoldWritersLease", "dynamodb:DeleteItem"): Journey.sync,
    ("IngestRole", "AskForPortions", "sqs:SendMessage"): Journey.shared_sync,
    ("IngestRole", "TakeWhatIsStaged", "s3:GetObject"): Journey.shared_sync,
    ("IngestRole", "TakeWhatIsStaged", "s3:PutObject"): Journey.shared_sync,
    ("IngestRole", "TakeWhatIsStaged", "s3:DeleteObject"): Journey.shared_sync,
    ("PrepareRole", "ReadParameters", "ssm:GetParametersByPath"): Journey.shared_sync,
    ("PrepareRole", "FindIndex", "s3:ListBucket"): Journey.shared_sync,
    ("PrepareRole", "ReadIndex", "s3:GetObject"): Journey.shared_sync,
    ("PrepareRole", "StageWhatIsPrepared", "s3:GetObject"): Journey.shared_sync,
    ("PrepareRole", "StageWhatIsPrepared", "s3:PutObject"): Journey.shared_sync,
    ("MaintainRole", "FindIndex", "s3:ListBucket"): Journey.upkeep,
    ("MaintainRole", "WriteIndex", "s3:GetObject"): Journey.upkeep,
    ("MaintainRole", "WriteIndex", "s3:PutObject"): Journey.upkeep,
    ("MaintainRole", "WriteIndex", "s3:DeleteObject"): Journey.tidying,
    ("MaintainRole", "HoldWritersLease", "dynamodb:GetItem"): Journey.second_upkeep,
    ("MaintainRole", "HoldWritersLease", "dynamodb:PutItem"): Journey.upkeep,
    ("MaintainRole", "HoldWritersLease", "dynamodb:DeleteItem"): Journey.upkeep,
    ("ReconcileRole", "ReadParameters", "ssm:GetParametersByPath"): Journey.search,
    ("ReconcileRole", "PutQuestions", "sqs:SendMessage"): Journey.search,
    ("ReconcileRole", "KeepPlace", "dynamodb:GetItem"): Journey.search,
    ("ReconcileRole", "KeepPlace", "dynamodb:PutItem"): Journey.search,
}

UNSEEN = {
    "logs:CreateLogStream": "ministack writes the logs of a function itself",
    "logs:PutLogEvents": "ministack writes the logs of a function itself",
    "kms:Decrypt": "ministack's parameter store asks no key",
    "sqs:ReceiveMessage": "ministack takes messages for a function without its role",
    "sqs:DeleteMessage": "ministack takes messages for a function without its role",
    "sqs:GetQueueAttributes": "ministack takes messages for a function without its role",
    "lambda:InvokeFunction": "ministack's scheduler calls a function without its role",
    "IngestRole WriteIndex s3:DeleteObject": (
        "a sync tidies only after 25 commits; maintain shows the same"
    ),
    "PrepareRole TakePortions sqs:ChangeMessageVisibility": (
        "it only lets a portion come back sooner; answer shows the same"
    ),
    "ReportFailure": "ministack delivers to the queue of failed runs without the role",
    "s3:AbortMultipartUpload": "only an upload in parts that fails midway is aborted",
}
"""What cannot be seen to fail here (an action, a statement, or one action of it), and why."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def journey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Journey]:
    docs = tmp_path_factory.mktemp("docs")
    (docs / "backups.md").write_text(PAGE.format(0))
    rare = dict.fromkeys(("syncRate", "maintainRate", "reconcileRate"), "rate(1 day)")
    rare |= {"fanOut": "true", "portion": "2"}
    folder = tmp_path_factory.mktemp("cloud")
    async with running(folder, Steps(print), docs=docs, parameters=rare) as cloud:
        events_url, cloud.slack.events_url = cloud.slack.events_url, ""
        cloud.slack.workspace.clock = lambda: time.time() - 900
        lost = await cloud.slack.say("alice", "general", QUESTION)
        cloud.slack.workspace.clock = time.time
        cloud.slack.events_url = events_url
        ts = await cloud.slack.say("alice", "general", QUESTION)
        await cloud.slack.wait_for_answer("general", ts, 90)
        yield Journey(cloud, docs, lost)


async def test_every_permission_is_known(journey: Journey) -> None:
    assert visible(allowed(journey.cloud.stack), UNSEEN) == NEEDED.keys()


@pytest.mark.parametrize(("logical", "sid", "action"), NEEDED)
async def test_without_a_permission_what_needs_it_fails(
    journey: Journey, logical: str, sid: str, action: str
) -> None:
    part = NEEDED[logical, sid, action]
    with without(journey.cloud.stack, logical, sid, action):
        assert not await part(journey), f"{part.__doc__} That works without {action}."


@pytest.mark.parametrize("part", dict.fromkeys(NEEDED.values()), ids=lambda part: part.__name__)
async def test_with_all_permissions_back_everything_works(journey: Journey, part: Part) -> None:
    assert await part(journey), f"{part.__doc__} It does not: {journey.seen}"
