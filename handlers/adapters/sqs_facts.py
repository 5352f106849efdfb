"""What SQS knows of a queue: how it is set up, how much is in it, and for how long."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from handlers.adapters.aws_operator import CloudRefused, operator_client, told


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """``receives`` is after how many deliveries a message is set aside, 0 for never.

    ``oldest`` is the age of the oldest message in seconds as CloudWatch last saw it, None where it
    does not say. Counts are approximate, as all of SQS's are.
    """

    waiting: int
    held: int
    fifo: bool
    receives: int
    dead_letters: str
    arn: str
    oldest: float | None = None


async def queue_facts(queue_url: str, options: Mapping[str, str]) -> QueueFacts:
    """Return the facts about a queue. Raises CloudRefused."""
    return await asyncio.to_thread(_facts, queue_url, options)


def _facts(queue_url: str, options: Mapping[str, str]) -> QueueFacts:
    name = queue_url.rpartition("/")[2]
    client = operator_client("sqs", options)
    try:
        with told(f"The queue {name}"):
            found = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
    finally:
        client.close()
    about: Mapping[str, str] = found["Attributes"]
    redrive = json.loads(about.get("RedrivePolicy") or "{}")
    waiting = int(about.get("ApproximateNumberOfMessages", 0))
    waiting += int(about.get("ApproximateNumberOfMessagesDelayed", 0))
    held = int(about.get("ApproximateNumberOfMessagesNotVisible", 0))
    return QueueFacts(
        waiting=waiting,
        held=held,
        fifo=about.get("FifoQueue") == "true",
        receives=int(redrive.get("maxReceiveCount", 0)),
        dead_letters=str(redrive.get("deadLetterTargetArn", "")),
        arn=about.get("QueueArn", ""),
        oldest=_oldest(name, options) if waiting + held else None,
    )


def _oldest(name: str, options: Mapping[str, str]) -> float | None:
    """Ask CloudWatch; SQS itself does not tell. Whoever may not ask is told nothing."""
    now = datetime.now(UTC)
    client = operator_client("cloudwatch", options)
    try:
        with told("CloudWatch"):
            found = client.get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": name}],
                StartTime=now - timedelta(minutes=15),
                EndTime=now,
                Period=60,
                Statistics=["Maximum"],
            )
    except CloudRefused:
        return None
    finally:
        client.close()
    points = sorted(found.get("Datapoints", []), key=lambda point: point["Timestamp"])
    return float(points[-1]["Maximum"]) if points else None
