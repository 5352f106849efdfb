"""What an administrator allows without asking anybody: exact calls, and nothing like them. Pure.

::

    [[allow]]
    tool = "post_message"
    arguments = { channel = "C012345", text = ["Deployed.", "Rolled back."] }

Every argument of the call has to stand in the rule, and every one of the rule in the call: one that
is left out takes a default that nobody has seen. A list holds the values that are allowed.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from handlers.tools.arguments import canonical
from handlers.tools.errors import BadArguments


class BadPolicy(Exception):
    """The policy cannot be read. ``str(error)`` is written for the operator."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One tool, and for each of its arguments the values that are allowed, as canonical JSON."""

    tool: str
    arguments: Mapping[str, frozenset[str]]

    def allows(self, tool: str, arguments: Mapping[str, object]) -> bool:
        """Tell whether the call is exactly one of those that the rule names."""
        return (
            tool == self.tool
            and arguments.keys() == self.arguments.keys()
            and all(_text(value) in self.arguments[name] for name, value in arguments.items())
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules; a call is allowed if one of them allows it."""

    rules: tuple[Rule, ...] = ()

    def allows(self, tool: str, arguments: Mapping[str, object]) -> bool:
        """Tell whether a call may run without a human. What is not JSON may not."""
        try:
            return any(rule.allows(tool, arguments) for rule in self.rules)
        except BadArguments:
            return False


NO_POLICY = Policy()
"""Everything waits for a human."""


def read_policy(text: str) -> Policy:
    """Read a policy, as TOML. Raises BadPolicy."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with too many digits
        raise BadPolicy(f"The policy is not TOML: {error}.") from error
    rules = data.pop("allow", [])
    if data:
        raise BadPolicy(
            f"The policy holds {', '.join(sorted(data))}; only [[allow]] has a meaning."
        )
    if not isinstance(rules, list):
        raise BadPolicy("Write [[allow]] with two brackets, once for each rule.")
    return Policy(tuple(_rule(number, rule) for number, rule in enumerate(rules, start=1)))


def _rule(number: int, rule: object) -> Rule:
    if not isinstance(rule, Mapping) or rule.keys() != {"tool", "arguments"}:
        raise BadPolicy(f"Rule {number} of the policy needs tool and arguments, and nothing else.")
    tool, arguments = rule["tool"], rule["arguments"]
    if not isinstance(tool, str) or not tool:
        raise BadPolicy(f"The tool of rule {number} of the policy is not a name.")
    if not isinstance(arguments, Mapping):
        raise BadPolicy(
            f"The arguments of rule {number} of the policy are not a table; "
            "for a tool that takes none write arguments = {}."
        )
    try:
        allowed = {
            name: frozenset(_text(one) for one in (value if isinstance(value, list) else [value]))
            for name, value in arguments.items()
        }
    except BadArguments as error:
        raise BadPolicy(f"Rule {number} of the policy holds what JSON cannot: {error}") from error
    return Rule(tool, allowed)


def _text(value: object) -> str:
    return canonical({"": value})
