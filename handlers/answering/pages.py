"""The nearest pages, for when the answer is not there. Pure."""

from collections.abc import Iterable

from bot.conversation import Nearby
from handlers.answering.cleaning import one_line
from handlers.answering.quotes import deep_link, headings
from index.documents import Passage

MOST_NEARBY = 3


def nearby(passages: Iterable[Passage]) -> tuple[Nearby, ...]:
    """Return up to three distinct documents, in the order of their best passage."""
    pages: dict[str, Nearby] = {}
    for passage in passages:
        if passage.chunk.document_id in pages or len(pages) == MOST_NEARBY:
            continue
        path = headings(passage)
        pages[passage.chunk.document_id] = Nearby(
            title=one_line(passage.title),
            url=deep_link(passage.url, passage.chunk.anchor),
            heading=one_line(path[-1]) if path else "",
        )
    return tuple(pages.values())
