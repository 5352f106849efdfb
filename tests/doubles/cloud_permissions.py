"""What the roles of a deployed stack are allowed, and a stack in which one of them may do less."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from infra.local_cloud import gaps
from infra.local_cloud.stack import Stack

Permission = tuple[str, str, str]
"""A role by its name in the template, the Sid of a statement, and one of its actions."""


def allowed(stack: Stack) -> set[Permission]:
    """Return all permissions of all roles."""
    return {
        (logical, statement["Sid"], action)
        for logical, role in stack.resources.items()
        if logical.endswith("Role")
        for statement in stack.statements(role)
        if "Sid" in statement
        for action in _actions_of(statement)
    }


def visible(permissions: Collection[Permission], unseen: Collection[str]) -> set[Permission]:
    """Leave out what cannot be seen to fail: an action, a statement, or one action of it."""
    return {
        (logical, sid, action)
        for logical, sid, action in permissions
        if not {action, sid, f"{logical} {sid} {action}"} & set(unseen)
    }


@contextmanager
def without(stack: Stack, logical: str, sid: str, action: str) -> Iterator[None]:
    """Take one permission from a role for the time of the block."""
    iam, role = stack.client("iam"), stack.resources[logical]
    saved = {}
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        saved[name] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    try:
        for name, document in saved.items():
            if name == gaps.POLICY and action == gaps.BY_PATH:
                iam.delete_role_policy(RoleName=role, PolicyName=name)
                continue
            changed = json.loads(json.dumps(document))
            for statement in changed["Statement"]:
                if statement.get("Sid") == sid:
                    left = [one for one in _actions_of(statement) if one != action]
                    statement["Action"] = left or ["none:None"]
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(changed))
        yield
    finally:
        for name, document in saved.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _actions_of(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions
