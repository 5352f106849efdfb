"""Kinds of sources that other distributions bring, by an entry point.

A distribution offers a kind in its pyproject.toml; its name is what a catalog calls it:

    [project.entry-points."footnote.sources"]
    wiki = "acme_wiki.footnote:KIND"          # a Kind, see index.sources.catalog

Its code is loaded when a catalog names the kind, and not before: an installed distribution that
nobody uses can break nothing.
"""

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from index.errors import CatalogInvalid
from index.sources.catalog import Kind, Options

GROUP: Final = "footnote.sources"
"""The group of entry points."""


class InstalledKinds(Mapping[str, Kind]):
    """The built-in kinds and those of installed distributions, by name.

    A built-in kind keeps its name, whoever else offers it. Looking up a kind that cannot be loaded,
    or that two distributions offer, raises CatalogInvalid with a sentence that names them.
    """

    def __init__(self, built_in: Mapping[str, Kind]) -> None:
        """Find out what is offered; nothing of it is loaded."""
        self._built_in = dict(built_in)
        self._offered: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=GROUP):
            if point.name not in self._built_in:
                self._offered.setdefault(point.name, []).append(point)

    def __getitem__(self, name: str) -> Kind:
        if name in self._built_in:
            return self._built_in[name]
        return _loaded(self._offered[name])

    def __iter__(self) -> Iterator[str]:
        yield from self._built_in
        yield from self._offered

    def __len__(self) -> int:
        return len(self._built_in) + len(self._offered)


def _loaded(points: list[EntryPoint]) -> Kind:
    point, *others = points
    if others:
        names = " and ".join(sorted(_distribution(one) for one in points))
        raise CatalogInvalid(
            [f"kind {point.name!r} is offered by {names}; uninstall all but one of them."]
        )
    label = f"kind {point.name!r} of the distribution {_distribution(point)}"
    try:
        kind = point.load()
    except (Exception, SystemExit) as error:
        raise CatalogInvalid(
            [f"{label} cannot be loaded ({type(error).__name__}: {error}); repair or uninstall it."]
        ) from error
    if isinstance(kind, Kind) and callable(kind.make) and _are_options(kind.options):
        return kind
    raise CatalogInvalid(
        [f"{label} is {point.value}, which is no Kind with Options; repair or uninstall it."]
    )


def _are_options(options: object) -> bool:
    return isinstance(options, type) and issubclass(options, Options)


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
