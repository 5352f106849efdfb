"""Slides: each is a page with its title as the heading, its text, its tables and its notes."""

from dataclasses import dataclass, field

from index.formats.archive import Archive
from index.formats.docx import core_title
from index.formats.office_parts import targets
from index.formats.outline import Outline, one_line
from index.formats.xml_events import Attributes, attribute, walk

_SHOW = "ppt/presentation.xml"
_TITLES = frozenset(("title", "ctrTitle"))
_FURNITURE = frozenset("dt ftr sldNum hdr sldImg".split())
"""Placeholders that say the same on every slide: date, footer, number."""


@dataclass
class _Shape:
    kind: str = ""
    paragraphs: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def read(content: bytes) -> Outline:
    """Return the outline of a .pptx file. Raises Refused."""
    outline = Outline()
    with Archive(content) as archive:
        parts = targets(archive, _SHOW)
        for number, slide in enumerate(_slides(archive.read(_SHOW)), start=1):
            _, path = parts.get(slide, ("", ""))
            _read_slide(archive, path, number, outline)
        first = next((h.text for h in outline.headings), "")
        outline.title = core_title(archive) or first
    return outline


def _slides(content: bytes) -> list[str]:
    slides: list[str] = []

    def start(name: str, attributes: Attributes) -> None:
        if name == "sldId":
            # Its own id comes first; the one with a prefix leads to the part.
            slides.append(next((v for k, v in attributes.items() if k.endswith(":id")), ""))

    walk(content, start, lambda _: None)
    return slides


def _read_slide(archive: Archive, path: str, number: int, outline: Outline) -> None:
    outline.page(number)
    shapes = _shapes(archive.read(path))
    title = one_line(" ".join(p for s in shapes if s.kind in _TITLES for p in s.paragraphs))
    outline.heading(title or f"Slide {number}", 1)
    for shape in shapes:
        if shape.kind not in _TITLES:
            _write(shape, outline)
    for kind, target in targets(archive, path).values():
        if kind == "notesSlide" and target in archive:
            for shape in _shapes(archive.read(target)):
                if shape.kind == "body":
                    _write(shape, outline)


def _write(shape: _Shape, outline: Outline) -> None:
    if shape.kind in _FURNITURE:
        return
    close = False
    for text in filter(one_line, shape.paragraphs):
        outline.paragraph(text, close=close)
        close = True
    close = False
    for row in shape.rows:
        cells = [one_line(cell) for cell in row]
        if any(cells):
            outline.paragraph(" | ".join(cells), close=close)
            close = True


def _shapes(content: bytes) -> list[_Shape]:
    shapes: list[_Shape] = []
    now: _Shape | None = None
    in_text = in_cell = False
    skipping = 0

    def start(name: str, attributes: Attributes) -> None:
        nonlocal now, in_text, in_cell, skipping
        if skipping or name == "Fallback":
            skipping += 1
        elif name in ("sp", "graphicFrame"):
            now = _Shape()
            shapes.append(now)
        elif now is None:
            return
        elif name == "ph":
            now.kind = attribute(attributes, "type") or "body"
        elif name == "t":
            in_text = True
        elif name in ("br", "tab"):
            now.words.append(" ")
        elif name == "tr":
            now.rows.append([])
        elif name == "tc":
            in_cell = True
            now.words.clear()

    def end(name: str) -> None:
        nonlocal now, in_text, in_cell, skipping
        if skipping:
            skipping -= 1
        elif now is None:
            return
        elif name == "t":
            in_text = False
        elif name == "p":
            if in_cell:
                now.words.append(" ")
            else:
                now.paragraphs.append("".join(now.words))
                now.words.clear()
        elif name == "tc" and now.rows:
            now.rows[-1].append("".join(now.words))
            now.words.clear()
            in_cell = False
        elif name in ("sp", "graphicFrame"):
            now = None

    def text(text: str) -> None:
        if in_text and now is not None and not skipping:
            now.words.append(text)

    walk(content, start, end, text)
    return shapes
