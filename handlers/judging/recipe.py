"""The recipe of a figure: everything that, changed, may change it. No figure without its recipe.

Weights and limits are read from the modules that use them: each constant with a public name in
capitals is part of the recipe, so a new one needs no entry here. What no constant tells, a hash of
the code does.
"""

import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import ModuleType

from handlers.answering import evidence, extractive, prompts, quoting, refusal
from handlers.judging import figures, intervals, judge
from index import (
    chunking,
    context,
    follow_ups,
    keywords,
    lance_upkeep,
    near_duplicates,
    ranking,
    retrieval,
)
from index.keywords import ANALYSIS
from index.ports import Embedder

Block = Mapping[str, object]

_PARTS: Mapping[str, ModuleType] = {
    "chunker": chunking,
    "keywords": keywords,
    "fusion": ranking,
    "turns": follow_ups,
    "retrieval": retrieval,
    "near duplicates": near_duplicates,
    "context": context,
    "vector index": lance_upkeep,
    "quotes": extractive,
    "evidence": evidence,
    "quoting": quoting,
    "refusal": refusal,
    "figures": figures,
    "intervals": intervals,
    "judge": judge,
}
_CODE = (
    "index",
    "handlers.answering",
    "handlers.judging",
    "handlers.adapters.openai_model",
    "handlers.adapters.openai_calls",
    "handlers.adapters.openai_embedder",
    "handlers.adapters.entailment",
    "handlers.runtime.answerers",
    "handlers.runtime.embedders",
    "handlers.runtime.evaluation_desks",
    "handlers.runtime.wiring",
    "bot.conversation",
)
"""Packages and modules that take part in a figure, by name: most stand to the left of this room."""

_LIBRARIES = (
    # Search.
    *("lancedb", "numpy", "PyStemmer"),
    # Models.
    *("onnxruntime", "torch", "sentence-transformers", "transformers", "tokenizers", "openai"),
    # Documents.
    *("markdown-it-py", "selectolax", "pypdfium2", "docutils"),
    # Figures.
    "ir-measures",
)
EXTRACTIVE = "none (extractive)"
_TOLD_ONLY = frozenset({"date"})
"""Differs from run to run and changes no figure."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that two recipes do not share; a missing value is None."""

    name: str
    before: object
    after: object


def configuration(
    *,
    embedder: Embedder,
    precision: Block,
    model: str,
    sampling: Block,
    settings: Block,
    run: Block,
    sets: Block,
) -> dict[str, object]:
    """Return the configuration block of a run: groups of names and plain values.

    ``precision`` tells in which floats vectors are computed, ``sampling`` how the model is asked,
    ``settings`` holds those that shape an answer, ``run`` how it was asked for, ``sets`` what each
    set holds; an empty ``model`` means that answers are quotes.
    """
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "package": _version("footnote-bot"),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "code": {package: _code(package) for package in _CODE},
        **{part: constants(module) for part, module in _PARTS.items()},
        "keyword analysis": ANALYSIS,
        "embedder": embedder.name,
        "precision": dict(precision),
        "prompts": {"versions": ", ".join(prompts.versions()), **prompt_files()},
        "model": model or EXTRACTIVE,
        "sampling": dict(sampling) if model else {},
        "settings": dict(settings),
        "run": dict(run),
        "sets": dict(sets),
    }


def constants(module: ModuleType) -> dict[str, object]:
    """Return the public constants of a module that are numbers, few in a row, or short texts."""
    return {
        # As JSON gives it back, so that a recipe that was read compares equal.
        name: list(value) if isinstance(value, tuple) else value
        for name, value in sorted(vars(module).items())
        if re.fullmatch(r"[A-Z][A-Z0-9_]*", name)
        and isinstance(value, int | float | str | tuple)
        and len(str(value)) <= 60
    }


def prompt_files() -> dict[str, object]:
    """Return 12 hex digits for each prompt file; they change with any word of it."""
    folder = files("handlers.answering")
    return {
        entry.name: hashlib.sha256(entry.read_bytes()).hexdigest()[:12]
        for entry in sorted(folder.iterdir(), key=lambda one: one.name)
        if entry.name.endswith("_prompt.md")
    }


def changes(before: Block, after: Block) -> list[Change]:
    """Return what differs between two configuration blocks, by name, in the order of the new one.

    Only sets that both runs hold are compared.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    shared = _sets(before) & _sets(after)
    names = [*new, *(name for name in old if name not in new)]
    return [
        Change(" ".join(name), old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
        and name[0] not in _TOLD_ONLY
        and (name[0] != "sets" or (len(name) > 1 and name[1] in shared))
    ]


def rows(block: Block) -> list[tuple[str, object]]:
    """Return the block as lines of name and value, for people."""
    return [(" ".join(name), value) for name, value in _flat(block)]


def _flat(block: Block, above: Sequence[str] = ()) -> list[tuple[tuple[str, ...], object]]:
    lines: list[tuple[tuple[str, ...], object]] = []
    for name, value in block.items():
        if isinstance(value, Mapping):
            lines += _flat(value, (*above, str(name)))
        else:
            lines.append(((*above, str(name)), value))
    return lines


def _sets(block: Block) -> set[str]:
    held = block.get("sets")
    return set(held) if isinstance(held, Mapping) else set()


def _code(name: str) -> str:
    digest = hashlib.sha256()
    above, _, last = name.rpartition(".")
    module = files(above) / f"{last}.py" if above else None
    for entry in [module] if module and module.is_file() else _modules(files(name)):
        digest.update(hashlib.sha256(entry.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _modules(folder: Traversable) -> list[Traversable]:
    found: list[Traversable] = []
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".py"):
            found.append(entry)
        elif entry.is_dir() and entry.name != "__pycache__":
            found += _modules(entry)
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
