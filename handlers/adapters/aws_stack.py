"""A deployed stack as the operator sees it: who asks, what it consists of, and its parameters."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.config import Config

from handlers.adapters.aws_operator import PATIENCE, CloudRefused, operator_client, told

_ABSENT = "ValidationError"
"""CloudFormation's code for a stack that does not exist."""

START_SECONDS = 60.0
"""A function whose image Lambda has never run takes longer than any other call."""

_STARTING = PATIENCE.merge(Config(read_timeout=START_SECONDS, retries={"total_max_attempts": 1}))
_NOT_IN_TIME = "ReadTimeoutError"


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials these are: the number of the account, and the name of user or role."""

    account: str
    name: str


class AwsStack:
    """Stacks and parameters of one region. All methods raise CloudRefused; no I/O when built."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """``options`` are ``Settings.aws_client_options`` and name the region."""
        self._options = options

    async def identity(self) -> Identity:
        """Return whose credentials these are, which proves that they are valid."""
        found = await self._call("sts", "get_caller_identity", "The account")
        return Identity(str(found["Account"]), str(found["Arn"]).rpartition(":")[2])

    async def outputs(self, stack: str) -> Mapping[str, str]:
        """Return what the stack tells of itself, by the names in serverless.yml."""
        try:
            found = await self._call(
                "cloudformation", "describe_stacks", f"The stack {stack}", StackName=stack
            )
        except CloudRefused as error:
            if error.code == _ABSENT:
                raise CloudRefused(f"The stack {stack}", "NotFound") from error
            raise
        listed = found["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in listed}

    async def function_seconds(self, function: str) -> float:
        """Return after how many seconds Lambda ends an invocation of the function."""
        found = await self._call(
            "lambda",
            "get_function_configuration",
            f"The function {function}",
            FunctionName=function,
        )
        return float(found["Timeout"])

    async def wake(self, function: str) -> str:
        """Have a function that serves a queue start for no message; return why it could not.

        Empty when it started, with all opened that a message would need. The why is the kind of
        error, and no text of the function.
        """
        what = f"The function {function}"

        def invoke(client: Any) -> str:
            answer = client.invoke(FunctionName=function, Payload=b'{"Records": []}')
            said = answer["Payload"].read()
            if "FunctionError" not in answer:
                return ""
            try:
                return str(json.loads(said)["errorType"])
            except (ValueError, TypeError, KeyError):
                return "an error without a name"

        try:
            return await self._with("lambda", what, invoke, patience=_STARTING)
        except CloudRefused as error:
            if error.code == _NOT_IN_TIME:
                return f"no end of its start within {START_SECONDS:.0f} s"
            raise

    async def parameter_names(self, path: str) -> frozenset[str]:
        """Return what follows ``path`` in the names of all parameters below it; no values."""
        place = path.rstrip("/")

        def names(client: Any) -> frozenset[str]:
            pages = client.get_paginator("get_parameters_by_path").paginate(
                Path=place, Recursive=True, WithDecryption=False
            )
            return frozenset(
                str(parameter["Name"]).removeprefix(f"{place}/")
                for page in pages
                for parameter in page["Parameters"]
            )

        return await self._with("ssm", f"The parameter store, asked for {place}/,", names)

    async def put_secret(self, name: str, value: str) -> None:
        """Write a parameter, encrypted, unless there is one of that name."""
        await self._call(
            "ssm",
            "put_parameter",
            f"The parameter store, given {name},",
            Name=name,
            Value=value,
            Type="SecureString",
            Overwrite=False,
        )

    async def _call(
        self, service: str, operation: str, what: str, **arguments: object
    ) -> Mapping[str, Any]:
        def call(client: Any) -> Mapping[str, Any]:
            answer: Mapping[str, Any] = getattr(client, operation)(**arguments)
            return answer

        return await self._with(service, what, call)

    async def _with(
        self, service: str, what: str, work: Callable[[Any], T], *, patience: Config = PATIENCE
    ) -> T:
        def worked() -> T:
            client = operator_client(service, self._options, patience=patience)
            try:
                with told(what):
                    return work(client)
            finally:
                client.close()

        return await asyncio.to_thread(worked)
