"""SQS and DynamoDB over real HTTP, by moto, on a free loopback port."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.server import ThreadedMotoServer

from handlers.adapters.aws import make_client
from handlers.adapters.dynamodb import KEY_ATTRIBUTE
from handlers.adapters.dynamodb_audit import AT_ATTRIBUTE, DAY_ATTRIBUTE
from handlers.runtime.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Aws:
    """A running server, and clients made the way the program makes them."""

    endpoint: str
    sqs: "SQSClient"
    dynamodb: "DynamoDBClient"

    def new_queue(self) -> str:
        """Create a FIFO queue and return its URL."""
        created = self.sqs.create_queue(
            QueueName=f"q{uuid.uuid4().hex}.fifo",
            Attributes={"FifoQueue": "true", "VisibilityTimeout": "1"},
        )
        return created["QueueUrl"]

    def new_queue_with_dead_letters(self, deliveries: int) -> tuple[str, str]:
        """Create a FIFO queue and one for what was delivered so often; return both URLs."""
        queue, dead = self.new_queue(), self.new_queue()
        asked = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        redrive = {
            "deadLetterTargetArn": asked["Attributes"]["QueueArn"],
            "maxReceiveCount": deliveries,
        }
        self.sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(redrive)}
        )
        return queue, dead

    def lambda_records(self, url: str, most: int = 10) -> list[dict[str, Any]]:
        """Receive what is in a queue, as records of Lambda's SQS event."""
        received = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"]
        )
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            for message in received.get("Messages", [])
        ]

    def new_table(self) -> str:
        """Create a state table as the stack does and return its name."""
        name = f"t{uuid.uuid4().hex}"
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": KEY_ATTRIBUTE, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": KEY_ATTRIBUTE, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def new_audit_table(self) -> str:
        """Create a table for the audit log as the stack does and return its name."""
        name = f"a{uuid.uuid4().hex}"
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": DAY_ATTRIBUTE, "KeyType": "HASH"},
                {"AttributeName": AT_ATTRIBUTE, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": DAY_ATTRIBUTE, "AttributeType": "S"},
                {"AttributeName": AT_ATTRIBUTE, "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        return name


def client_options(endpoint: str) -> dict[str, str]:
    """Return the options of a client that talks to ``endpoint``."""
    return {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


def aws_environment(endpoint: str) -> dict[str, str]:
    """Return what a process needs in its environment to talk to ``endpoint``."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def on_aws(aws: Aws, **more: str) -> Settings:
    """Return settings that name the server, and ``more``."""
    return Settings.load({**aws_environment(aws.endpoint), **more})


@contextmanager
def running_aws() -> Iterator[Aws]:
    """Start the server on a free port, and stop it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    options = client_options(endpoint)
    sqs, dynamodb = make_client("sqs", options), make_client("dynamodb", options)
    try:
        yield Aws(endpoint, sqs, dynamodb)
    finally:
        sqs.close()
        dynamodb.close()
        server.stop()
