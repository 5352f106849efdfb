"""From settings to sources: FOOTNOTE_DOCS, and what the catalog FOOTNOTE_SOURCES declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from handlers.runtime.settings import Settings, SettingsError
from index.audience import EVERYONE
from index.documents import stable_id
from index.errors import CatalogInvalid
from index.ports import Source
from index.sources import files
from index.sources.catalog import Declared, Given, Kind, read_catalog

DOCS = "files"
"""Name of the source that FOOTNOTE_DOCS stands for."""


def kinds(settings: Settings) -> Mapping[str, Kind]:
    """Return the kinds that a catalog may name."""
    return {"folder": files.KIND}


def declared_sources(settings: Settings) -> Sequence[Declared]:
    """Return all sources that are declared, FOOTNOTE_DOCS first.

    Raises SettingsError when there is none or a setting cannot be used, CatalogInvalid.
    """
    found: list[Declared] = []
    if settings.docs is not None:
        options = files.FolderOptions(
            path=settings.require_docs().absolute(), url=settings.docs_url
        )
        found.append(Declared(DOCS, "folder", frozenset({EVERYONE.id}), options))
    if settings.sources is not None:
        found += read_catalog(_text_of(settings.sources), kinds(settings))
    if not found:
        settings.require_docs()
    names = [one.name for one in found]
    if settings.docs is not None and names.count(DOCS) > 1:
        raise CatalogInvalid([f"Source {DOCS}: that is the name of FOOTNOTE_DOCS; take another."])
    return found


def made(settings: Settings, declared: Declared) -> Source:
    """Return a declared source, ready to be listed. Raises CatalogInvalid."""
    given = Given(
        name=declared.name,
        readers=declared.readers,
        beside=settings.sources.absolute().parent if settings.sources else Path.cwd(),
        work=settings.home.absolute() / "sources" / stable_id(declared.name),
        secret=_secrets(settings),
    )
    return kinds(settings)[declared.kind].make(given, declared.options)


def document_sources(settings: Settings) -> list[Source]:
    """Return all declared sources. Raises SettingsError, CatalogInvalid."""
    return [made(settings, one) for one in declared_sources(settings)]


def _text_of(catalog: Path) -> str:
    try:
        return catalog.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"FOOTNOTE_SOURCES is {catalog}, which cannot be read ({type(error).__name__})."]
        ) from None


def _secrets(settings: Settings) -> Callable[[str], str]:
    given = settings.source_secrets.get_secret_value() if settings.source_secrets else ""
    known = dict(pair.split("=", 1) for pair in given.split())

    def secret(name: str) -> str:
        if name not in known:
            raise CatalogInvalid([f"FOOTNOTE_SOURCE_SECRETS holds no {name!r}; add {name}=..."])
        return known[name]

    return secret
