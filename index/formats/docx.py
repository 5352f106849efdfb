"""Word documents: headings, lists, tables, footnotes, and the pages that Word last printed."""

from dataclasses import dataclass, field

from index.formats.archive import Archive
from index.formats.docx_styles import Lists, Styles, read_styles
from index.formats.outline import Outline, one_line
from index.formats.xml_events import Attributes, attribute, walk

_BODY = "word/document.xml"
_PAGE = "\f"
_SKIPPED = frozenset(
    "Fallback del moveFrom instrText delText sectPr tblPr pPrChange rPrChange tabs".split()
)
"""Elements passed over with all below: what was deleted, fields, and what is said twice."""


def read(content: bytes) -> Outline:
    """Return the outline of a .docx file. Raises Refused."""
    with Archive(content) as archive:
        body = archive.read(_BODY)
        styles = read_styles(
            archive.read_if_there("word/styles.xml"), archive.read_if_there("word/numbering.xml")
        )
        notes = _footnotes(archive.read_if_there("word/footnotes.xml"))
        title = core_title(archive)
    # Where Word has never laid the document out, only the breaks its author set are known.
    printed = b"lastRenderedPageBreak" in body
    reader = _Reader(Outline(), styles, Lists(styles), notes, printed)
    walk(body, reader.start, reader.end, reader.text)
    outline = reader.outline
    first = next((h.text for h in outline.headings if h.level == 1), "")
    outline.title = reader.title or title or first
    return outline


def core_title(archive: Archive) -> str:
    """Return the title in the properties of an Office file, or an empty string."""
    content = archive.read_if_there("docProps/core.xml")
    if not content:
        return ""
    found: list[str] = []
    in_title = False

    def start(name: str, _: Attributes) -> None:
        nonlocal in_title
        in_title = name == "title"

    def end(_: str) -> None:
        nonlocal in_title
        in_title = False

    walk(content, start, end, lambda text: found.append(text) if in_title else None)
    return one_line("".join(found))


def _footnotes(content: bytes) -> dict[str, str]:
    notes: dict[str, list[str]] = {}
    now: list[str] = []
    in_text = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal now, in_text
        if name == "footnote":
            real = attribute(attributes, "type") in ("", "normal")
            now = notes.setdefault(attribute(attributes, "id"), []) if real else []
        in_text = name == "t"

    def end(name: str) -> None:
        nonlocal in_text
        in_text = False
        if name == "p":
            now.append(" ")

    if content:
        walk(content, start, end, lambda text: now.append(text) if in_text else None)
    return {key: one_line("".join(words)) for key, words in notes.items()}


@dataclass
class _Paragraph:
    words: list[str] = field(default_factory=list)
    style: str = ""
    level: int | None = None
    list_id: str = ""
    list_level: int = 0
    hidden: bool = False


@dataclass
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    cell: list[str] = field(default_factory=list)


@dataclass
class _Reader:
    outline: Outline
    styles: Styles
    lists: Lists
    notes: dict[str, str]
    printed: bool
    title: str = ""
    page: int = 1
    skipping: int = 0
    in_text: bool = False
    in_run_style: bool = False
    close: bool = False
    paragraphs: list[_Paragraph] = field(default_factory=list)
    tables: list[_Table] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: Attributes) -> None:
        if self.skipping or name in _SKIPPED:
            self.skipping += 1
            return
        if name == "p":
            self.paragraphs.append(_Paragraph())
        elif name == "tbl":
            self.tables.append(_Table())
        elif name == "tr" and self.tables:
            self.tables[-1].rows.append([])
        elif self.paragraphs:
            self._in_paragraph(name, attributes, self.paragraphs[-1])

    def _in_paragraph(self, name: str, attributes: Attributes, now: _Paragraph) -> None:
        value = attribute(attributes, "val")
        match name:
            case "r":
                now.hidden = False
            case "t":
                self.in_text = not now.hidden
            case "rPr":
                self.in_run_style = True
            case "vanish" if self.in_run_style:
                now.hidden = value not in ("0", "false")
            case "tab" if not self.in_run_style:
                now.words.append(" ")
            case "noBreakHyphen":
                now.words.append("-")
            case "cr" | "br":
                by_page = attribute(attributes, "type") == "page"
                now.words.append("\n" if not by_page else "" if self.printed else _PAGE)
            case "lastRenderedPageBreak":
                now.words.append(_PAGE)
            case "pStyle":
                now.style = value
            case "outlineLvl":
                now.level = int(value) + 1 if value.isdecimal() else None
            case "ilvl":
                now.list_level = int(value) if value.isdecimal() else 0
            case "numId":
                now.list_id = value
            case "footnoteReference":
                note = self.notes.get(attribute(attributes, "id"), "")
                if note:
                    self.noted.append(note)

    def end(self, name: str) -> None:
        if self.skipping:
            self.skipping -= 1
            return
        match name:
            case "t":
                self.in_text = False
            case "rPr":
                self.in_run_style = False
            case "p" if self.paragraphs:
                self._close_paragraph(self.paragraphs.pop())
            case "tc" if self.tables:
                table = self.tables[-1]
                if table.rows:
                    table.rows[-1].append("".join(table.cell))
                table.cell.clear()
            case "tbl" if self.tables:
                self._close_table(self.tables.pop())

    def text(self, text: str) -> None:
        if self.in_text and not self.skipping:
            self.paragraphs[-1].words.append(text)

    def _close_paragraph(self, now: _Paragraph) -> None:
        text = "".join(now.words)
        if self.paragraphs:
            # A text box stands inside the paragraph that it is tied to.
            self.paragraphs[-1].words.append(f" {text} ")
        elif self.tables:
            self.tables[-1].cell.append(f"{text} ")
        else:
            self._write(text, now)
            self._write_notes()

    def _write(self, text: str, now: _Paragraph) -> None:
        style = self.styles.of(now.style)
        level = now.level if now.level is not None else style.level
        list_id = now.list_id or style.list_id
        mark = ""
        if one_line(text) and level is None and list_id not in ("", "0"):
            mark = self.lists.mark(list_id, now.list_level)
        if style.is_contents:
            return
        if style.is_title and not self.title:
            self.title = one_line(text)
        begun = False
        for number, part in enumerate(text.split(_PAGE)):
            if number:
                self._next_page()
            if not one_line(part):
                continue
            if level is not None:
                self.outline.heading(part, level)
            elif begun:
                self.outline.continued(part)
            else:
                self._lines(part, mark)
            begun = True
        self.close = bool(mark)

    def _lines(self, text: str, mark: str) -> None:
        close = bool(mark) and self.close
        for line in filter(one_line, text.split("\n")):
            self.outline.paragraph(line, mark=mark, close=close)
            mark, close = "", True

    def _write_notes(self) -> None:
        for note in self.noted:
            self.outline.paragraph(note)
        self.noted.clear()

    def _next_page(self) -> None:
        if self.page == 1 and not self.outline.pages and self.outline.size:
            self.outline.first_page()
        self.page += 1
        self.outline.page(self.page)

    def _close_table(self, table: _Table) -> None:
        if self.tables:
            words = [one_line(cell) for row in table.rows for cell in row]
            self.tables[-1].cell.append(" ".join(filter(None, words)) + " ")
            return
        close = False
        for row in table.rows:
            # A break inside of a row comes before it here: there the reader begins to look.
            if any(_PAGE in cell for cell in row):
                self._next_page()
            cells = [one_line(cell) for cell in row]
            if any(cells):
                self.outline.paragraph(" | ".join(cells), close=close)
                close = True
        self.close = False
        self._write_notes()
