from collections.abc import Callable

import pytest

from index.documents import Document, DocumentRef, RawDocument
from index.formats import MEDIA_TYPES
from index.parsing import DocumentParser

Read = Callable[[bytes | str, str], Document]


@pytest.fixture
def read() -> Read:
    """Parses content under the media type of a suffix; every offset of what comes is checked."""

    def parse(content: bytes | str, suffix: str) -> Document:
        raw = RawDocument(
            DocumentRef("files", f"guide/page_one{suffix}", "v1"),
            content if isinstance(content, bytes) else content.encode(),
            MEDIA_TYPES[suffix],
            f"https://docs.example/page_one{suffix}",
            frozenset({"e1"}),
            None,
        )
        document = DocumentParser().parse(raw)
        starts = [heading.start for heading in document.headings]
        assert starts == sorted(starts) and all(s < len(document.text) for s in starts)
        pages = [page.start for page in document.pages]
        assert pages == sorted(pages)
        return document

    return parse
