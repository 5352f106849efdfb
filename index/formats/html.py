"""HTML as people read it: the main part of a page, its headings with their anchors, no chrome."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from index.documents import Opens
from index.formats.html_limits import parsed
from index.formats.outline import Outline, one_line

_DROPPED = frozenset(
    "script style template noscript svg math iframe object embed canvas audio video head title nav"
    " footer button select textarea datalist dialog".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure"
    " form footer header hgroup hr html legend li main menu ol p section summary table caption ul"
    " tr thead tbody tfoot td th".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(("ul", "ol", "menu"))
_ROLES = frozenset("navigation banner contentinfo search menu menubar toolbar dialog".split())
_CHROME = frozenset(
    "navheader navfooter headerlink sr-only visually-hidden breadcrumb breadcrumbs"
    " skip-link".split()
)
_NOTES = frozenset("note warning caution tip important admonition alert callout danger".split())
_SECTIONS = frozenset("section article div main".split())
_LINE = "\u2028"
"""Stands for ``<br>`` while text is collected."""


def read(text: str) -> Outline:
    """Return the outline of an HTML page; its title is the first h1, else ``<title>``.

    Raises ValueError if the page would take absurdly long to parse.
    """
    outline = Outline(opens=Opens.TEXT)
    tree = parsed(text)
    root = _content(tree)
    if root is not None:
        _Walk(outline, inside_content=root.tag != "body").walk(root)
    heading = next((h.text for h in outline.headings if h.level == 1), "")
    title = tree.css_first("head > title")
    outline.title = heading or (one_line(title.text()) if title is not None else "")
    return outline


def read_into(outline: Outline, fragment: str) -> None:
    """Add a piece of HTML, as it stands inside Markdown. Raises ValueError as ``read`` does."""
    body = parsed(fragment).body
    if body is not None:
        _Walk(outline, inside_content=True).walk(body)


def _content(tree: LexborHTMLParser) -> LexborNode | None:
    """Return the element that holds what the page is about."""
    main = tree.css_first("main, [role=main]")
    if main is not None and main.text(strip=True):
        return main
    articles = tree.css("article")
    return articles[0] if len(articles) == 1 else tree.body


def _classes(attributes: Mapping[str, str | None]) -> frozenset[str]:
    return frozenset((attributes.get("class") or "").lower().split())


@dataclass
class _Walk:
    """One pass over the tree, without recursion, since a page may be nested deeply."""

    outline: Outline
    inside_content: bool
    words: list[str] = field(default_factory=list)
    mark: str = ""
    close: bool = False
    lists: list[int | None] = field(default_factory=list)
    row: list[str] | None = None
    pre: LexborNode | None = None
    heading: LexborNode | None = None
    heading_anchor: str = ""
    contents: int = 0
    notes: int = 0
    nearby: list[tuple[bool, str, int]] = field(default_factory=list)
    """Ids that a heading may take over: whether it is a section's, the id, text size when seen."""

    def walk(self, root: LexborNode) -> None:
        node: LexborNode | None = root
        depth = 0
        while node is not None:
            entered = self._enter(node)
            if entered and node.child is not None:
                node = node.child
                depth += 1
                continue
            while node is not None:
                if entered:
                    self._leave(node)
                if depth == 0:
                    self._flush()
                    return
                if node.next is not None:
                    node = node.next
                    break
                node = node.parent
                entered = True
                depth -= 1

    def _enter(self, node: LexborNode) -> bool:
        """Take in a node; returns False if it and all below it is passed over."""
        tag = node.tag or ""
        if tag == "-text":
            self.words.append(node.text_content or "")
            return False
        if tag.startswith("-"):
            return False
        attributes = node.attributes
        if self._is_chrome(tag, attributes):
            return False
        self._remember_id(tag, attributes)
        classes = _classes(attributes)
        self.notes += bool(classes & _NOTES)
        self.contents += tag in ("main", "article")
        if tag == "br":
            self.words.append("\n" if self.pre is not None else _LINE)
        elif tag == "img":
            self.words.append(f" {attributes.get('alt') or ''} ")
        elif tag == "sup" and self.words and self.words[-1][-1:].isdigit():
            self.words.append("^")
        elif self.pre is None and self.heading is None:
            self._open(node, tag, attributes)
        return True

    def _is_chrome(self, tag: str, attributes: Mapping[str, str | None]) -> bool:
        if tag in _DROPPED or (tag in ("header", "aside") and not self._in_content):
            return True
        if not attributes:
            return False
        return (
            "hidden" in attributes
            or attributes.get("aria-hidden") == "true"
            or attributes.get("role") in _ROLES
            or (bool(_classes(attributes) & _CHROME) and self.heading is None)
        )

    @property
    def _in_content(self) -> bool:
        return self.inside_content or self.contents > 0

    def _open(self, node: LexborNode, tag: str, attributes: Mapping[str, str | None]) -> None:
        if self.row is not None:
            self.words.append(" ")
            return
        if tag in _BLOCKS or tag in _HEADINGS or tag == "pre":
            self._flush()
        if tag in _HEADINGS:
            self.heading = node
            self.heading_anchor = self._anchor(attributes)
        elif tag == "pre":
            self.pre = node
        elif tag in _LISTS:
            self.close = bool(self.lists)
            self.lists.append(_first_number(attributes) if tag == "ol" else None)
        elif tag == "li":
            self.mark = self._next_mark()
        elif tag in ("dd", "dt"):
            self.close = tag == "dd"
        elif tag == "table":
            self.close = False
        elif tag == "tr" and _is_plain_row(node):
            self.row = []

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        classes = _classes(node.attributes)
        self.notes -= bool(classes & _NOTES)
        self.contents -= tag in ("main", "article")
        if _same(node, self.heading):
            self._close_heading(tag)
        elif _same(node, self.pre):
            self.pre = None
            self.outline.verbatim("".join(self.words))
            self._clear()
        elif self.heading is not None or self.pre is not None:
            return
        elif self.row is not None:
            self._leave_in_row(tag)
        elif tag in _BLOCKS:
            self._flush()
            if tag in _LISTS:
                self.lists.pop()
                self.close = bool(self.lists)
            elif tag == "li":
                self.mark, self.close = "", True
            elif tag in ("dl", "table", "dd"):
                self.close = False

    def _leave_in_row(self, tag: str) -> None:
        row = self.row if self.row is not None else []
        if tag in ("td", "th"):
            row.append(one_line("".join(self.words)))
            self.words.clear()
        elif tag == "tr":
            self.row = None
            self.words.clear()
            if any(row):
                self.outline.paragraph(" | ".join(row), close=self.close)
                self.close = True
        elif tag in _BLOCKS:
            self.words.append(" ")

    def _close_heading(self, tag: str) -> None:
        text = one_line("".join(self.words).replace(_LINE, " ")).removesuffix("¶").rstrip()
        self.heading = None
        self._clear()
        if self.notes:
            self.outline.paragraph(text if text.endswith((":", ".", "!", "?")) else f"{text}:")
        elif self.row is None:
            self.outline.heading(text, _HEADINGS[tag], self.heading_anchor)

    def _next_mark(self) -> str:
        indent = "  " * min(len(self.lists) - 1, 8)
        number = self.lists[-1] if self.lists else None
        if number is None:
            return f"{indent}- "
        self.lists[-1] = number + 1
        return f"{indent}{number}. "

    def _remember_id(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        name = attributes.get("id") or (attributes.get("name") if tag == "a" else None)
        if not name:
            if self.heading is not None and tag == "a" and not self.heading_anchor:
                self.heading_anchor = (attributes.get("href") or "").partition("#")[2]
            return
        if self.heading is not None:
            self.heading_anchor = self.heading_anchor or name
        elif not self._has_words():
            self.nearby.append((tag in _SECTIONS, name, self.outline.size))

    def _anchor(self, attributes: Mapping[str, str | None]) -> str:
        """Return the id of a heading, or of what begins right before it with no text between."""
        if attributes.get("id"):
            return attributes["id"] or ""
        near = [entry for entry in self.nearby if entry[2] == self.outline.size]
        sections = [name for is_section, name, _ in near if is_section]
        names = sections or [name for _, name, _ in near]
        self.nearby.clear()
        return names[-1] if names else ""

    def _has_words(self) -> bool:
        return any(word.strip() for word in self.words)

    def _clear(self) -> None:
        self.words.clear()
        self.mark, self.close = "", False

    def _flush(self) -> None:
        lines = [line for line in "".join(self.words).split(_LINE) if line.strip()]
        self.words.clear()
        for line in lines:
            self.outline.paragraph(line, mark=self.mark, close=self.close)
            self.mark, self.close = "", True
        if lines:
            self.close = False


def _first_number(attributes: Mapping[str, str | None]) -> int:
    start = attributes.get("start") or ""
    return int(start) if re.fullmatch(r"-?\d{1,9}", start) else 1


def _is_plain_row(row: LexborNode) -> bool:
    """Tell whether a row reads as one line: several cells, none with a structure of its own."""
    if row.css_first("table, pre, h1, h2, h3, h4, h5, h6, ol") is not None:
        return False
    return len(row.css("td, th")) > 1


def _same(node: LexborNode, other: LexborNode | None) -> bool:
    """Compare by identity: ``==`` would compare the HTML of both, at each node of a page."""
    return other is not None and node.mem_id == other.mem_id
