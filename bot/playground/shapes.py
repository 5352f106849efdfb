"""A small language for the shapes of Block Kit: rules that look at JSON and note what is wrong.

A rule is a function ``(value, pointer, problems) -> None``; ``pointer`` is the JSON pointer that
Slack names in its own messages. Pure.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

Problems = list[str]
Rule = Callable[[Any, str, Problems], None]


def note(problems: Problems, sentence: str, pointer: str) -> None:
    """Add a problem in Slack's wording."""
    problems.append(f"[ERROR] {sentence} [json-pointer:{pointer}]")


def string(maximum: int = 0, minimum: int = 0) -> Rule:
    """Return the rule of a string of ``minimum`` to ``maximum`` characters (0: no limit)."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, str):
            note(problems, "must be a string", at)
        elif len(value) < minimum:
            note(problems, f"must be more than {minimum - 1} characters", at)
        elif maximum and len(value) > maximum:
            note(problems, f"must be less than {maximum + 1} characters", at)

    return check


def web_address(maximum: int = 3_000) -> Rule:
    """Return the rule of an absolute http(s), mailto or slack address."""

    def check(value: Any, at: str, problems: Problems) -> None:
        string(maximum, 1)(value, at, problems)
        known = ("http://", "https://", "mailto:", "slack://")
        if isinstance(value, str) and not value.lower().startswith(known):
            note(problems, "must be a valid URL", at)

    return check


def boolean(value: Any, at: str, problems: Problems) -> None:
    """Note a value that is not true or false."""
    if not isinstance(value, bool):
        note(problems, "must be a boolean", at)


def number(value: Any, at: str, problems: Problems) -> None:
    """Note a value that is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        note(problems, "must be a number", at)


def anything(value: Any, at: str, problems: Problems) -> None:
    """Accept every value."""


def one_of(*choices: str) -> Rule:
    """Return the rule of an enumeration."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if value not in choices:
            note(problems, f"must be one of: {', '.join(choices)}", at)

    return check


def list_of(rule: Rule, maximum: int = 0, minimum: int = 1) -> Rule:
    """Return the rule of a list of ``minimum`` to ``maximum`` items that each keep ``rule``."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, list):
            note(problems, "must be an array", at)
            return
        if len(value) < minimum:
            note(problems, f"no fewer than {minimum} items required", at)
        if maximum and len(value) > maximum:
            note(problems, f"no more than {maximum} items allowed", at)
        for position, item in enumerate(value):
            rule(item, f"{at}/{position}", problems)

    return check


def shape(
    required: Mapping[str, Rule],
    optional: Mapping[str, Rule] | None = None,
    *,
    also: Rule | None = None,
) -> Rule:
    """Return the rule of an object with these keys and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            note(problems, "must be an object", at)
            return
        for key in required:
            if key not in value:
                note(problems, f"missing required field: {key}", at)
        for key, item in value.items():
            if key not in known:
                note(problems, f"invalid additional property: {key}", at)
            else:
                known[key](item, f"{at}/{key}", problems)
        if also is not None:
            also(value, at, problems)

    return check


def kind_of(table: Mapping[str, Rule], allowed: Collection[str] | None = None) -> Rule:
    """Return the rule of an object whose ``type`` picks its shape from ``table``."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            note(problems, "must be an object", at)
            return
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in table:
            note(problems, f"unsupported type: {kind}", at)
        elif allowed is not None and kind not in allowed:
            note(problems, f"unsupported type here: {kind}", at)
        else:
            table[kind](value, at, problems)

    return check


def exactly_one(*keys: str) -> Rule:
    """Return the rule of an object that must hold one of ``keys`` and not two."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if sum(key in value for key in keys) != 1:
            note(problems, f"must have exactly one of: {', '.join(keys)}", at)

    return check


def at_least_one(*keys: str) -> Rule:
    """Return the rule of an object that must hold at least one of ``keys``."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not any(key in value for key in keys):
            note(problems, f"must have at least one of: {', '.join(keys)}", at)

    return check


def all_of(rules: Sequence[Rule]) -> Rule:
    """Return the rule that applies several rules to one value."""

    def check(value: Any, at: str, problems: Problems) -> None:
        for rule in rules:
            rule(value, at, problems)

    return check
