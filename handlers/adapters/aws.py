"""Clients of AWS services, with the patience of a program that somebody is waiting for."""

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

_PATIENCE = Config(
    # boto3 waits 60 s by default and tries five times: Slack waits 3 s in all.
    connect_timeout=1.0,
    read_timeout=2.0,
    retries={"mode": "standard", "total_max_attempts": 3},
)

_FILES = Config(
    # A document may have 20 MB, and nobody waits for it. Of a server that is not AWS's own, a
    # bucket need not be a host.
    connect_timeout=5.0,
    read_timeout=60.0,
    retries={"mode": "standard", "total_max_attempts": 4},
)
_FILES_ELSEWHERE = _FILES.merge(Config(s3={"addressing_style": "path"}))


@overload
def make_client(service: Literal["sqs"], options: Mapping[str, str]) -> "SQSClient": ...
@overload
def make_client(service: Literal["dynamodb"], options: Mapping[str, str]) -> "DynamoDBClient": ...
@overload
def make_client(service: Literal["ssm"], options: Mapping[str, str]) -> "SSMClient": ...
@overload
def make_client(service: Literal["s3"], options: Mapping[str, str]) -> "S3Client": ...


def make_client(
    service: Literal["sqs", "dynamodb", "ssm", "s3"], options: Mapping[str, str]
) -> "SQSClient | DynamoDBClient | SSMClient | S3Client":
    """Return a client; ``options`` are ``Settings.aws_client_options``. Does no I/O.

    The first one takes about 50 ms, others with the same credentials 5 to 20. A client may be used
    by several threads at once. Raises botocore's NoRegionError when neither the options nor AWS's
    own configuration name a region.
    """
    about = {name: value for name, value in options.items() if name != "endpoint_url"}
    # A session, unlike a client, is not made for several threads at once.
    endpoint = options.get("endpoint_url")
    files = _FILES_ELSEWHERE if endpoint else _FILES
    with _opening:
        client: SQSClient | DynamoDBClient | SSMClient | S3Client = _session(**about).client(
            service, endpoint_url=endpoint, config=files if service == "s3" else _PATIENCE
        )
    return client


_opening = threading.Lock()


@lru_cache(maxsize=4)
def _session(**options: str) -> boto3.Session:
    """Return the session of these credentials: each new one reads AWS's own tables again."""
    return boto3.Session(**options)  # type: ignore[arg-type]


def explain(error: Exception, what: str) -> str:
    """Return a sentence about a failed call to ``what``, for the person who runs the stack.

    Codes of AWS are shown, its messages are not: they may repeat what was sent.
    """
    code = code_of(error)
    return f"{what} did not take the call ({code}). {_hint(code)}"


def code_of(error: Exception) -> str:
    """Return AWS's word for what went wrong, or the name of an error that AWS had no part in."""
    response: Mapping[str, Mapping[str, object]] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code") or type(error).__name__)


def _hint(code: str) -> str:
    if "AccessDenied" in code or "UnrecognizedClient" in code or "InvalidClientToken" in code:
        return "Check the credentials and the permissions of this function."
    if "NonExistent" in code or "NotFound" in code:
        return "Check its name, the account and AWS_REGION."
    if "Credentials" in code:
        return "Give AWS credentials, in the environment or as a role."
    return "It is tried again."
