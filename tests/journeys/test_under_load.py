"""Thousands of questions while everything behind the door is out of order, and none is lost.

    0 s ────────── model hung ────────── index gone ────────── worker dead ─── burst ─▶ all mended
    5,000 events, 8.3 a second, as Slack allows a workspace; then 50 a second for 10 s

Every mention comes as two events, ``message`` and ``app_mention``, as it does in a channel.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.playground.server import Playground
from handlers.runtime.demo import SIGNING_SECRET
from infra.local_cloud.cloud import LocalCloud, Steps, running
from infra.local_cloud.stack import put_settings
from tests.doubles.local_cloud import Sight
from tests.doubles.slack_signing import event_request, mention

pytestmark = [pytest.mark.soak, pytest.mark.timeout(4 * 3600)]

EVENTS = int(os.environ.get("LOAD_EVENTS", "5000"))
EVENTS_A_SECOND = 8.3
BURST_SECONDS = 10
BURST_A_SECOND = 50
QUESTION = "@Footnote How long are backups kept?"
SAID = "Backups are kept for 35 days [1]."


@dataclass
class Model:
    """An OpenAI-compatible endpoint that hangs until it is mended."""

    mended: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def completions(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        await self.mended.wait()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, reason in (({"content": SAID}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            await response.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


@asynccontextmanager
async def served(model: Model) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", model.completions)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


@dataclass
class Slack:
    """Sends what the local Slack would, and notes how long each acknowledgement took."""

    playground: Playground
    url: str
    session: aiohttp.ClientSession
    acks: list[tuple[float, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def ask(self) -> None:
        """Say one question and deliver both its events."""
        ts = await self.playground.say("alice", "general", QUESTION)
        self.asked.append(ts)
        await asyncio.gather(*(self._deliver(kind, ts) for kind in ("message", "app_mention")))

    async def _deliver(self, kind: str, ts: str) -> None:
        body, headers = event_request(mention(ts, kind=kind), secret=SIGNING_SECRET)
        began = time.perf_counter()
        async with self.session.post(self.url, data=body, headers=headers) as response:
            await response.read()
            self.acks.append((time.perf_counter() - began, response.status))


async def asked_at(slack: Slack, rate: float, seconds: float) -> None:
    """Ask at an even pace, whatever the answers take."""
    started, tasks = time.perf_counter(), []
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(slack.ask()))
    await asyncio.gather(*tasks)


def without_the_index(cloud: LocalCloud) -> Callable[[], None]:
    """Take the right to read the index from the answer function; return what gives it back."""
    iam, role = cloud.stack.client("iam"), cloud.stack.resources["AnswerRole"]
    given: dict[str, Any] = iam.get_role_policy(RoleName=role, PolicyName="answer")
    document = given["PolicyDocument"]

    def put(statements: list[Any]) -> None:
        changed = json.dumps({**document, "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName="answer", PolicyDocument=changed)

    kept = [one for one in document["Statement"] if one["Sid"] != "ReadIndex"]
    assert len(kept) + 1 == len(document["Statement"])
    put(kept)
    return lambda: put(document["Statement"])


def without_the_worker(cloud: LocalCloud) -> Callable[[], None]:
    """Take the queue from the answer function and kill it; return what gives it back."""
    functions = cloud.stack.client("lambda")
    name = cloud.stack.function("answer")
    (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    Sight(cloud.stack).kill("answer")
    return lambda: functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


async def test_no_question_is_lost_or_answered_twice(tmp_path: Path) -> None:
    model, each = Model(), EVENTS / EVENTS_A_SECOND / 3
    async with (
        served(model) as address,
        running(tmp_path, Steps(print), rate_limits=False) as cloud,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        sight = Sight(cloud.stack)
        put_settings(cloud.stack.aws.endpoint, {"OPENAI_MODEL": "m", "OPENAI_BASE_URL": address})
        await asyncio.to_thread(sight.kill, "answer")
        url, cloud.slack.events_url = cloud.slack.events_url, ""
        slack = Slack(cloud.slack, url, session)
        await slack.ask()  # the first one finds the door cold

        await asked_at(slack, EVENTS_A_SECOND / 2, each)
        index_back = await asyncio.to_thread(without_the_index, cloud)
        await asked_at(slack, EVENTS_A_SECOND / 2, each)
        log = await asyncio.to_thread(cloud.stack.log, "answer")
        assert sum("IndexUnavailable" in line for line in log) > 0
        assert model.asked > 0
        worker_back = await asyncio.to_thread(without_the_worker, cloud)
        await asked_at(slack, EVENTS_A_SECOND / 2, each)
        await asked_at(slack, BURST_A_SECOND / 2, BURST_SECONDS)

        times = sorted(seconds for seconds, _ in slack.acks)
        p99 = times[int(len(times) * 0.99)]
        print(f"{len(times)} events, ack p50 {statistics.median(times) * 1000:.0f} ms,")
        print(f"p99 {p99 * 1000:.0f} ms, longest {times[-1] * 1000:.0f} ms")
        assert {status for _, status in slack.acks} == {200}
        assert p99 <= 0.5

        model.mended.set()
        await asyncio.to_thread(index_back)
        await asyncio.to_thread(worker_back)
        mended = time.monotonic()
        while waiting := await asyncio.to_thread(sight.waiting, "AnswerQueue"):
            print(f"{time.monotonic() - mended:.0f} s after the mend: {waiting} wait")
            await asyncio.sleep(20)
        assert await asyncio.to_thread(sight.waiting, "AnswerDeadLetters") == 0
        said = [cloud.slack.messages("general", ts)[1:] for ts in slack.asked]
        assert {len(answers) for answers in said} == {1}
        assert all("35 days" in str(answers) for answers in said)
        print(f"{len(said)} questions answered once, {model.asked} asked of the model")
