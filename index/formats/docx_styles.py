"""What the styles and lists of a Word document mean: which are headings, and how items count."""

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace

from index.formats.xml_events import Attributes, attribute, walk

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_DEEPEST = 20
"""Styles that may rest on each other; a circle ends here."""


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph style: level of its headings, its list, the style that it rests on.

    ``is_contents``: its paragraphs are lines of a table of contents.
    """

    level: int | None = None
    list_id: str = ""
    is_title: bool = False
    is_contents: bool = False
    rests_on: str = ""


@dataclass
class Styles:
    """The styles by id, and for each list the kind of every level: "bullet", "decimal" ..."""

    by_id: dict[str, Style] = field(default_factory=dict)
    kinds: dict[str, dict[int, str]] = field(default_factory=dict)

    def of(self, style_id: str) -> Style:
        """Return a style with what it inherits."""
        style = self.by_id.get(style_id, Style())
        above = style
        for _ in range(_DEEPEST):
            if not above.rests_on:
                break
            above = self.by_id.get(above.rests_on, Style())
            level = style.level if style.level is not None else above.level
            style = replace(style, level=level, list_id=style.list_id or above.list_id)
        return style


@dataclass
class Lists:
    """Counts the items of the lists of one document."""

    styles: Styles
    _counts: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def mark(self, list_id: str, level: int) -> str:
        """Return what stands before the next item, indented by its level."""
        level = min(level, 8)
        indent = "  " * level
        counts = self._counts[list_id]
        for deeper in [one for one in counts if one > level]:
            del counts[deeper]
        counts[level] = counts.get(level, 0) + 1
        kind = self.styles.kinds.get(list_id, {}).get(level, "bullet")
        return f"{indent}- " if kind in ("bullet", "none") else f"{indent}{counts[level]}. "


def read_styles(styles: bytes, numbering: bytes) -> Styles:
    """Return what ``word/styles.xml`` and ``word/numbering.xml`` say; either may be empty."""
    found = Styles()
    if styles:
        _read_styles(styles, found)
    if numbering:
        _read_numbering(numbering, found)
    return found


def _read_styles(content: bytes, found: Styles) -> None:
    style_id, style = "", Style()

    def start(name: str, attributes: Attributes) -> None:
        nonlocal style_id, style
        value = attribute(attributes, "val")
        match name:
            case "style":
                style_id, style = attribute(attributes, "styleId"), Style()
            case "name":
                heading = _HEADING.fullmatch(value)
                level = int(heading[1]) if heading else style.level
                style = replace(
                    style,
                    level=level,
                    is_title=value.lower() == "title",
                    is_contents=value.lower().startswith("toc "),
                )
            case "basedOn":
                style = replace(style, rests_on=value)
            case "outlineLvl" if style.level is None and value.isdecimal() and int(value) < 9:
                style = replace(style, level=int(value) + 1)
            case "numId":
                style = replace(style, list_id=value)

    def end(name: str) -> None:
        if name == "style":
            # A title is a heading above all others, though Word does not say so.
            found.by_id[style_id] = replace(style, level=1) if style.is_title else style

    walk(content, start, end)


def _read_numbering(content: bytes, found: Styles) -> None:
    abstract: dict[str, dict[int, str]] = defaultdict(dict)
    now, level, number = "", 0, ""

    def start(name: str, attributes: Attributes) -> None:
        nonlocal now, level, number
        value = attribute(attributes, "val")
        match name:
            case "abstractNum":
                now = attribute(attributes, "abstractNumId")
            case "lvl":
                text = attribute(attributes, "ilvl")
                level = int(text) if text.isdecimal() else 0
            case "numFmt":
                abstract[now][level] = value
            case "num":
                number = attribute(attributes, "numId")
            case "abstractNumId" if number:
                found.kinds[number] = abstract[value]

    def end(name: str) -> None:
        nonlocal number
        if name == "num":
            number = ""

    walk(content, start, end)
