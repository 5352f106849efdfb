"""What every Source promises, as checks that any source can be held against.

    @pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
    async def test_the_wiki_is_a_source(check: contract.Check, tmp_path: Path) -> None:
        await check(WikiPlace(tmp_path))

The checks are plain coroutines and know no test framework. Each wants a fresh place, fills it, and
raises ContractBroken where a promise is not kept. How locations look is the source's affair: pages
are told apart by what they say.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from inspect import isawaitable
from typing import Protocol

from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable
from index.parsing import DocumentParser
from index.ports import Source

Pages = Mapping[str, str]
"""Name of a page, such as ``a leave.txt`` -> its text, different for each."""

PAGES: Pages = {"a leave.txt": "Twenty days.", "b größe.txt": "Ça va? 東京", "c #1?.txt": "x = {1}"}


class Place(Protocol):
    """A place whose documents a check may replace: a folder, a server, an account for tests."""

    def fill(self, pages: Pages) -> Awaitable[None] | None:
        """Let the place hold these pages and no others; never none. May be asynchronous."""
        ...

    def open(self) -> Source:
        """Return a fresh source on the place, as another process would make it."""
        ...


Check = Callable[[Place], Awaitable[None]]


class ContractBroken(AssertionError):
    """A source does not keep a promise; ``str()`` says which."""


async def lists_each_document_once_under_its_own_name(place: Place) -> None:
    """Every document is listed once; refs bear the name of the source and ids of their own."""
    await _fill(place, PAGES)
    source = place.open()
    listed = [ref async for ref in source.list()]
    _hold(len(listed) == len(PAGES), f"{len(PAGES)} documents are there, {len(listed)} are listed")
    _hold(len({ref.location for ref in listed}) == len(PAGES), "a location is listed twice")
    _hold(all(ref.source == source.name for ref in listed), "a ref bears a foreign source")
    _hold(all(ref.version for ref in listed), "a ref has no version")
    _hold(place.open().name == source.name, "the name is not stable")


async def changes_a_version_exactly_when_the_content_changes(place: Place) -> None:
    """An unchanged document keeps its ref; a changed one keeps its id and no version."""
    await _fill(place, PAGES)
    before = await _by_text(place.open())
    _hold(await _by_text(place.open()) == before, "refs differ though nothing has changed")
    await _fill(place, {**PAGES, "a leave.txt": "Thirty days."})
    after = await _by_text(place.open())
    old, new = before.pop("Twenty days."), after.pop("Thirty days.", None)
    _hold(new is not None, "a changed document is listed or fetched as it was")
    assert new is not None
    _hold(new.id == old.id, "a changed document has another id")
    _hold(new.version != old.version, "a changed document has the version that it had")
    _hold(after == before, "a document has another ref though another one has changed")


async def lists_no_document_that_is_gone(place: Place) -> None:
    """What was taken away is not listed, and what was added is."""
    await _fill(place, PAGES)
    await _by_text(place.open())
    rest = {name: text for name, text in PAGES.items() if name != "a leave.txt"}
    await _fill(place, {**rest, "d new.txt": "Something new."})
    texts = set(await _by_text(place.open()))
    _hold("Twenty days." not in texts, "a document that is gone is still listed")
    _hold("Something new." in texts, "a new document is not listed")


async def fetches_what_it_lists(place: Place) -> None:
    """Fetched bytes come with the listed ref, a type, readers and a time with a zone."""
    await _fill(place, PAGES)
    source = place.open()
    listed = [ref async for ref in source.list()]
    raws = await asyncio.gather(*(source.fetch(ref) for ref in listed))
    for ref, raw in zip(listed, raws, strict=True):
        _hold(raw.ref == ref, f"{ref.location} is fetched with another ref, though unchanged")
        _hold(bool(raw.readers), f"{ref.location} has no readers")
        _hold(
            not source.readers or raw.readers == source.readers,
            f"{ref.location} has other readers than the source, which names some for all",
        )
        in_utc = raw.updated_at is None or raw.updated_at.utcoffset() == timedelta(0)
        _hold(in_utc, f"{ref.location} has a time that is not in UTC")
        opens = raw.url == "" or raw.url.startswith(("https://", "http://"))
        _hold(opens, f"{ref.location} has an address that a browser does not open")
    _hold({_text(raw) for raw in raws} == set(PAGES.values()), "fetched bytes are not the pages")


async def fetches_what_another_process_listed(place: Place) -> None:
    """A ref is all that is needed: listing and fetching may happen on different machines."""
    await _fill(place, PAGES)
    listed = [ref async for ref in place.open().list()]
    for ref in listed:
        raw = await place.open().fetch(ref)
        _hold(raw.ref == ref, f"{ref.location} is fetched elsewhere with another ref")


async def never_passes_new_content_for_an_old_version(place: Place) -> None:
    """Bytes that are newer than the listing bear the version that the next listing gives them."""
    await _fill(place, PAGES)
    source = place.open()
    listed = await _by_text(source)
    await _fill(place, {**PAGES, "a leave.txt": "Thirty days."})
    for one in (source, place.open()):
        raw = await one.fetch(listed["Twenty days."])
        relisted = await _by_text(place.open())
        expected = {**listed, **relisted}.get(_text(raw))
        _hold(raw.ref == expected, "content is fetched with the version of another content")


async def refuses_a_document_that_is_not_there(place: Place) -> None:
    """What is gone, was never there or belongs to another source is one unreadable document."""
    await _fill(place, PAGES)
    source = place.open()
    gone = (await _by_text(source))["Twenty days."]
    await _fill(place, {name: text for name, text in PAGES.items() if name != "a leave.txt"})
    elsewhere = replace(next(iter((await _by_text(place.open())).values())), source="no-such")
    made_up = [
        replace(gone, location=location)
        for location in ("no such page.txt", "../a leave.txt", "/etc/hostname", "", "\0", "é" * 999)
    ]
    for ref in (gone, elsewhere, *made_up):
        try:
            await place.open().fetch(ref)
        except DocumentUnreadable as error:
            _hold(str(error).endswith("."), f"{error!r} is no sentence")
        else:
            raise ContractBroken(f"{ref} is not there, but is fetched.")


CHECKS: tuple[Check, ...] = (
    lists_each_document_once_under_its_own_name,
    changes_a_version_exactly_when_the_content_changes,
    lists_no_document_that_is_gone,
    fetches_what_it_lists,
    fetches_what_another_process_listed,
    never_passes_new_content_for_an_old_version,
    refuses_a_document_that_is_not_there,
)
"""All of them, in an order in which a new source is best made to keep them."""


async def _fill(place: Place, pages: Pages) -> None:
    filling = place.fill(pages)
    if isawaitable(filling):
        await filling


async def _by_text(source: Source) -> dict[str, DocumentRef]:
    return {_text(await source.fetch(ref)): ref async for ref in source.list()}


def _text(raw: RawDocument) -> str:
    return DocumentParser().parse(raw).text


def _hold(kept: bool, broken: str) -> None:
    if not kept:
        raise ContractBroken(f"{broken}.")
