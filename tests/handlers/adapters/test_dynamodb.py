"""DynamoStore, where DynamoDB is unlike SQLite: answers get lost, items outlive their time."""

from collections.abc import Iterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict

from handlers.adapters.aws import make_client
from handlers.adapters.dynamodb import TTL_ATTRIBUTE, DynamoStore
from handlers.work.errors import StoreUnavailable
from tests.doubles.aws import Aws, client_options, running_aws
from tests.doubles.clocks import ManualClock


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


async def test_the_time_to_live_is_whole_seconds_since_the_epoch(aws: Aws) -> None:
    clock = ManualClock(1_800_000_000.25)
    table = aws.new_table()
    await DynamoStore(table, aws.dynamodb, clock=clock).put("k", {}, 10)
    item = aws.dynamodb.get_item(TableName=table, Key={"key": {"S": "k"}})["Item"]
    assert item[TTL_ATTRIBUTE] == {"N": "1800000011"}


async def test_a_write_whose_answer_was_lost_still_counts_as_ones_own(aws: Aws) -> None:
    """The write is done, the connection dies before the answer, botocore asks a second time."""
    lose = {"next": False}

    async def forward(request: web.Request) -> web.StreamResponse:
        headers = CIMultiDict(request.headers)
        async with (
            ClientSession(auto_decompress=False) as session,
            session.post(aws.endpoint, data=await request.read(), headers=headers) as answer,
        ):
            body = await answer.read()
            if lose["next"]:
                lose["next"] = False
                assert request.transport is not None
                request.transport.abort()
            return web.Response(
                status=answer.status, body=body, content_type="application/x-amz-json-1.0"
            )

    app = web.Application()
    app.router.add_post("/", forward)
    async with TestServer(app) as server:
        client = make_client("dynamodb", client_options(str(server.make_url(""))))
        store = DynamoStore(aws.new_table(), client)
        lose["next"] = True
        created = await store.put_if_absent("k", {"n": 1}, 60)
        assert created
        assert not lose["next"]
        lose["next"] = True
        replaced = await store.replace("k", {"n": 2}, 60, created)
        assert replaced
        item = await store.get("k")
        assert item is not None
        assert (item.value, item.revision) == ({"n": 2}, replaced)
        assert await store.put_if_absent("k", {"n": 3}, 60) is None
        client.close()


async def test_an_item_of_another_program_is_an_error_with_a_sentence(aws: Aws) -> None:
    table = aws.new_table()
    aws.dynamodb.put_item(TableName=table, Item={"key": {"S": "k"}, "mine": {"S": "not yours"}})
    with pytest.raises(StoreUnavailable, match="another program"):
        await DynamoStore(table, aws.dynamodb).get("k")


async def test_a_missing_table_is_named_by_its_code_with_what_to_do(aws: Aws) -> None:
    with pytest.raises(StoreUnavailable, match=r"ResourceNotFoundException.*AWS_REGION"):
        await DynamoStore("nowhere", aws.dynamodb).put("k", {}, 60)
