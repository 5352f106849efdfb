"""The parts of a journey through the local cloud, each of which tells whether it worked."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.feedback import FEEDBACK
from bot.playground.delivery import NotAcknowledged
from handlers.runtime.demo import SIGNING_SECRET
from handlers.runtime.upkeep import BUSY
from handlers.work.jobs import AnswerJob, encode
from handlers.work.seal import Seal
from handlers.work.writer import WRITER_LEASE_SECONDS, writer_key
from infra.local_cloud.cloud import LocalCloud
from tests.doubles.local_cloud import Sight, until
from tests.doubles.slack_signing import event_request, mention

QUESTION = "@Footnote How long are backups kept?"
PAGE = "# Backups\n\nBackups are kept for 35 days. Revision {}.\n"


@dataclass
class Journey:
    """A cloud whose documents are one page in ``docs``.

    ``lost`` is the ts of a question that nobody heard, old enough to be searched for; ``seen`` is
    what the last part saw.
    """

    cloud: LocalCloud
    docs: Path
    lost: str
    sight: Sight = field(init=False)
    revision: int = 0
    seen: object = None

    def __post_init__(self) -> None:
        self.sight = Sight(self.cloud.stack)

    async def door(self) -> bool:
        """The slack function takes a signed event."""
        await asyncio.to_thread(self.sight.kill, "slack")
        address, self.cloud.slack.events_url = self.cloud.slack.events_url, ""
        ts = await self.cloud.slack.say("alice", "general", QUESTION)
        self.cloud.slack.events_url = address
        body, headers = event_request(mention(ts), secret=SIGNING_SECRET)
        async with (
            aiohttp.ClientSession() as session,
            session.post(address, data=body, headers=headers) as response,
        ):
            return response.status == 200

    async def footnote(self) -> bool:
        """The slack function opens the quote of an answer that was given before."""
        slack = self.cloud.slack
        message = next(m for m in self._said() if "footnote.open" in str(m) and "bot_id" in m)
        try:
            await slack.click("alice", "general", message["ts"], "footnote.open")
            (view,) = await slack.wait_until(lambda: slack.views("alice"), 5)
        except (NotAcknowledged, TimeoutError) as error:
            self.seen = repr(error)
            return False
        await slack.close_view("alice")
        return "35 days" in str(view)

    async def vote(self) -> bool:
        """The slack function keeps whether an answer helped."""
        slack = self.cloud.slack
        message = next(m for m in self._said() if FEEDBACK in str(m))
        button = next(
            element["positive_button"]
            for block in message["blocks"]
            for element in block.get("elements", ())
            if element.get("action_id") == FEEDBACK
        )
        try:
            await slack.click("alice", "general", message["ts"], FEEDBACK, button["value"])
        except NotAcknowledged as error:
            self.seen = repr(error)
            return False
        rows = await asyncio.to_thread(self.sight.rows)
        return any(key.startswith("feedback:") for key in rows)

    def _said(self) -> Iterator[dict[str, Any]]:
        slack = self.cloud.slack
        for root in slack.messages("general"):
            yield from slack.messages("general", root["ts"])

    async def answer(self) -> bool:
        """The answer function answers a question at the first try."""
        await until(lambda: self.sight.waiting("AnswerQueue") == 0, 60)
        await asyncio.to_thread(self.sight.kill, "answer")
        runs = await asyncio.to_thread(self.sight.runs, "answer")
        ts = await self.cloud.slack.say("alice", "general", QUESTION)
        await until(lambda: self.sight.runs("answer") > runs, 90)
        worked = "35 days" in str(self.cloud.slack.messages("general", ts))
        self.cloud.stack.client("sqs").purge_queue(
            QueueUrl=self.cloud.stack.resources["AnswerQueue"]
        )
        return worked

    async def takeover(self) -> bool:
        """A question whose worker is killed is answered by the next one, and soon."""
        held = self.cloud.slack.fail_next("conversations.replies", delay=90.0)
        ts = await self.cloud.slack.say("alice", "general", QUESTION)
        await self.cloud.slack.wait_until(lambda: held.begun, 60)
        await asyncio.to_thread(self.sight.kill, "answer")
        held.lifted = True
        try:
            await until(lambda: "35 days" in str(self.cloud.slack.messages("general", ts)), 40)
        except TimeoutError:
            self.cloud.stack.client("sqs").purge_queue(
                QueueUrl=self.cloud.stack.resources["AnswerQueue"]
            )
            return False
        return True

    async def giving_back(self) -> bool:
        """The answer function lets go of a question that it could not begin."""
        await until(lambda: self.sight.waiting("AnswerQueue") == 0, 60)
        runs = await asyncio.to_thread(self.sight.runs, "answer")
        slack, stack = self.cloud.slack, self.cloud.stack
        job = AnswerJob(
            team=slack.team,
            channel=slack.channel_id("general"),
            user=slack.workspace.user("alice").id,
            ts=f"{time.time():.6f}",
            thread_ts="",
            place="command",
            sealed=Seal(SIGNING_SECRET).seal("{}"),
        )
        stack.client("sqs").send_message(
            QueueUrl=stack.resources["AnswerQueue"],
            MessageBody=encode(job),
            MessageGroupId=job.ts,
            MessageDeduplicationId=job.ts,
        )
        await until(lambda: self.sight.runs("answer") > runs, 90)
        claim = await asyncio.to_thread(self.sight.row, "claim", job.ts)
        stack.client("sqs").purge_queue(QueueUrl=stack.resources["AnswerQueue"])
        return not claim

    async def sync(self) -> bool:
        """The ingest function indexes a page that changed, and again right away."""
        await asyncio.to_thread(self.sight.kill, "ingest")
        for patience in (WRITER_LEASE_SECONDS, 0.0):
            self.revision += 1
            (self.docs / "backups.md").write_text(PAGE.format(self.revision))
            report = await self._write("ingest", {}, patience)
            if not (report.get("complete") and report["sources"][0]["changed"]):
                return False
        return True

    async def shared_sync(self) -> bool:
        """The ingest function has pages prepared by the function prepare, and commits them."""
        for function in ("ingest", "prepare"):
            await asyncio.to_thread(self.sight.kill, function)
        self.revision += 1
        for name in "abc":
            (self.docs / f"{name}.md").write_text(f"# Page {name}\n\nRevision {self.revision}.\n")
        runs = await asyncio.to_thread(self.sight.runs, "prepare")
        syncing = asyncio.create_task(self._write("ingest", {}, WRITER_LEASE_SECONDS))
        done, _ = await asyncio.wait([syncing], timeout=60)
        if not done:
            # It waits for what does not come.
            await asyncio.to_thread(self.sight.kill, "ingest")
        report = await syncing
        self.cloud.stack.client("sqs").purge_queue(
            QueueUrl=self.cloud.stack.resources["PrepareQueue"]
        )
        prepared = await asyncio.to_thread(self.sight.runs, "prepare")
        return bool(report.get("complete")) and prepared > runs

    async def upkeep(self) -> bool:
        """The maintain function compacts the index and cleans up, and again right away."""
        await asyncio.to_thread(self.sight.kill, "maintain")
        for patience in (WRITER_LEASE_SECONDS, 0.0):
            report = await self._write("maintain", {"force": True}, patience)
            if not report.get("complete"):
                return False
        return True

    async def second_sync(self) -> bool:
        """The ingest function finds another writer at work, and says so."""
        return await self._gives_way("ingest", {})

    async def second_upkeep(self) -> bool:
        """The maintain function finds another writer at work, and says so."""
        return await self._gives_way("maintain", {"force": True})

    async def _gives_way(self, function: str, event: object) -> bool:
        bucket = self.cloud.stack.resources["IndexBucket"]
        lease = {"state": "held", "lease_until": time.time() + 10, "notes": {}}
        self._put_row(f"claim:{writer_key(f's3://{bucket}/index')}", lease)
        return (await self._invoke(function, event)).get("reason") == BUSY

    def _put_row(self, key: str, value: object) -> None:
        self.cloud.stack.client("dynamodb").put_item(
            TableName=self.cloud.stack.resources["StateTable"],
            Item={
                "key": {"S": key},
                "value": {"S": json.dumps(value)},
                "revision": {"S": "0"},
                "expires_at": {"N": str(int(time.time() + 3600))},
            },
        )

    async def tidying(self) -> bool:
        """The maintain function deletes what no version of the index needs any more."""
        # The real hour is too long for a test.
        hour, at_once = "KEEP = timedelta(hours=1)", "KEEP = timedelta(0)"
        await asyncio.to_thread(
            self.sight.deploy, "maintain", "index/lance_upkeep.py", hour, at_once
        )
        for _ in range(2):
            await self._write("maintain", {"force": True}, WRITER_LEASE_SECONDS)
        names = await asyncio.to_thread(self.sight.objects)
        self.seen = [name for name in names if "/_versions/" in name]
        return len(self.seen) == 1

    async def _write(self, function: str, event: object, patience: float) -> dict[str, Any]:
        """Run a writer of the index; the one before may not have been able to end its lease."""
        end = time.monotonic() + patience + 5
        while (report := await self._invoke(function, event)).get("reason") == BUSY:
            if not patience or time.monotonic() > end:
                break
            await asyncio.sleep(1)
        return report

    async def search(self) -> bool:
        """The reconcile function finds a lost question, queues it and notes how far it came."""
        await asyncio.to_thread(self.sight.kill, "reconcile")
        since = {"since": time.time() - 3600, "until": 0.0, "conversation": "", "before": ""}
        dynamodb = self.cloud.stack.client("dynamodb")
        table = self.cloud.stack.resources["StateTable"]
        for key in await asyncio.to_thread(self.sight.rows):
            if key.endswith(self.lost):
                dynamodb.delete_item(TableName=table, Key={"key": {"S": key}})
        self._put_row("reconciliation", since)
        report = await self._invoke("reconcile", {})
        noted = await asyncio.to_thread(self.sight.rows)
        return report.get("put") == 1 and noted["reconciliation"]["since"] > since["since"]

    async def _invoke(self, function: str, event: object) -> dict[str, Any]:
        done = await asyncio.to_thread(
            self.cloud.stack.client("lambda").invoke,
            FunctionName=self.cloud.stack.function(function),
            Payload=json.dumps(event),
        )
        report: dict[str, Any] = json.loads(done["Payload"].read())
        self.seen = report
        return {} if "FunctionError" in done else report
