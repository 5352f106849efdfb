"""Workbooks: each sheet is a heading with its rows; dates and percentages as people see them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from index.formats import Refused
from index.formats.archive import Archive
from index.formats.docx import core_title
from index.formats.office_parts import targets
from index.formats.outline import Outline
from index.formats.rows import MOST_CELLS, Rows
from index.formats.xlsx_values import Kind, kinds_of_styles, shown
from index.formats.xml_events import Attributes, attribute, walk

_BOOK = "xl/workbook.xml"
_WIDEST = 16_384
"""Columns of a sheet, by Excel's own limit."""


@dataclass
class _Book:
    sheets: list[tuple[str, str]] = field(default_factory=list)
    """Name and the id that leads to its part, without the hidden ones."""
    from_1904: bool = False


def read(content: bytes) -> Outline:
    """Return the outline of an .xlsx file. Raises Refused."""
    outline = Outline()
    with Archive(content) as archive:
        book = _book(archive.read(_BOOK))
        parts = targets(archive, _BOOK)
        named = dict(parts.values())
        strings = _strings(archive.read_if_there(named.get("sharedStrings", "")))
        kinds = kinds_of_styles(archive.read_if_there(named.get("styles", "")))
        rows = Rows(outline)
        for name, part in book.sheets:
            kind, path = parts.get(part, ("", ""))
            if kind == "worksheet":
                sheet = _Sheet(strings, kinds, book.from_1904)
                walk(archive.read(path), sheet.start, sheet.end, sheet.text)
                if sheet.rows:
                    outline.heading(name, 1)
                    rows.write(sheet.filled())
        outline.title = core_title(archive)
    return outline


def _book(content: bytes) -> _Book:
    book = _Book()

    def start(name: str, attributes: Attributes) -> None:
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            part = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            book.sheets.append((attributes.get("name", ""), part))
        elif name == "workbookPr":
            book.from_1904 = attributes.get("date1904") in ("1", "true")

    walk(content, start, lambda _: None)
    return book


def _strings(content: bytes) -> list[str]:
    strings: list[str] = []
    words: list[str] = []
    in_text = False
    reading = 0

    def start(name: str, _: Attributes) -> None:
        nonlocal in_text, reading
        if name == "rPh":
            reading += 1
        in_text = name == "t" and not reading

    def end(name: str) -> None:
        nonlocal in_text, reading
        in_text = False
        if name == "rPh":
            reading -= 1
        elif name == "si":
            strings.append("".join(words))
            words.clear()

    if content:
        walk(content, start, end, lambda text: words.append(text) if in_text else None)
    return strings


@dataclass
class _Sheet:
    strings: Sequence[str]
    kinds: Sequence[Kind]
    from_1904: bool
    rows: list[dict[int, str]] = field(default_factory=list)
    cells: int = 0
    column: int = 0
    type: str = ""
    style: int = 0
    words: list[str] = field(default_factory=list)
    in_value: bool = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self.column = _column(attributes.get("r", "")) or self.column + 1
            self.type = attributes.get("t", "n")
            style = attribute(attributes, "s")
            self.style = int(style) if style.isdecimal() else 0
            self.words.clear()
        elif name == "row":
            self.rows.append({})
            self.column = 0
        self.in_value = name in ("v", "t")

    def end(self, name: str) -> None:
        self.in_value = False
        if name != "c" or not self.words or not self.rows:
            return
        value = self._value("".join(self.words))
        if value:
            self.rows[-1][self.column] = value
            self.cells += 1
        if self.cells > MOST_CELLS:
            raise Refused(
                f"holds more than {MOST_CELLS:,} cells; save the part that people ask about"
            )

    def text(self, text: str) -> None:
        if self.in_value:
            self.words.append(text)

    def _value(self, text: str) -> str:
        match self.type:
            case "s":
                index = int(text) if text.isdecimal() else -1
                return self.strings[index] if 0 <= index < len(self.strings) else ""
            case "b":
                return "TRUE" if text == "1" else "FALSE"
            case "n":
                kind = self.kinds[self.style] if self.style < len(self.kinds) else Kind.NUMBER
                return shown(text, kind, from_1904=self.from_1904)
            case _:
                return text

    def filled(self) -> Iterator[list[str]]:
        """Yield the rows with their empty cells, from the first column that any row uses."""
        left = min((min(row) for row in self.rows if row), default=1)
        for row in self.rows:
            yield [row.get(column, "") for column in range(left, max(row, default=0) + 1)]


def _column(reference: str) -> int:
    """Return the number of the column of a cell such as ``AB12``, from 1; 0 if there is none."""
    number = 0
    for letter in reference:
        if not "A" <= letter <= "Z" or number > _WIDEST:
            break
        number = number * 26 + ord(letter) - 64
    return min(number, _WIDEST)
