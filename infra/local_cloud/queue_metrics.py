"""What SQS tells CloudWatch about its queues: on AWS it does so by itself, here this does it.

AWS tells once a minute; here it is every few seconds, because somebody waits for it.
ApproximateAgeOfOldestMessage is left out: no attribute of a queue holds it, and receiving a message
to see its age would count as a delivery. So the alarm queue-age has no data here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local_cloud.stack import client

EVERY_SECONDS = 5.0
NAMESPACE = "AWS/SQS"
METRICS = {
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
}
"""The names of the metrics, by those of the attributes of a queue."""

# What fails is tried again in the next round, and whoever ends the cloud waits for this one.
_IMPATIENT = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})

log = logging.getLogger(__name__)


@asynccontextmanager
async def published(endpoint: str, *, every: float = EVERY_SECONDS) -> AsyncIterator[None]:
    """Tell of all queues of the AWS at ``endpoint``, every so many seconds, in this block.

    A round that fails is logged and left out.
    """
    ended = asyncio.Event()
    with (
        closing(client(endpoint, "sqs", _IMPATIENT)) as sqs,
        closing(client(endpoint, "cloudwatch", _IMPATIENT)) as cloudwatch,
    ):
        task = asyncio.create_task(_rounds(sqs, cloudwatch, every, ended))
        try:
            yield
        finally:
            # Not cancelled: a thread cannot be, and it still uses the clients.
            ended.set()
            await task


async def _rounds(sqs: Any, cloudwatch: Any, every: float, ended: asyncio.Event) -> None:
    while not ended.is_set():
        try:
            await asyncio.to_thread(_publish, sqs, cloudwatch)
        except (BotoCoreError, ClientError) as error:
            log.warning("the metrics of the queues are missing once: %s", error)
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), every)


def _publish(sqs: Any, cloudwatch: Any) -> None:
    # Before the counting, so that no number is older than its timestamp says.
    at = datetime.now(UTC)
    data = []
    for page in sqs.get_paginator("list_queues").paginate():
        for url in page.get("QueueUrls", ()):
            given = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(METRICS))
            name = {"Name": "QueueName", "Value": url.rpartition("/")[2]}
            data += [
                {
                    "MetricName": metric,
                    "Dimensions": [name],
                    "Timestamp": at,
                    "Value": float(given["Attributes"][attribute]),
                    "Unit": "Count",
                }
                for attribute, metric in METRICS.items()
            ]
    if data:
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
