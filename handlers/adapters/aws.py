"""Clients of AWS services, with the patience of a program that somebody is waiting for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_PATIENCE = Config(
    # boto3 waits 60 s by default and tries five times: Slack waits 3 s in all.
    connect_timeout=1.0,
    read_timeout=2.0,
    retries={"mode": "standard", "total_max_attempts": 3},
)


@overload
def make_client(service: Literal["sqs"], options: Mapping[str, str]) -> "SQSClient": ...
@overload
def make_client(service: Literal["dynamodb"], options: Mapping[str, str]) -> "DynamoDBClient": ...


def make_client(
    service: Literal["sqs", "dynamodb"], options: Mapping[str, str]
) -> "SQSClient | DynamoDBClient":
    """Return a client; ``options`` are ``Settings.aws_client_options``. Takes about 50 ms, no I/O.

    A client may be used by several threads at once. Raises botocore's NoRegionError when neither
    the options nor AWS's own configuration name a region.
    """
    session = boto3.Session(
        aws_access_key_id=options.get("aws_access_key_id"),
        aws_secret_access_key=options.get("aws_secret_access_key"),
        aws_session_token=options.get("aws_session_token"),
        region_name=options.get("region_name"),
    )
    endpoint = options.get("endpoint_url")
    if service == "sqs":
        sqs: SQSClient = session.client("sqs", endpoint_url=endpoint, config=_PATIENCE)
        return sqs
    dynamodb: DynamoDBClient = session.client("dynamodb", endpoint_url=endpoint, config=_PATIENCE)
    return dynamodb


def explain(error: Exception, what: str) -> str:
    """Return a sentence about a failed call to ``what``, for the person who runs the stack.

    Codes of AWS are shown, its messages are not: they may repeat what was sent.
    """
    response: Mapping[str, Mapping[str, object]] = getattr(error, "response", {})
    code = str(response.get("Error", {}).get("Code") or type(error).__name__)
    return f"{what} did not take the call ({code}). {_hint(code)}"


def _hint(code: str) -> str:
    if "AccessDenied" in code or "UnrecognizedClient" in code or "InvalidClientToken" in code:
        return "Check the credentials and the permissions of this function."
    if "NonExistent" in code or "NotFound" in code:
        return "Check its name, the account and AWS_REGION."
    if "Credentials" in code:
        return "Give AWS credentials, in the environment or as a role."
    return "It is tried again."
