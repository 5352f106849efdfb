"""The stack of serverless.yml, deployed to a local AWS with permissions enforced, and used.

Signed events of the playground go through the HTTP API, the slack function, the queue and the
answer function, and come back as an answer in the thread.
"""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from infra.local_cloud.cloud import LocalCloud, Steps, running
from tests.doubles.local_cloud import Sight, operated, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

DEAD_LETTERS = ("AnswerDeadLetters", "PrepareDeadLetters", "ScheduleDeadLetters")
FUNCTIONS = ("slack", "answer", "ingest", "prepare", "maintain", "reconcile")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    async with running(tmp_path_factory.mktemp("cloud"), Steps(print)) as opened:
        yield opened


@pytest.fixture
def sight(cloud: LocalCloud) -> Sight:
    return Sight(cloud.stack)


async def ask(cloud: LocalCloud, question: str, seconds: float = 60.0) -> tuple[str, str]:
    """Ask in a channel; return the ts of the question and the one message that answers it."""
    ts = await cloud.slack.say("alice", "general", f"@Footnote {question}")
    (answer,) = await cloud.slack.wait_for_answer("general", ts, seconds)
    return ts, str(answer)


async def test_the_first_sync_was_begun_by_the_scheduler_and_fills_the_bucket(
    cloud: LocalCloud, sight: Sight
) -> None:
    runs = await asyncio.to_thread(sight.runs, "ingest")
    said = cloud.stack.aws.log.read_text("utf-8")
    begun = said.count(f"Lambda {cloud.stack.function('ingest')}: dispatched")
    assert (runs, begun) == (1, 1)
    names = await asyncio.to_thread(sight.objects)
    assert {name.partition("/")[0] for name in names} == {"index"}
    assert any("/_versions/" in name for name in names)


async def test_a_mention_becomes_a_cited_answer_and_leaves_only_what_it_should(
    cloud: LocalCloud, sight: Sight
) -> None:
    ts, answer = await ask(cloud, "How long are backups kept?")
    assert "35 days" in answer
    assert "Customer data and privacy" in answer
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{cloud.slack.url}ui/state?user=alice") as page,
    ):
        assert "35 days" in await page.text()
    await until(lambda: sight.row("claim", ts).get("state") == "done")
    claim = await asyncio.to_thread(sight.row, "claim", ts)
    assert claim["result"] == {"ending": "answered"}
    assert (await asyncio.to_thread(sight.row, "outcome", ts))["ending"] == "answered"
    kept = (await asyncio.to_thread(sight.row, "answer", ts))["citations"]
    assert "35 days" in kept[0]["quote"]
    await until(lambda: sight.waiting("AnswerQueue") == 0)
    for queue in DEAD_LETTERS:
        assert await asyncio.to_thread(sight.waiting, queue) == 0, queue


async def test_a_footnote_opens_its_quote_through_the_gateway(cloud: LocalCloud) -> None:
    ts, _ = await ask(cloud, "How many days of paid holiday do I have?")
    (answer,) = await cloud.slack.wait_for_answer("general", ts)
    await cloud.slack.click("alice", "general", answer["ts"], "footnote.open")
    (view,) = await cloud.slack.wait_until(lambda: cloud.slack.views("alice"))
    assert "holiday" in str(view)
    await cloud.slack.close_view("alice")


async def test_the_gateway_lets_nothing_unsigned_reach_the_queue(
    cloud: LocalCloud, sight: Sight
) -> None:
    async with aiohttp.ClientSession() as session:
        for path, wanted in (("/slack/events", 401), ("/slack/other", 404)):
            url = cloud.stack.events_url.replace("/slack/events", path)
            async with session.post(url, json={"type": "event_callback"}) as response:
                assert response.status == wanted, path
    assert await asyncio.to_thread(sight.waiting, "AnswerQueue") == 0


async def test_tokens_lie_encrypted_in_the_parameter_store_and_nowhere_else(
    cloud: LocalCloud,
) -> None:
    ssm, functions = cloud.stack.client("ssm"), cloud.stack.client("lambda")
    kept = ssm.get_parameters_by_path(Path="/footnote/local/")["Parameters"]
    assert {found["Type"] for found in kept} == {"SecureString"}
    for name in FUNCTIONS:
        deployed = functions.get_function_configuration(FunctionName=cloud.stack.function(name))
        assert "xoxb-" not in str(deployed["Environment"]), name


async def test_every_function_has_its_own_role_and_logs_for_a_month_at_most(
    cloud: LocalCloud,
) -> None:
    functions, logs = cloud.stack.client("lambda"), cloud.stack.client("logs")
    deployed = [
        functions.get_function_configuration(FunctionName=cloud.stack.function(name))
        for name in FUNCTIONS
    ]
    assert len({function["Role"] for function in deployed}) == len(FUNCTIONS)
    groups = {g["logGroupName"]: g for g in logs.describe_log_groups()["logGroups"]}
    for name in FUNCTIONS:
        group = groups[f"/aws/lambda/{cloud.stack.function(name)}"]
        assert 1 <= group["retentionInDays"] <= 30, name


async def test_the_smoke_test_starts_every_worker_and_names_the_one_that_cannot(
    cloud: LocalCloud, sight: Sight
) -> None:
    asked = ("deploy", "--smoke", "--stage", "local", "--events-url", cloud.stack.events_url)
    report = await operated(cloud.stack, *asked)
    assert [check["verdict"] for check in report["checks"]] == ["ok"] * 5
    # Nothing needs this function here: syncs are not fanned out.
    await asyncio.to_thread(sight.deploy, "prepare", "handlers/prepare.py", "MARGIN_SECONDS = ", "")
    report = await operated(cloud.stack, *asked)
    named = {check["check"]: check for check in report["checks"]}["workers"]
    assert named["verdict"] == "failed"
    assert named["found"].startswith("Could not start: footnote-local-prepare (")
    assert "footnote-local-answer" not in named["found"]
