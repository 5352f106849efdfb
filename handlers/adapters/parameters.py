"""Settings that lie in the SSM Parameter Store, secrets above all, read in one go."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws import explain

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class ParametersUnreadable(Exception):
    """The parameters could not be read; the sentence names the path and the permission."""


def read_parameters(client: "SSMClient", path: str) -> dict[str, str]:
    """Return all parameters below ``path``, decrypted, by what follows the path in their names.

    Takes one call for every ten parameters. Raises ParametersUnreadable.
    """
    place = path.rstrip("/")
    found: dict[str, str] = {}
    try:
        pages = client.get_paginator("get_parameters_by_path").paginate(
            Path=place, Recursive=True, WithDecryption=True
        )
        for page in pages:
            for parameter in page["Parameters"]:
                found[parameter["Name"].removeprefix(f"{place}/")] = parameter["Value"]
    except (BotoCoreError, ClientError) as error:
        raise ParametersUnreadable(
            f"{explain(error, f'The parameter store, asked for {place}/,')} The function needs "
            f"ssm:GetParametersByPath on parameter{place}/*, and kms:Decrypt where the parameters "
            "have a key of their own."
        ) from error
    return found
