"""The stack of serverless.yml in the local cloud: packaged, deployed, and what became of it."""

import asyncio
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra import osls
from infra.bundle import BundleError
from infra.local_cloud.errors import LocalCloudError
from infra.local_cloud.ministack import REGION, ROOT, ROOT_KEY, ROOT_SECRET, Ministack
from infra.local_cloud.processes import clean_environment, run
from infra.package import code_zip

STAGE = "local"
STACK = "footnote-local"
PARAMETERS = f"/footnote/{STAGE}/"
_DEPLOY_SECONDS = 300.0
_PATIENT = Config(read_timeout=300, retries={"mode": "standard"})


@dataclass(frozen=True)
class Stack:
    """A deployed stack. ``resources`` are the names that AWS gave, by the names in the template."""

    aws: Ministack
    resources: Mapping[str, str]
    template: Path
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return a client of the local AWS, as the account's root user."""
        if service not in self._clients:
            self._clients[service] = client(self.aws.endpoint, service)
        return self._clients[service]

    @cached_property
    def events_url(self) -> str:
        """Return the address that Slack posts to."""
        api = self.resources["HttpApi"]
        return f"{self.aws.endpoint}/_aws/execute-api/{api}/$default/slack/events"

    def function(self, name: str) -> str:
        """Return the name that AWS knows a function of serverless.yml by."""
        return f"{STACK}-{name}"

    def roles(self) -> list[str]:
        """Return the names of the roles of the stack."""
        wanted = (name for name in self.resources if name.endswith("Role"))
        return [self.resources[name] for name in wanted]

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return what a role is allowed, as deployed."""
        iam = self.client("iam")
        policies = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return [
            statement
            for policy in policies
            for statement in iam.get_role_policy(RoleName=role, PolicyName=policy)[
                "PolicyDocument"
            ]["Statement"]
        ]

    def log(self, name: str) -> list[str]:
        """Return all that a function has logged, oldest first."""
        pages = self.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=f"/aws/lambda/{self.function(name)}")
        return [event["message"] for page in found for event in page["events"]]

    def close(self) -> None:
        """Close the connections."""
        for made in self._clients.values():
            made.close()


def client(endpoint: str, service: str, config: Config = _PATIENT) -> Any:
    """Return a client of the local AWS, as the account's root user."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=ROOT_SECRET,
        config=config,
    )


def put_settings(endpoint: str, settings: Mapping[str, str]) -> None:
    """Write settings where the functions of the stage look for them, encrypted."""
    ssm = client(endpoint, "ssm")
    for name, value in settings.items():
        ssm.put_parameter(Name=f"{PARAMETERS}{name}", Value=value, Type="SecureString")
    ssm.close()


async def deployed(aws: Ministack, parameters: Mapping[str, str]) -> Stack:
    """Package the code and deploy serverless.yml. Raises LocalCloudError.

    ``parameters`` are stage parameters, as in `osls deploy --param name=value`.
    """
    service = aws.folder / "service"
    try:
        await asyncio.to_thread(_lay_out, service)
    except BundleError as error:
        raise LocalCloudError(str(error)) from error
    environment = clean_environment(
        aws.folder / "osls",
        AWS_ENDPOINT_URL=aws.endpoint,
        AWS_REGION=REGION,
        AWS_ACCESS_KEY_ID=ROOT_KEY,
        AWS_SECRET_ACCESS_KEY=ROOT_SECRET,
        **osls.environment(),
    )
    given = [f"--param={name}={value}" for name, value in parameters.items()]
    try:
        command = osls.command("deploy", "--stage", STAGE, *given)
    except osls.OslsError as error:
        raise LocalCloudError(str(error)) from error
    log = aws.folder / "osls.log"
    try:
        async with asyncio.timeout(_DEPLOY_SECONDS):
            await run(command, what="osls deploy", log=log, environment=environment, cwd=service)
    except TimeoutError:
        raise LocalCloudError(
            f"osls deploy did not end within {_DEPLOY_SECONDS:.0f} s; all it said is in {log}."
        ) from None
    template = service / ".serverless" / "cloudformation-template-update-stack.json"
    return Stack(aws, await asyncio.to_thread(_resources, aws), template)


def _lay_out(service: Path) -> None:
    """Make the folder that osls works in: it writes beside serverless.yml."""
    service.mkdir()
    shutil.copyfile(ROOT / "serverless.yml", service / "serverless.yml")
    (service / "infra").symlink_to(ROOT / "infra")
    code_zip(service / "build" / "code.zip")


def _resources(aws: Ministack) -> dict[str, str]:
    cloudformation = client(aws.endpoint, "cloudformation")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    found = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
    }
    cloudformation.close()
    return found


def site_packages() -> str:
    """Return the folder where the packages of this environment lie."""
    return sysconfig.get_paths()["purelib"]
