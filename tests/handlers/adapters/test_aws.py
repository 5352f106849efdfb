"""Clients of AWS: each as it was asked for, though they share what is slow to read."""

import asyncio

from handlers.adapters.aws import make_client
from tests.doubles.aws import client_options


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
