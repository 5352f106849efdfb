"""A stretch of a passage as a footnote: verbatim, in its context, with a safe deep link. Pure."""

import re
from urllib.parse import quote as percent_encode
from urllib.parse import urlsplit

from bot.conversation import Citation
from handlers.answering.cleaning import one_line
from index.documents import ANY_TEXT, Passage

CONTEXT_CHARACTERS = 240
"""How much of the passage is shown before and after a quote; more is cut, with an ellipsis."""

FRAGMENT_WORDS = 8
"""Words of a quote that a browser is given to look for: enough to be the only place."""

_MARK = re.compile(r"^(?:[-*•] |\d{1,9}\. )")
_OURS = re.compile(r" \||\^")


def cite(passage: Passage, start: int, end: int, number: int) -> Citation:
    """Return the footnote that quotes ``passage.chunk.text[start:end]``, verbatim."""
    text = passage.chunk.text
    return Citation(
        number=number,
        title=one_line(passage.title),
        url=deep_link(passage.url, passage.chunk.anchor, text[start:end]),
        quote=text[start:end],
        before=_before(text[:start]),
        after=_after(text[end:]),
        heading=one_line(" › ".join(headings(passage))),
        page=passage.chunk.page,
        updated_at=passage.updated_at,
        document_id=passage.chunk.document_id,
        readers=passage.readers,
    )


def headings(passage: Passage) -> tuple[str, ...]:
    """Return the headings above a passage, without one that only repeats the title."""
    path = passage.chunk.heading_path
    return path[1:] if path and one_line(path[0]) == one_line(passage.title) else path


def deep_link(url: str, anchor: str, quote: str = "") -> str:
    """Return the address of a place in a document, or "" unless it is a plain http(s) address.

    ``anchor`` is that of a chunk; where only the words themselves lead to the place, the browser
    is given the first of ``quote`` to look for.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    if re.search(r"[\s<>|\"'`\\^{}\x00-\x20\x7f\u0080-\u00a0\u200b-\u206f\ufeff]", url):
        return ""
    if parts.fragment:
        return url
    if anchor == ANY_TEXT:
        words = _first_words(quote)
        return f"{url.removesuffix('#')}#{ANY_TEXT}{_in_directive(words)}" if words else url
    if anchor:
        return f"{url.removesuffix('#')}#{percent_encode(anchor, safe='-._~!$&*+,;=:@/?')}"
    return url


def _first_words(quote: str) -> str:
    """Return what a browser finds: whole words, of one block of the page, as they stand in it.

    Marks of lists, borders of cells and a raised number are ours, not the page's.
    """
    line = next(filter(None, map(str.strip, quote.split("\n"))), "")
    own = _OURS.split(_MARK.sub("", line), maxsplit=1)[0].strip()
    words = own.split()
    return " ".join(words[:FRAGMENT_WORDS]) if any(map(str.isalnum, own)) else ""


def _in_directive(words: str) -> str:
    """Percent-encode the text of a directive, where a dash means something too."""
    return percent_encode(words, safe="").replace("-", "%2D")


def _before(text: str) -> str:
    if len(text) <= CONTEXT_CHARACTERS:
        return text
    cut = text[-CONTEXT_CHARACTERS:]
    blank = re.search(r"\s", cut)
    return f"…{cut[blank.start() :] if blank else cut}"


def _after(text: str) -> str:
    if len(text) <= CONTEXT_CHARACTERS:
        return text
    cut = text[:CONTEXT_CHARACTERS]
    blank = max(cut.rfind(" "), cut.rfind("\n"))
    return f"{cut[:blank] if blank > 0 else cut} …"
