"""Sizes and limits: what AWS takes at most, and what a function needs at least.

Rules as in template_rules.py. The limits are those of AWS's pages on quotas, but for the ones whose
rule says that they are ours. cfn-lint knows only some of them, and osls and local clouds none.
"""

import json
from typing import Any

from tests.infra.templates import Template, of_type, referred

DOOR_MEMORY = 1024
"""MB of a function that somebody waits for: less memory is less processor, and Slack waits 3 s."""

DOOR_SECONDS = 30
"""How long an HTTP API waits for its function."""

NEW_ACCOUNT_MEMORY = 3008
"""MB that a function may have in a new account, until AWS raises that quota to 10,240."""

FUNCTION_SECONDS = 900
ENVIRONMENT_BYTES = 4096
DESCRIPTION_CHARACTERS = 256
POLICY_CHARACTERS = 10_240
TEMPLATE_BYTES = 1_000_000
RESOURCES = 500

FILLED_IN_BYTES = 200
"""What a reference is taken to become: longer than the URL of a queue or the ARN of a function."""


def memory(template: Template) -> list[str]:
    """A function has memory that a new account gives, and one that is waited for a gigabyte."""
    broken, waited_for = [], doors(template)
    for name, function in of_type(template, "Lambda::Function"):
        size = int(function.get("MemorySize", 128))
        least = DOOR_MEMORY if name in waited_for else 256
        if not least <= size <= NEW_ACCOUNT_MEMORY:
            broken.append(f"{name} has {size} MB, not {least} to {NEW_ACCOUNT_MEMORY}")
    return broken


def timeouts(template: Template) -> list[str]:
    """A function ends within AWS's 15 minutes, and one that is waited for before its caller."""
    broken, waited_for = [], doors(template)
    for name, function in of_type(template, "Lambda::Function"):
        seconds = int(function.get("Timeout", 3))
        most = DOOR_SECONDS if name in waited_for else FUNCTION_SECONDS
        if seconds > most:
            broken.append(f"{name} may run for {seconds} s, longer than {most}")
    return broken


def environments(template: Template) -> list[str]:
    """The environment of a function fits into 4 KB, with room for what AWS fills in."""
    broken = []
    for name, function in of_type(template, "Lambda::Function"):
        variables = function.get("Environment", {}).get("Variables", {})
        size = sum(len(key.encode()) + _filled_in(value) for key, value in variables.items())
        if size > ENVIRONMENT_BYTES:
            broken.append(f"{name} has an environment of {size} bytes")
    return broken


def descriptions(template: Template) -> list[str]:
    """A function says what it does, in 256 characters."""
    return [
        f"{name} is described in {len(str(function.get('Description', '')))} characters"
        for name, function in of_type(template, "Lambda::Function")
        if not 0 < len(str(function.get("Description", ""))) <= DESCRIPTION_CHARACTERS
    ]


def policies(template: Template) -> list[str]:
    """The policies of a role have 10,240 characters together; AWS does not count white space."""
    broken = []
    for name, role in of_type(template, "IAM::Role"):
        size = sum(_filled_in(policy["PolicyDocument"]) for policy in role.get("Policies", []))
        if size > POLICY_CHARACTERS:
            broken.append(f"{name} has policies of {size} characters")
    return broken


def whole(template: Template) -> list[str]:
    """A template has 500 resources and a megabyte at most."""
    broken, size = [], len(json.dumps(template).encode())
    if size > TEMPLATE_BYTES:
        broken.append(f"the template has {size:,} bytes")
    if len(template["Resources"]) > RESOURCES:
        broken.append(f"the template has {len(template['Resources'])} resources")
    return broken


def throttled(template: Template) -> list[str]:
    """The public door lets only so much through."""
    return [
        f"{name} has no {limit}"
        for name, stage in of_type(template, "ApiGatewayV2::Stage")
        for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit")
        if not stage.get("DefaultRouteSettings", {}).get(limit)
    ]


def concurrency(template: Template) -> list[str]:
    """The worker answers side by side within a limit, and nothing reserves what others need.

    What writes the index holds a lease, so it needs no reservation; a new account has ten
    executions in all, of which AWS lets nobody reserve one.
    """
    broken = []
    for name, mapping in of_type(template, "Lambda::EventSourceMapping"):
        if int(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)) < 2:
            broken.append(f"{name} has no limit, or one below the 2 that AWS takes")
    for name, function in of_type(template, "Lambda::Function"):
        if "ReservedConcurrentExecutions" in function:
            broken.append(f"{name} cannot be deployed to a new account")
    return broken


def doors(template: Template) -> set[str]:
    """Return the functions that an API calls, by themselves or through an alias."""
    aliases = {n: referred(a["FunctionName"]) for n, a in of_type(template, "Lambda::Alias")}
    called = {
        referred(integration["IntegrationUri"])
        for _, integration in of_type(template, "ApiGatewayV2::Integration")
    }
    return {aliases.get(name, name) for name in called}


def _filled_in(value: Any) -> int:
    """Return the bytes of a value without white space, each reference at its longest."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("Ref", "Fn::GetAtt"):
            return FILLED_IN_BYTES
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return len(value["Fn::Sub"].encode())
        if set(value) == {"Fn::Join"}:
            glue, parts = value["Fn::Join"]
            return sum(map(_filled_in, parts)) + len(glue) * (len(parts) - 1)
        return 2 + sum(len(key) + 4 + _filled_in(part) for key, part in value.items())
    if isinstance(value, list):
        return 2 + sum(1 + _filled_in(part) for part in value)
    return len(str(value).encode()) + 2


RULES = (
    *(memory, timeouts, environments, descriptions, policies, whole),
    *(throttled, concurrency),
)
