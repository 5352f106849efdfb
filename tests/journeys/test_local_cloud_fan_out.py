"""A sync that is fanned out in the local cloud: its queue drives the deployed function prepare."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from infra.local_cloud.cloud import LocalCloud, Steps, running
from tests.doubles.local_cloud import Sight, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

SHARED = {"fanOut": "true", "portion": "5", "syncRate": "rate(1 day)"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("cloud")
    async with running(folder, Steps(print), parameters=SHARED) as opened:
        yield opened


@pytest.fixture
def sight(cloud: LocalCloud) -> Sight:
    return Sight(cloud.stack)


async def test_the_first_sync_was_prepared_by_another_function_and_answers(
    cloud: LocalCloud, sight: Sight
) -> None:
    assert await asyncio.to_thread(sight.runs, "ingest") == 1
    assert await asyncio.to_thread(sight.runs, "prepare") >= 4
    ts = await cloud.slack.say("alice", "general", "@Footnote How long are backups kept?")
    (answer,) = await cloud.slack.wait_for_answer("general", ts, 60)
    assert "35 days" in str(answer)


async def test_nothing_that_was_staged_is_left_behind(cloud: LocalCloud, sight: Sight) -> None:
    names = await asyncio.to_thread(sight.objects)
    assert {name.partition("/")[0] for name in names} == {"index"}
    await until(lambda: sight.waiting("PrepareQueue") == 0)
    for queue in ("PrepareDeadLetters", "ScheduleDeadLetters"):
        assert await asyncio.to_thread(sight.waiting, queue) == 0, queue


async def test_a_run_that_finds_nothing_new_asks_nobody(cloud: LocalCloud, sight: Sight) -> None:
    runs = await asyncio.to_thread(sight.runs, "prepare")
    report = await asyncio.to_thread(invoked, cloud, "ingest")
    (source,) = report["sources"]
    assert report["complete"], report
    assert (source["added"], source["changed"]) == (0, 0)
    assert source["unchanged"] >= 20
    assert await asyncio.to_thread(sight.runs, "prepare") == runs


def invoked(cloud: LocalCloud, function: str) -> Any:
    done = cloud.stack.client("lambda").invoke(
        FunctionName=cloud.stack.function(function), Payload=b"{}"
    )
    return json.loads(done["Payload"].read())
