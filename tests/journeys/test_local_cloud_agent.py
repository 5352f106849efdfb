"""Agent mode in the stack of serverless.yml, in a local AWS with permissions enforced.

Each permission that it adds is taken away, what needs it is seen to fail, and it is put back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from infra.local_cloud.cloud import Steps, running
from tests.doubles.agent_cloud_journey import (
    APPROVAL_SECONDS,
    SAID,
    SHORT_PATIENCE,
    AgentJourney,
    tell,
)
from tests.doubles.cloud_journey import PAGE
from tests.doubles.cloud_permissions import allowed, visible, without
from tests.doubles.local_cloud import until
from tests.doubles.scripted_agent import ScriptedAgent
from tests.journeys.test_local_cloud_permissions import NEEDED as WITHOUT_AGENT
from tests.journeys.test_local_cloud_permissions import UNSEEN

pytestmark = [
    pytest.mark.soak,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

Part = Callable[[AgentJourney], Awaitable[bool]]

NEEDED: dict[tuple[str, str, str], Part] = {
    ("SlackRole", "PutAgentJobs", "sqs:SendMessage"): AgentJourney.request,
    ("SlackRole", "NoteInAuditLog", "dynamodb:PutItem"): AgentJourney.deed,
    ("ReconcileRole", "PutAgentJobs", "sqs:SendMessage"): AgentJourney.lapse,
    ("AgentRole", "ReadParameters", "ssm:GetParametersByPath"): AgentJourney.request,
    ("AgentRole", "TakeAgentJobs", "sqs:ChangeMessageVisibility"): AgentJourney.takeover,
    ("AgentRole", "KeepState", "dynamodb:GetItem"): AgentJourney.proposal,
    ("AgentRole", "KeepState", "dynamodb:PutItem"): AgentJourney.proposal,
    ("AgentRole", "NoteInAuditLog", "dynamodb:PutItem"): AgentJourney.proposal,
    ("AgentRole", "FindIndex", "s3:ListBucket"): AgentJourney.proposal,
    ("AgentRole", "ReadIndex", "s3:GetObject"): AgentJourney.proposal,
}

DECISIVE = ("asked", "proposed", "approved", "ran")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def journey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AgentJourney]:
    docs = tmp_path_factory.mktemp("docs")
    (docs / "backups.md").write_text(PAGE.format(0))
    given = dict.fromkeys(("syncRate", "maintainRate", "reconcileRate"), "rate(1 day)")
    given |= {"agent": "true"}
    folder = tmp_path_factory.mktemp("cloud")
    async with ScriptedAgent(tell) as model:
        settings = {
            "OPENAI_MODEL": "scripted",
            "OPENAI_BASE_URL": model.base_url,
            "FOOTNOTE_AGENT_APPROVAL_HOURS": str(APPROVAL_SECONDS / 3600),
        }
        async with running(
            folder, Steps(print), docs=docs, parameters=given, settings=settings
        ) as cloud:
            yield AgentJourney(cloud, model)


async def test_an_approved_proposal_is_carried_out_once_and_written_down(
    journey: AgentJourney,
) -> None:
    assert await journey.deed(), journey.seen
    # A second time would come from the queue.
    await until(lambda: journey.sight.waiting("AgentQueue") == 0, 60.0)
    assert [message["text"] for message in journey.cloud.slack.messages("help")] == [SAID]
    for queue in ("AgentDeadLetters", "AnswerDeadLetters", "ScheduleDeadLetters"):
        assert await asyncio.to_thread(journey.sight.waiting, queue) == 0, queue
    noted = await asyncio.to_thread(journey.sight.audited)
    assert [event for event in noted if event in DECISIVE] == [*DECISIVE]


async def test_every_permission_that_agent_mode_adds_is_known(journey: AgentJourney) -> None:
    assert visible(allowed(journey.cloud.stack), UNSEEN) == NEEDED.keys() | WITHOUT_AGENT.keys()


@pytest.mark.parametrize(("logical", "sid", "action"), NEEDED)
async def test_without_a_permission_what_needs_it_fails(
    journey: AgentJourney, logical: str, sid: str, action: str
) -> None:
    part = NEEDED[logical, sid, action]
    hasty = replace(journey, patience=SHORT_PATIENCE)
    with without(journey.cloud.stack, logical, sid, action):
        assert not await part(hasty), f"{part.__doc__} That works without {action}."


@pytest.mark.parametrize("part", dict.fromkeys(NEEDED.values()), ids=lambda part: part.__name__)
async def test_with_all_permissions_back_everything_works(
    journey: AgentJourney, part: Part
) -> None:
    assert await part(journey), f"{part.__doc__} It does not: {journey.seen}"
