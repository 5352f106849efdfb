"""From settings to sources: FOOTNOTE_DOCS, and what the catalog FOOTNOTE_SOURCES declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from handlers.runtime.settings import Settings, SettingsError
from index.audience import EVERYONE
from index.errors import CatalogInvalid
from index.ports import Source
from index.sources import files, git, web
from index.sources.catalog import Declared, Given, Kind, read_catalog
from index.sources.opening import open_source
from index.sources.plugins import InstalledKinds

DOCS = "files"
"""Name of the source that FOOTNOTE_DOCS stands for."""


def kinds(settings: Settings) -> Mapping[str, Kind]:
    """Return the kinds that a catalog may name: ours, and those of installed distributions."""
    from handlers.adapters.s3_source import s3_kind

    return InstalledKinds(
        {
            "folder": files.KIND,
            "git": git.KIND,
            "s3": s3_kind(settings.aws_client_options()),
            "slack": _slack(settings),
            "web": web.KIND,
        }
    )


def _slack(settings: Settings) -> Kind:
    from handlers.adapters.slack_rooms import SlackOptions
    from handlers.adapters.slack_source import slack_kind

    @cache
    def of_workspace() -> Kind:
        from bot.app import make_client

        token = settings.slack_bot_token
        if token is None:
            raise CatalogInvalid(
                ['kind = "slack" reads channels with SLACK_BOT_TOKEN, which is not set.']
            )
        return slack_kind(make_client(token.get_secret_value(), settings.slack_api_url))

    def opened(given: Given, options: SlackOptions) -> Source:
        return of_workspace().make(given, options)

    return Kind(SlackOptions, opened, own_readers=True)


def declared_sources(
    settings: Settings, known: Mapping[str, Kind] | None = None
) -> Sequence[Declared]:
    """Return all sources that are declared, FOOTNOTE_DOCS first; ``known`` are the kinds.

    Raises SettingsError when there is none or a setting cannot be used, CatalogInvalid.
    """
    found: list[Declared] = []
    if settings.docs is not None:
        options = files.FolderOptions(
            path=settings.require_docs().absolute(), url=settings.docs_url
        )
        found.append(Declared(DOCS, "folder", frozenset({EVERYONE.id}), options))
    if settings.sources is not None:
        found += read_catalog(
            _text_of(settings.sources), kinds(settings) if known is None else known
        )
    if not found:
        settings.require_docs()
    names = [one.name for one in found]
    if settings.docs is not None and names.count(DOCS) > 1:
        raise CatalogInvalid([f"Source {DOCS}: that is the name of FOOTNOTE_DOCS; take another."])
    return found


def document_sources(settings: Settings, known: Mapping[str, Kind] | None = None) -> list[Source]:
    """Return all declared sources, ready to be listed. Raises SettingsError, CatalogInvalid."""
    known = kinds(settings) if known is None else known
    return [
        open_source(
            one,
            known,
            beside=settings.sources.absolute().parent if settings.sources else Path.cwd(),
            work=settings.home.absolute() / "sources",
            secret=_secrets(settings),
        )
        for one in declared_sources(settings, known)
    ]


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
