"""From what a catalog declares to a source that can be listed."""

from collections.abc import Callable, Mapping
from pathlib import Path

from index.errors import CatalogInvalid, KnowledgeError
from index.ports import Source
from index.sources.catalog import Declared, Given, Kind
from index.sources.ruled import ruled


def open_source(
    declared: Declared,
    kinds: Mapping[str, Kind],
    *,
    beside: Path,
    work: Path,
    secret: Callable[[str], str],
) -> Source:
    """Make a declared source, with its rules applied.

    ``beside`` and ``secret`` are as in ``Given``; each source gets a folder of its own below
    ``work``. Raises CatalogInvalid, also when the code of a plugin fails.
    """
    kind = kinds[declared.kind]
    given = Given(declared.name, declared.readers, beside, work / declared.name, secret)
    try:
        source = kind.make(given, declared.options)
    except KnowledgeError:
        raise
    except Exception as error:
        raise CatalogInvalid(
            [
                f"Source {declared.name}: kind {declared.kind!r} failed to make it"
                f" ({type(error).__name__}: {error})."
            ]
        ) from error
    with_rules = kind.has_paths and not kind.own_readers
    return ruled(source, declared.rules) if with_rules else source
