"""Rules by path: who may read a document, in the catalog and in a file beside the documents.

    [[rules]]                              # in the catalog: [[source.rules]]
    path = "hr/**"                         # see PathPattern
    readers = ["slack-group:S1"]        # as in the catalog

The first rule whose path fits decides; where none fits, the next wider word counts: the rules of
the catalog, then its ``readers``. What the catalog says is reviewed and may be any readers. What
the file beside the documents says can only narrow that, for whoever may write a page there could
otherwise open everything: ``narrowed`` draws the line. A file that cannot be read or understood
closes all of its documents, for the rule that it meant to write may be the one that matters.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.audience import EVERYONE, Principal
from index.sources.patterns import PathPattern

RULE_FILE: Final = ".footnote-readers.toml"
"""Name of the rule file, in the root of a folder, a repository or a prefix."""

LARGEST_RULE_FILE: Final = 200_000
"""Bytes. Every document is held against every rule, so their number is bounded too."""

MOST_RULES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may read the documents of a path. ``readers`` holds ids of principals."""

    path: PathPattern
    readers: frozenset[str]


class RulesInvalid(ValueError):
    """Rules that cannot be used. ``problems`` holds a sentence for each thing that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problems))


def read_readers(given: object) -> frozenset[str]:
    """Return the ids of a list of written principals. Raises RulesInvalid."""
    if not isinstance(given, list) or not given:
        raise RulesInvalid(['readers must say who may read it, such as ["everyone"].'])
    readers, problems = set(), []
    for one in given:
        try:
            readers.add(Principal.written(str(one)).id)
        except ValueError as error:
            problems.append(f"readers: {error}")
    if problems:
        raise RulesInvalid(problems)
    return frozenset(readers)


def read_rules(given: object) -> tuple[Rule, ...]:
    """Return rules as TOML gives them: a list of tables. Raises RulesInvalid."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise RulesInvalid(["rules must be tables, each with path and readers."])
    if len(given) > MOST_RULES:
        raise RulesInvalid([f"there are {len(given):,} rules; {MOST_RULES:,} are allowed."])
    rules, problems = [], []
    for number, table in enumerate(given, start=1):
        try:
            rules.append(_rule(table))
        except RulesInvalid as error:
            problems += [f"rule {number}: {problem}" for problem in error.problems]
    if problems:
        raise RulesInvalid(problems)
    return tuple(rules)


def read_rule_file(content: bytes) -> tuple[Rule, ...]:
    """Return the rules of a rule file. Raises RulesInvalid."""
    if len(content) > LARGEST_RULE_FILE:
        raise RulesInvalid([f"it is larger than {LARGEST_RULE_FILE:,} bytes; shorten it."])
    try:
        tables = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise RulesInvalid(["it is no UTF-8 text; save it as UTF-8."]) from None
    except (ValueError, RecursionError) as error:  # also of a number with too many digits
        raise RulesInvalid([f"it is no TOML ({str(error)[:200]})."]) from None
    foreign = sorted(tables.keys() - {"rules"})
    if foreign:
        raise RulesInvalid([f"{foreign[0]!r} means nothing here; a rule begins with [[rules]]."])
    return read_rules(tables.get("rules", []))


def deciding(rules: Sequence[Rule], location: str) -> Rule | None:
    """Return the first rule that fits, or None when none does."""
    return next((rule for rule in rules if rule.path.matches(location)), None)


def narrowed(allowed: frozenset[str], named: frozenset[str]) -> frozenset[str]:
    """Return whom of ``named`` the ``allowed`` readers admit; nobody if there is no such reader.

    Where everyone is allowed, anybody may be named. Where some are, those of them that are named
    stay, and naming everyone keeps them all. That somebody belongs to an allowed group cannot be
    seen here, so a person who is named instead of an allowed group is not let in.
    """
    if EVERYONE.id in allowed:
        return named
    return allowed if EVERYONE.id in named else allowed & named


def _rule(table: dict[str, object]) -> Rule:
    problems = [
        f"{name!r} means nothing here; a rule has path and readers."
        for name in sorted(table.keys() - {"path", "readers"})
    ]
    readers: frozenset[str] = frozenset()
    pattern = None
    try:
        pattern = PathPattern(str(table.get("path", "")))
    except ValueError as error:
        problems.append(f"path {error}")
    try:
        readers = read_readers(table.get("readers"))
    except RulesInvalid as error:
        problems += error.problems
    if pattern is None or problems:
        raise RulesInvalid(problems)
    return Rule(pattern, readers)
