"""Nobody hears a question while the door is down; it is answered late rather than never."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.playground import Playground
from handlers.adapters.dynamodb import DynamoStore
from handlers.adapters.sqlite_store import SqliteStore
from handlers.runtime.demo import BOT_TOKEN, SIGNING_SECRET
from handlers.runtime.wiring import laptop_queue, slack_client, state_path
from handlers.work.reconciliation import Reconciliation, reconcile_once
from tests.doubles.aws import running_aws
from tests.journeys.conftest import Office, OpenOffice

ROOT = Path(__file__).parents[2]
HOLIDAY = "How many days of paid holiday do I have?"
BACKUPS = "How long are backups kept?"


@asynccontextmanager
async def schedule(office: Office) -> AsyncIterator[Callable[[float], Any]]:
    """Yield what looks for lost questions, as if it were so many seconds from now."""
    client, queue = slack_client(office.settings), laptop_queue(office.settings)
    store = SqliteStore(state_path(office.settings))

    async def look(ahead: float) -> Reconciliation:
        return await reconcile_once(client, queue, store, clock=lambda: time.time() + ahead)

    yield look
    await queue.close()
    await store.close()


def replies(slack: Playground, channel: str, root: str, user: str = "") -> list[str]:
    thread = slack.messages(channel, root, user=user)
    return [str(message) for message in thread if message.get("bot_id")]


async def test_questions_asked_while_the_door_was_down_are_each_answered_once(
    open_office: OpenOffice,
) -> None:
    async with open_office() as office, schedule(office) as look:
        slack = office.slack
        assert (await look(0)).found == 0
        heard = await slack.say("alice", "general", f"@Footnote {HOLIDAY}")
        await slack.wait_for_answer("general", heard)
        before = replies(slack, "general", heard)

        slack.events_url = ""
        lost = await slack.say("bob", "general", f"@Footnote {BACKUPS}")
        await slack.say("bob", "general", f"@Footnote {BACKUPS}", heard)
        direct = await slack.say("alice", "dm", HOLIDAY)
        nothing = await slack.say("bob", "general", "Nobody asked Footnote anything.")
        await asyncio.sleep(0.5)
        assert replies(slack, "general", lost) == []
        slack.events_url = office.events_url

        reports = await asyncio.gather(look(600), look(600))
        assert max(report.found for report in reports) == 3
        assert not any(report.incomplete for report in reports)
        await slack.wait_for_answer("general", lost)
        await slack.wait_for_answer("general", heard)
        await slack.wait_for_answer("dm", direct, user="alice")

        # Slack delivers one of them after all, and the schedule comes round again.
        await slack.deliver(
            {
                "type": "app_mention",
                "channel": slack.channel_id("general"),
                "user": slack.workspace.user("bob").id,
                "ts": lost,
                "event_ts": lost,
                "text": slack.messages("general", lost)[0]["text"],
            }
        )
        assert (await look(1_200)).found == 0
        await asyncio.sleep(1)
        answered = [replies(slack, "general", ts) for ts in (heard, lost, nothing)]
        in_private = replies(slack, "dm", direct, "alice")
    assert [len(found) for found in answered] == [len(before) + 1, 1, 0]
    assert "27 days" in answered[0][0] and "35 days" in answered[0][1]
    assert "35 days" in answered[1][0]
    assert len(in_private) == 1 and "27 days" in in_private[0]


DOOR = """
import json
import handlers.reconcile as door
for _ in range(2):
    print("result", json.dumps(door.handler({}, None)))
"""


@pytest.mark.parametrize("stage", ["", "test"])
async def test_the_door_of_the_schedule_queues_what_was_lost(
    environment: dict[str, str], stage: str
) -> None:
    async with Playground(
        signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, clock=lambda: time.time() - 1_800
    ) as slack:
        with running_aws() as aws:
            table, queue = aws.new_table(), aws.new_queue()
            store = DynamoStore(table, aws.dynamodb)
            await store.put("reconciliation", {"since": time.time() - 3_600}, 3_600)
            ts = await slack.say("alice", "general", "@Footnote a secret question?")
            done = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-c", DOOR],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    **environment,
                    "SLACK_API_URL": slack.api_url,
                    "FOOTNOTE_STAGE": stage,
                    "FOOTNOTE_QUEUE_URL": queue,
                    "FOOTNOTE_STATE_TABLE": table,
                    "AWS_ENDPOINT_URL": aws.endpoint,
                    "AWS_REGION": "us-east-1",
                    "AWS_ACCESS_KEY_ID": "test",
                    "AWS_SECRET_ACCESS_KEY": "test",
                },
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            bodies = [record["body"] for record in aws.lambda_records(queue)]
    lines = done.stdout.splitlines()
    first, second = (json.loads(x.removeprefix("result ")) for x in lines if "result " in x)
    assert (first["found"], first["put"], first["incomplete"]) == (1, 1, False)
    assert second["found"] == 0
    assert [json.loads(body)["ts"] for body in bodies] == [ts]
    assert "secret" not in done.stdout + done.stderr + bodies[0]
    assert ("Reconciled" in done.stdout) == bool(stage)
