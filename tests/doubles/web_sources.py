"""Sources on a website of this machine, that wait no longer than a test has to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from index.audience import EVERYONE
from index.documents import DocumentRef
from index.fetching import Patience
from index.sources.web import WebOptions, WebSource
from index.sources.website.politeness import Persistence
from tests.doubles.website import Website

READERS = frozenset({EVERYONE.id})
Making = Callable[..., WebSource]


def source_on(
    site: Website,
    work: Path,
    *,
    patience: Patience | None = None,
    persistence: Persistence | None = None,
    resolve: Any = None,
    trust: Any = None,
    **options: Any,
) -> WebSource:
    """Return a source that begins at the root of ``site``, unless ``options`` say otherwise."""
    if not options.keys() & {"start", "sitemap"}:
        options["start"] = site.url()
    given = {"allow_private": [site.host], "per_second": 1_000, **options}
    return WebSource(
        WebOptions.model_validate(given),
        name="web",
        readers=READERS,
        work=work,
        patience=patience or Patience(2.0, 1.0, 1.0),
        persistence=persistence or Persistence(tries=2, pause=0.01),
        resolve=resolve,
        trust=trust,
    )


async def refs(source: WebSource) -> dict[str, DocumentRef]:
    """Return what a source lists, by path; a page on another host by its address."""
    return {place_of(ref.location): ref async for ref in source.list()}


def place_of(url: str) -> str:
    """Return path and query of an address."""
    return "/" + url.split("/", 3)[3]
