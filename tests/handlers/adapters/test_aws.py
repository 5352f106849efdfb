"""Clients of AWS: each as it was asked for, though they share what is slow to read."""

import asyncio
import subprocess
import sys
from pathlib import Path

from handlers.adapters.aws import make_client
from tests.doubles.aws import client_options

ROOT = Path(__file__).parents[3]

LATER_CLIENTS = """
import time
from handlers.adapters.aws import make_client
options = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
took = []
for service in ("sqs", "dynamodb", "ssm"):
    began = time.process_time()
    make_client(service, options)
    took.append(time.process_time() - began)
print(*took)
"""


async def test_each_client_has_the_region_the_place_and_the_keys_it_was_given() -> None:
    ours = client_options("http://127.0.0.1:1")
    theirs = {**ours, "endpoint_url": "http://127.0.0.1:2", "region_name": "eu-west-1"}
    asked = [ours, theirs, {**ours, "aws_access_key_id": "another"}] * 4
    # From several threads at once, as the opening of a door and its parameters may be.
    made = await asyncio.gather(*(asyncio.to_thread(make_client, "sqs", one) for one in asked))
    for options, client in zip(asked, made, strict=True):
        assert client.meta.region_name == options["region_name"]
        assert client.meta.endpoint_url == options["endpoint_url"]
        signed = client.generate_presigned_url("list_queues")
        assert f"X-Amz-Credential={options['aws_access_key_id']}%2F" in signed
        client.close()


def test_a_client_after_the_first_is_made_in_less_time() -> None:
    # With a session for each, the third took three times as long as the first.
    command = [sys.executable, "-c", LATER_CLIENTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    first, *others = map(float, done.stdout.split())
    assert max(others) < first
