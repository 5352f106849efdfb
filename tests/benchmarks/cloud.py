"""What a deployed function finds around it: S3 20 ms away, SQS, DynamoDB, a model, questions."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.playground import Playground
from handlers.runtime.demo import BOT_TOKEN, HANDBOOK, SIGNING_SECRET
from handlers.work.jobs import AgentJob, AnswerJob, encode
from tests.benchmarks import large_index
from tests.benchmarks.cold_start import QUESTIONS
from tests.doubles.aws import Aws, running_aws
from tests.doubles.instant_model import running_instant_model
from tests.doubles.object_storage import (
    ACCESS_KEY,
    SECRET_KEY,
    ObjectStorage,
    running_object_storage,
)
from tests.doubles.slow_storage import SlowStorage, slowed

VISIBILITY_SECONDS = 720
"""As deployed; with the short one of the double, earlier questions would come along."""


@dataclass(frozen=True)
class Cloud:
    """S3 behind the proxy, SQS and DynamoDB behind the same address, and the large index."""

    aws: Aws
    far: SlowStorage
    storage: ObjectStorage
    index: str
    model_url: str

    def new_queue(self) -> str:
        """Create a FIFO queue that shows a message to nobody else for as long as the deployed."""
        queue = self.aws.new_queue()
        self.aws.sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        )
        return queue

    def environment(self, home: Path) -> dict[str, str]:
        """Return the settings of a function, with a queue and a table of its own."""
        return {
            "FOOTNOTE_HOME": str(home),
            "FOOTNOTE_STAGE": "bench",
            "FOOTNOTE_QUEUE_URL": self.new_queue(),
            "FOOTNOTE_STATE_TABLE": self.aws.new_table(),
            "FOOTNOTE_INDEX": self.index,
            "FOOTNOTE_DOCS": str(HANDBOOK),
            "OPENAI_MODEL": "instant",
            "OPENAI_BASE_URL": self.model_url,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "AWS_ENDPOINT_URL": self.far.storage.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }


@contextmanager
def running_cloud() -> Iterator[Cloud]:
    """Start all of it and index 20,000 chunks, which takes a minute."""
    with (
        running_object_storage() as storage,
        running_aws() as aws,
        slowed(storage, others=aws.endpoint) as far,
        running_instant_model() as model_url,
    ):
        uri, chunks = large_index.build(storage)
        assert chunks == large_index.CHUNKS
        yield Cloud(aws, far, storage, uri, model_url)


async def asked(slack: Playground, number: int, whom: str = "@Footnote") -> str:
    """Ask a question in the playground that nobody asked before; return its ts."""
    question = f"{QUESTIONS[number % len(QUESTIONS)]} (case {number})"
    return await slack.say("alice", "general", f"{whom} {question}")


def put_question(
    cloud: Cloud,
    slack: Playground,
    queue: str,
    ts: str,
    *,
    kind: type[AnswerJob] | type[AgentJob] = AnswerJob,
) -> dict[str, Any]:
    """Put a question of the playground on ``queue``; return the event that Lambda makes of it."""
    job = kind(
        team=slack.team,
        channel=slack.channel_id("general"),
        user="UALICE",
        ts=ts,
        thread_ts=ts,
        place="channel",
        accepted_at=time.time(),
    )
    cloud.aws.sqs.send_message(
        QueueUrl=queue, MessageBody=encode(job), MessageGroupId=ts, MessageDeduplicationId=ts
    )
    return {"Records": cloud.aws.lambda_records(queue)}
