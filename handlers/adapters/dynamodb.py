"""The production state table: DynamoDB with conditional writes and a time to live."""

import asyncio
import math
import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import code_of, explain
from handlers.work.errors import StoreUnavailable
from handlers.work.ports import Item
from handlers.work.values import check_key, check_ttl, decode_value, encode_value

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY_ATTRIBUTE = "key"
"""The partition key of the table, a string; there is no sort key."""

TTL_ATTRIBUTE = "expires_at"
"""The table's time-to-live attribute, whole seconds since the epoch."""

_CONDITION_FAILED = "ConditionalCheckFailedException"
_NAMES = {"#key": KEY_ATTRIBUTE, "#expires": TTL_ATTRIBUTE, "#revision": "revision"}


class DynamoStore:
    """A StateStore on ``table``.

    DynamoDB purges an item up to days after its time; until then it counts as absent here. Times to
    live are rounded up to whole seconds, the unit of DynamoDB.
    """

    def __init__(
        self, table: str, client: "DynamoDBClient", *, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._client = client
        self._clock = clock

    async def get(self, key: str) -> Item | None:
        """Return the item, or None when it is absent or past its time to live."""
        check_key(key)
        found = await self._call(
            self._client.get_item,
            Key={KEY_ATTRIBUTE: {"S": key}},
            # A claim that was written a moment ago must be seen.
            ConsistentRead=True,
        )
        item = found.get("Item")
        try:
            if item is None or float(item[TTL_ATTRIBUTE]["N"]) <= self._clock():
                return None
            return Item(decode_value(item["value"]["S"]), item["revision"]["S"])
        except (KeyError, ValueError) as error:
            raise StoreUnavailable("The state table holds an item of another program.") from error

    async def put_if_absent(self, key: str, value: Mapping[str, object], ttl: float) -> str | None:
        """Write for ``ttl`` seconds unless the key is there; return the revision if written."""
        return await self._put(key, value, ttl, "attribute_not_exists(#key) OR #expires <= :now")

    async def put(self, key: str, value: Mapping[str, object], ttl: float) -> None:
        """Write for ``ttl`` seconds, whatever was there."""
        item, _ = self._item(key, value, ttl)
        await self._call(self._client.put_item, Item=item)

    async def replace(
        self, key: str, value: Mapping[str, object], ttl: float, revision: str
    ) -> str | None:
        """Overwrite only at ``revision``; return the new revision if it was written."""
        condition = "#revision = :revision AND #expires > :now"
        return await self._put(key, value, ttl, condition, revision)

    async def delete(self, key: str, revision: str | None = None) -> bool:
        """Delete, only at ``revision`` if one is given; tell whether something was deleted."""
        check_key(key)
        condition = "#expires > :now"
        if revision is not None:
            condition += " AND #revision = :revision"
        try:
            await self._call(
                self._client.delete_item,
                Key={KEY_ATTRIBUTE: {"S": key}},
                **self._condition(condition, revision),
            )
        except _ConditionFailed:
            return False
        return True

    async def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with ``prefix``, in any order; reads the whole table."""
        found: list[str] = []
        place: dict[str, Any] = {}
        while True:
            page = await self._call(
                self._client.scan,
                ProjectionExpression="#key",
                FilterExpression="begins_with(#key, :prefix) AND #expires > :now",
                ExpressionAttributeNames={n: _NAMES[n] for n in ("#key", "#expires")},
                ExpressionAttributeValues={
                    ":prefix": {"S": prefix},
                    ":now": {"N": repr(self._clock())},
                },
                **place,
            )
            found += [item[KEY_ATTRIBUTE]["S"] for item in page.get("Items", [])]
            if not page.get("LastEvaluatedKey"):
                return found
            place = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def _put(
        self,
        key: str,
        value: Mapping[str, object],
        ttl: float,
        condition: str,
        revision: str | None = None,
    ) -> str | None:
        item, fresh = self._item(key, value, ttl)
        try:
            await self._call(
                self._client.put_item,
                Item=item,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **self._condition(condition, revision),
            )
        except _ConditionFailed as refused:
            # When an answer is lost botocore asks again, and the second try is refused because of
            # the first: the item then bears the revision that was just made up.
            return fresh if refused.revision == fresh else None
        return fresh

    def _item(
        self, key: str, value: Mapping[str, object], ttl: float
    ) -> tuple[dict[str, Any], str]:
        check_key(key)
        check_ttl(ttl)
        fresh = secrets.token_hex(12)
        item = {
            KEY_ATTRIBUTE: {"S": key},
            "value": {"S": encode_value(value)},
            "revision": {"S": fresh},
            TTL_ATTRIBUTE: {"N": str(math.ceil(self._clock() + ttl))},
        }
        return item, fresh

    def _condition(self, condition: str, revision: str | None) -> dict[str, Any]:
        values = {":now": {"N": repr(self._clock())}}
        if revision is not None:
            values[":revision"] = {"S": revision}
        # DynamoDB refuses a name or a value that the condition does not use.
        names = {name: attribute for name, attribute in _NAMES.items() if name in condition}
        return {
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    async def _call(self, operation: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = await asyncio.to_thread(
                operation, TableName=self._table, **arguments
            )
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and code_of(error) == _CONDITION_FAILED:
                raise _ConditionFailed(error.response) from error
            raise StoreUnavailable(explain(error, "The state table")) from error
        return answer


class _ConditionFailed(Exception):
    def __init__(self, response: Mapping[str, Any]) -> None:
        super().__init__()
        self.revision: str | None = response.get("Item", {}).get("revision", {}).get("S")
