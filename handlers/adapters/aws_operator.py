"""AWS as the operator's commands use it: clients of any service, and refusals as sentences."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import code_of
from handlers.work.errors import WorkError

PATIENCE = Config(
    # Together less than the time limit of a check, so that no thread outlives its check for long.
    connect_timeout=2.0,
    read_timeout=4.0,
    retries={"mode": "standard", "total_max_attempts": 2},
)

_TODO = {
    "denied": "Give the user or role whose credentials these are the permission for it.",
    "credentials": "Give AWS credentials that are valid now, in the environment or in .env.",
    "missing": "Check the name, the account, and AWS_REGION or --region.",
    "unreachable": "Check AWS_REGION, AWS_ENDPOINT_URL and the way to AWS.",
    "": "See what AWS means by that, and try again.",
}
_DENIED = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError", "Forbidden", "403")
_CREDENTIALS = (
    "Credentials",
    "InvalidClientToken",
    "UnrecognizedClient",
    "ExpiredToken",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "RequestExpired",
)
_MISSING = ("NonExistent", "NotFound", "DoesNotExist", "NoSuchBucket", "404", "NoRegion")
_UNREACHABLE = ("EndpointConnection", "Timeout", "ConnectionClosed", "SSLError", "ProxyConnection")


class CloudRefused(WorkError):
    """AWS did not do what it was asked. ``code`` is its word for why, ``todo`` what to do about it.

    The sentence holds no message of AWS: those may repeat what was sent.
    """

    def __init__(self, what: str, code: str) -> None:
        self.code = code
        self.found = f"{what} did not take the call ({code})."
        self.todo = _todo(code)
        super().__init__(f"{self.found} {self.todo}")

    @property
    def denied(self) -> bool:
        """Tell whether only a permission was missing."""
        return _todo(self.code) == _TODO["denied"]


def operator_client(
    service: str, options: Mapping[str, str], *, patience: Config = PATIENCE
) -> Any:
    """Return a client of any service; ``options`` are ``Settings.aws_client_options``. No I/O.

    Raises CloudRefused when no region is named anywhere.
    """
    arguments: dict[str, Any] = dict(options)
    with told(f"The client of {service}"):
        return boto3.Session().client(service, config=patience, **arguments)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn an error of AWS inside the block into CloudRefused; ``what`` begins its sentence."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise CloudRefused(what, code_of(error)) from error


def _todo(code: str) -> str:
    for kind, words in (
        ("denied", _DENIED),
        ("credentials", _CREDENTIALS),
        ("missing", _MISSING),
        ("unreachable", _UNREACHABLE),
    ):
        if any(word in code for word in words):
            return _TODO[kind]
    return _TODO[""]
