"""The audit log of production: a DynamoDB table with one partition a day.

    day    2026-11-29                                  partition key, a string
    at_id  2026-11-29T20:52:41.000001Z#<id>            sort key, a string
    entry  {"event": "approved", ...}

The role of a function needs PutItem to add; whoever reads needs Query. Nobody needs more.
"""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import code_of, explain
from handlers.tools.audit import AuditEntry, decode_entry, encode_entry, stamp
from handlers.work.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_ATTRIBUTE = "day"
AT_ATTRIBUTE = "at_id"

_CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoAudit:
    """An AuditLog in ``table``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client
        # Entries of one process at one time stay in the order in which they came.
        self._count = itertools.count()

    async def append(self, entry: AuditEntry) -> None:
        """Return when the table has the entry."""
        at = stamp(entry.at)
        id_ = entry.id or f"{next(self._count):08x}-{secrets.token_hex(12)}"
        item = {
            DAY_ATTRIBUTE: {"S": at[:10]},
            AT_ATTRIBUTE: {"S": f"{at}#{id_}"},
            "entry": {"S": encode_entry(entry)},
        }
        try:
            # The condition holds for this one key, so it says that nothing is overwritten.
            await self._call(
                self._client.put_item,
                Item=item,
                ConditionExpression="attribute_not_exists(#day)",
                ExpressionAttributeNames={"#day": DAY_ATTRIBUTE},
            )
        except _KnownAlready:
            return

    async def read(self, since: datetime, until: datetime) -> AsyncIterator[AuditEntry]:
        """Yield entries in the order of their times, from ``since`` to before ``until``."""
        begins, ends = stamp(since), stamp(until)
        for day in _days(since, until):
            following: Mapping[str, Any] = {}
            while True:
                page = await self._call(
                    self._client.query,
                    KeyConditionExpression="#day = :day AND #at BETWEEN :begins AND :ends",
                    ExpressionAttributeNames={"#day": DAY_ATTRIBUTE, "#at": AT_ATTRIBUTE},
                    ExpressionAttributeValues={
                        ":day": {"S": day},
                        # An entry at the very end sorts behind it: its key goes on with "#".
                        ":begins": {"S": begins},
                        ":ends": {"S": ends},
                    },
                    ConsistentRead=True,
                    **following,
                )
                for item in page.get("Items", []):
                    yield _decoded(item)
                if not page.get("LastEvaluatedKey"):
                    break
                following = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def _call(self, operation: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = await asyncio.to_thread(
                operation, TableName=self._table, **arguments
            )
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and code_of(error) == _CONDITION_FAILED:
                raise _KnownAlready from error
            raise StoreUnavailable(explain(error, "The audit table")) from error
        return answer


def _decoded(item: Mapping[str, Any]) -> AuditEntry:
    try:
        return decode_entry(item["entry"]["S"])
    except (KeyError, ValueError) as error:
        raise StoreUnavailable("The audit table holds an item of another program.") from error


def _days(since: datetime, until: datetime) -> Iterator[str]:
    day, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    while day <= last:
        yield day.isoformat()
        day += timedelta(days=1)


class _KnownAlready(Exception):
    pass
