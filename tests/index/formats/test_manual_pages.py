"""HTML on 20 pages of a real manual, held against the pages by another parser than ours."""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from index.chunking import chunk
from index.documents import ANY_TEXT, Document
from tests.conftest import CORPORA
from tests.index.formats.conftest import Read

MANUAL = CORPORA / "pgdocs-html" / "pgdocs-html.tar.gz"
PAGES = (
    "app-pgdump arrays auth-pg-hba-conf backup-file btree-implementation charset collation"
    " continuous-archiving datatype-datetime ddl-partitioning explicit-locking functions-json"
    " indexes-types libpq-connect mvcc-caveats plpgsql-cursors queries-with sql-createtable"
    " sql-select textsearch-tables"
).split()
HEADINGS = {f"h{level}" for level in range(1, 7)}


@dataclass
class Seen(HTMLParser):
    """What stands in a page: ids with the heading that follows each, code, cells, navigation."""

    headings: dict[str, str] = field(default_factory=dict)
    nameless: set[str] = field(default_factory=set)
    code: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    navigation: list[str] = field(default_factory=list)
    _ids: list[str] = field(default_factory=list)
    _open: list[tuple[str, list[str]]] = field(default_factory=list)
    _around: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("id") or (given.get("name") if tag == "a" else None)
        if name:
            self._ids.append(name)
        if tag == "div" and (self._around or (given.get("class") or "").startswith("nav")):
            self._around += 1
        if tag in HEADINGS or tag in ("pre", "td", "th"):
            self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._around:
            self._around -= 1
        if not self._open or self._open[-1][0] != tag:
            return
        _, words = self._open.pop()
        text = "".join(words)
        if self._around:
            self.navigation.append(text)
        elif tag in HEADINGS:
            if not self._ids:
                self.nameless.add(squeezed(text))
            self.headings |= dict.fromkeys(self._ids, squeezed(text))
            self._ids.clear()
        else:
            (self.code if tag == "pre" else self.cells).append(text)

    def handle_data(self, data: str) -> None:
        for _, words in self._open:
            words.append(data)


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u200b\xad]+", " ", text).strip()


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


@pytest.fixture(scope="module")
def manual() -> dict[str, bytes]:
    with tarfile.open(MANUAL) as archive:
        return dict(contents(archive))


def contents(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        name = Path(member.name).stem
        file = archive.extractfile(member) if name in PAGES else None
        if file is not None:
            yield name, file.read()


def innermost(document: Document, offset: int) -> str:
    """Return the anchor of the last heading above, or of the one that contains it."""
    above = []
    for heading in document.headings:
        if heading.start <= offset:
            above = [h for h in above if h.level < heading.level] + [heading]
    return next((h.anchor for h in reversed(above) if h.anchor), ANY_TEXT)


@pytest.mark.corpus
@pytest.mark.parametrize("name", PAGES)
def test_anchors_lead_to_their_heading_and_only_navigation_is_lost(
    read: Read, manual: dict[str, bytes], name: str
) -> None:
    content = manual[name]
    page = Seen()
    page.feed(content.decode("utf-8"))
    document = read(content, ".html")
    assert document.headings
    for heading in document.headings:
        # Where a page gives a heading no id, there is none to know.
        assert page.headings.get(heading.anchor, heading.text) == heading.text
        assert heading.anchor in page.headings or heading.text in page.nameless
    chunks = chunk(document)
    for one in chunks:
        assert one.anchor == innermost(document, one.start)
        assert one.anchor in page.headings or one.anchor == ANY_TEXT
    assert {one.anchor for one in chunks} & {h.anchor for h in document.headings}
    text = letters(document.text)
    for code in page.code:
        assert code.strip("\n").replace("\t", " " * 8).split("\n")[0].rstrip() in document.text
        assert letters(code) in text
    for cell in page.cells:
        assert letters(cell) in text
    assert page.navigation
    first = document.text[:200]
    assert not re.search(r"\b(Prev|Next|Home)\b", first)
    assert not document.text.rstrip().endswith("Home") and "Prev" not in document.text[-200:]
