"""Visit one address, and tell what is there: a document, a redirect, or nothing for us."""

import asyncio
import hashlib
import sys
import time
from dataclasses import dataclass, replace
from email.message import Message
from pathlib import PurePosixPath
from typing import Final

from index.errors import FetchFailed
from index.fetching import REDIRECTS, Answer, Headers
from index.formats import LARGEST_BYTES, MEDIA_TYPES
from index.sources.website.cache import Visited
from index.sources.website.locations import Scope, host_of, location
from index.sources.website.pages import Page, header_words, read_page
from index.sources.website.politeness import Visitor, validated, validators

_PAGES: Final = frozenset(("text/html", "application/xhtml+xml"))
_ASSETS: Final = frozenset(("text/css", "text/javascript", "application/javascript"))
_DOCUMENTS: Final = (
    frozenset(MEDIA_TYPES.values()) | _PAGES | {"text/x-markdown", "application/pdf"}
) - _ASSETS
_UNNAMED: Final = frozenset(("", "application/octet-stream", "binary/octet-stream"))


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no document, or none for us. ``why`` is half a sentence."""

    why: str


async def visit(
    visitor: Visitor, url: str, known: Visited | None, scope: Scope
) -> tuple[Visited, bytes | None] | Gone:
    """Return what is at a location now, with the body if it was sent.

    A body that is ``known`` is not sent again. Raises FetchFailed.
    """
    headers = validators(known) if known is not None else {}
    answer = await visitor.get(
        url,
        largest=LARGEST_BYTES,
        headers=headers,
        wanted=lambda given: is_document(url, given),
    )
    status = answer.status
    if status == 304 and known is not None and headers:
        hidden = _is_hidden(answer, visitor.agent)
        return replace(known, checked=time.time(), version="" if hidden else known.version), None
    if status in REDIRECTS:
        return _redirect(url, answer, scope)
    if status in (404, 410):
        return Gone("is not there")
    if 400 <= status < 500:
        return Gone(f"is closed to us (it answered {status})")
    if not 200 <= status < 300:
        raise FetchFailed(f"{url} answered {status}; see what troubles it.")
    if status != 200 or not is_document(url, answer.headers):
        return Gone("holds no document")
    return await _document(visitor, url, answer, scope)


def is_document(url: str, headers: Headers) -> bool:
    """Tell whether an answer holds something that is read, or refused by name."""
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in _UNNAMED:
        return PurePosixPath(url.partition("?")[0].lower()).suffix in MEDIA_TYPES
    return kind in _DOCUMENTS


def version_of(media_type: str, body: bytes) -> str:
    """Return what changes whenever the document may have: a hash of type and content."""
    digest = hashlib.sha256(media_type.encode("utf-8", "surrogateescape") + b"\0")
    digest.update(body)
    return digest.hexdigest()


def _redirect(url: str, answer: Answer, scope: Scope) -> tuple[Visited, None] | Gone:
    target = location(answer.headers.get("Location", ""), url)
    if not target or target == url:
        return Gone("redirects to nowhere")
    if host_of(target) not in scope.hosts:
        return Gone(f"leads to {host_of(target)}, which is not among the hosts")
    if not scope.holds(target):
        return Gone(f"leads to {target}, which is not included")
    return Visited(url, time.time(), links=(target,), alias=True), None


async def _document(
    visitor: Visitor, url: str, answer: Answer, scope: Scope
) -> tuple[Visited, bytes | None]:
    media_type = answer.headers.get("Content-Type", "")
    header = Message()
    header["content-type"] = media_type
    page, hidden = Page(), _is_hidden(answer, visitor.agent)
    if header.get_content_type() in _PAGES:
        charset = str(header.get_content_charset() or "")
        page = await asyncio.to_thread(read_page, answer.body, charset, url, visitor.agent)
    hidden = hidden or page.noindex
    found = Visited(
        url,
        time.time(),
        version="" if hidden else version_of(media_type, answer.body),
        media_type=media_type,
        links=tuple(sys.intern(link) for link in page.links if scope.holds(link))
        if not _words(answer, visitor.agent) & {"nofollow", "none"}
        else (),
        canonical=page.canonical if scope.holds(page.canonical) else "",
    )
    return validated(found, answer.headers), None if hidden else answer.body


def _is_hidden(answer: Answer, agent: str) -> bool:
    return bool(_words(answer, agent) & {"noindex", "none"})


def _words(answer: Answer, agent: str) -> set[str]:
    return header_words(answer.headers.getall("X-Robots-Tag", []), agent)
