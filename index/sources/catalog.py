"""Which sources there are: a TOML file, reviewed like code, and the kinds that it may name.

    [[source]]
    name = "handbook"            # unique and stable: it is part of every document's id
    kind = "folder"              # a key of the kinds
    readers = ["everyone"]       # who may read all of it
    path = "docs/handbook"       # what the kind takes: its Options

    [[source.rules]]             # other readers for some paths; the first that fits decides
    path = "hr/**"
    readers = ["slack-group:S1"]

Nothing is opened or asked here; a source does that when it is listed.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from index.errors import CatalogInvalid
from index.ports import Source
from index.sources.rules import Rule, RulesInvalid, read_readers, read_rules

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_OF_EVERY_SOURCE = ("name", "kind", "readers", "rules")


class Options(BaseModel):
    """What a kind takes besides name, kind and readers; a kind adds its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Given:
    """What every source is made with.

    ``beside`` is where relative paths of the catalog begin. ``work`` is a folder of the source's
    own, which need not exist yet; what a source keeps there may vanish at any time. ``secret``
    returns a secret by the name that the catalog gives it, and raises CatalogInvalid.
    """

    name: str
    readers: frozenset[str]
    beside: Path
    work: Path
    secret: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source: what it takes, and how it is made.

    ``own_readers``: its documents tell who may read them, so that ``readers`` may be left out, and
    ``rules`` have no place. Nor have they where ``has_paths`` is false: one document may be found
    in several places there, and a rule would close one of them.
    """

    options: type[Options]
    make: Callable[[Given, Any], Source]
    own_readers: bool = False
    has_paths: bool = True


@dataclass(frozen=True, slots=True)
class Declared:
    """One source as the catalog declares it. ``readers`` holds ids of principals.

    ``rules`` name other readers for some of its locations.
    """

    name: str
    kind: str
    readers: frozenset[str]
    options: Options
    rules: tuple[Rule, ...] = ()


def read_catalog(text: str, kinds: Mapping[str, Kind]) -> tuple[Declared, ...]:
    """Return what a catalog declares, in its order.

    Raises CatalogInvalid with everything that is wrong with it.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with too many digits
        raise CatalogInvalid([f"The catalog is no TOML: {error}."]) from None
    problems = [f"{name!r} means nothing here; a source begins with [[source]]." for name in tables]
    entries = tables.get("source", [])
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        problems = [one for one in problems if not one.startswith("'source'")]
    else:
        entries = []
    declared = []
    for number, entry in enumerate(entries, start=1):
        one, wrong = _declared(entry, kinds)
        label = entry.get("name") if isinstance(entry.get("name"), str) else f"number {number}"
        problems += [f"Source {label}: {problem}" for problem in wrong]
        if one is not None:
            declared.append(one)
    names = [one.name for one in declared]
    problems += [f"Source {name}: the name is taken twice." for name in _doubled(names)]
    if problems:
        raise CatalogInvalid(problems)
    return tuple(declared)


def _declared(
    entry: Mapping[str, Any], kinds: Mapping[str, Kind]
) -> tuple[Declared | None, list[str]]:
    problems: list[str] = []
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append("name must be lower-case letters, digits, dots, dashes, 64 at most.")
    try:
        kind = kinds.get(str(entry.get("kind")))
    except CatalogInvalid as error:  # the kind of a plugin, which is loaded here
        return None, [*problems, *error.problems]
    if kind is None:
        return None, [*problems, f"kind must be one of {', '.join(sorted(kinds))}."]
    readers, rules = frozenset[str](), tuple[Rule, ...]()
    try:
        readers = _readers(entry, kind)
    except RulesInvalid as error:
        problems += error.problems
    try:
        rules = _rules(entry, kind)
    except RulesInvalid as error:
        problems += error.problems
    given = {key: value for key, value in entry.items() if key not in _OF_EVERY_SOURCE}
    try:
        options = kind.options.model_validate(given)
    except ValidationError as error:
        problems += [_sentence(one) for one in error.errors(include_url=False)]
        return None, problems
    if problems:
        return None, problems
    return Declared(str(name), str(entry["kind"]), readers, options, rules), []


def _readers(entry: Mapping[str, Any], kind: Kind) -> frozenset[str]:
    if "readers" not in entry and kind.own_readers:
        return frozenset()
    return read_readers(entry.get("readers"))


def _rules(entry: Mapping[str, Any], kind: Kind) -> tuple[Rule, ...]:
    if "rules" in entry and kind.own_readers:
        raise RulesInvalid(["rules have no place here: its documents tell who may read them."])
    if "rules" in entry and not kind.has_paths:
        raise RulesInvalid(
            ["rules have no place here: declare what others may read as a source of its own."]
        )
    return read_rules(entry.get("rules", []))


def _sentence(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "it"
    if error["type"] == "extra_forbidden":
        return f"{place} is nothing that this kind takes."
    return f"{place}: {str(error['msg']).removeprefix('Value error, ').rstrip('.')}."


def _doubled(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
