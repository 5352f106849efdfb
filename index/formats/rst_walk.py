"""The tree of Docutils -> what a person reads."""

from collections.abc import Iterator

from docutils import nodes

from index.formats.outline import Outline, one_line

_UNSEEN = (
    nodes.comment,
    nodes.substitution_definition,
    nodes.target,
    nodes.pending,
    nodes.raw,
    nodes.transition,
    nodes.header,
    nodes.footer,
    nodes.decoration,
    nodes.meta,
)
_VERBATIM = (nodes.literal_block, nodes.doctest_block, nodes.math_block)


def write(tree: nodes.document, outline: Outline) -> None:
    """Add all of a document. Raises Refused, RecursionError."""
    _Writer(outline).children(tree)


class _Writer:
    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._depth = 0
        self._lists = 0
        self._mark = ""
        self._close = False

    def children(self, node: nodes.Element) -> None:
        for child in node.children:
            self._visit(child)

    def _visit(self, node: nodes.Node) -> None:
        if isinstance(node, _UNSEEN) or not isinstance(node, nodes.Element):
            return
        if isinstance(node, nodes.section):
            self._section(node)
        elif isinstance(node, _VERBATIM):
            self._outline.verbatim(node.astext())
            self._mark, self._close = "", False
        elif isinstance(node, nodes.system_message):
            # What could not be understood is shown as it was written.
            for block in node.findall(nodes.literal_block):
                self._outline.verbatim(block.astext())
        elif isinstance(node, nodes.bullet_list | nodes.enumerated_list):
            self._list(node)
        elif isinstance(node, nodes.definition_list_item | nodes.option_list_item):
            self._definition(node)
        elif isinstance(node, nodes.field):
            self._field(node)
        elif isinstance(node, nodes.table):
            self._table(node)
        elif isinstance(node, nodes.line_block):
            self._line_block(node)
        elif isinstance(node, nodes.Admonition) and not isinstance(node, nodes.system_message):
            self._admonition(node)
        elif isinstance(node, nodes.footnote | nodes.citation):
            self._note(node)
        elif isinstance(node, nodes.image):
            self._paragraph(str(node.get("alt", "")))
        elif isinstance(node, nodes.TextElement):
            self._paragraph(node.astext())
        else:
            self.children(node)

    def _paragraph(self, text: str) -> None:
        if one_line(text):
            self._outline.paragraph(text, mark=self._mark, close=self._close)
            self._mark, self._close = "", False

    def _section(self, node: nodes.section) -> None:
        self._depth += 1
        for child in node.children:
            if isinstance(child, nodes.title):
                ids = node.get("ids", [])
                self._outline.heading(child.astext(), self._depth, ids[0] if ids else "")
            else:
                self._visit(child)
        self._depth -= 1

    def _list(self, node: nodes.Element) -> None:
        indent = "  " * min(self._lists, 8)
        number = int(node.get("start", 1)) if isinstance(node, nodes.enumerated_list) else None
        self._close = self._lists > 0
        self._lists += 1
        for item in node.children:
            self._mark = f"{indent}- " if number is None else f"{indent}{number}. "
            number = None if number is None else number + 1
            if isinstance(item, nodes.Element):
                self.children(item)
            self._mark, self._close = "", True
        self._lists -= 1
        self._close = self._lists > 0

    def _definition(self, node: nodes.Element) -> None:
        """Write a term or an option, and right under it what it means."""
        parts = list(node.children)
        names = [part.astext() for part in parts[:-1]]
        self._paragraph(" : ".join(names))
        self._close = True
        if parts and isinstance(parts[-1], nodes.Element):
            self.children(parts[-1])
        self._close = False

    def _field(self, node: nodes.field) -> None:
        name, *body = (child for child in node.children if isinstance(child, nodes.Element))
        first = f"{name.astext()}: "
        for part in (child for one in body for child in one.children):
            if isinstance(part, nodes.paragraph):
                self._paragraph(first + part.astext())
            else:
                self._visit(part)
            first = ""
        self._close = True
        if first:
            self._paragraph(name.astext())
            self._close = True

    def _admonition(self, node: nodes.Element) -> None:
        title = next((c for c in node.children if isinstance(c, nodes.title)), None)
        name = one_line(title.astext()) if title else str(node.tagname).capitalize()
        self._paragraph(name if name.endswith((":", ".", "!", "?")) else f"{name}:")
        for child in node.children:
            if child is not title:
                self._visit(child)

    def _note(self, node: nodes.Element) -> None:
        label = next((c.astext() for c in node.children if isinstance(c, nodes.label)), "")
        self._mark = f"[{label}] "
        for child in node.children:
            if not isinstance(child, nodes.label):
                self._visit(child)
        self._mark = ""

    def _line_block(self, node: nodes.line_block) -> None:
        for line in node.findall(nodes.line):
            self._paragraph(line.astext())
            self._close = True
        self._close = False

    def _table(self, node: nodes.table) -> None:
        for title in (c for c in node.children if isinstance(c, nodes.title)):
            self._paragraph(title.astext())
        self._close = False
        for row in node.findall(nodes.row):
            cells = list(_cells(row))
            if any(cells):
                self._outline.paragraph(" | ".join(cells), close=self._close)
                self._close = True
        self._close = False


def _cells(row: nodes.row) -> Iterator[str]:
    for cell in row.children:
        if isinstance(cell, nodes.Element):
            yield one_line(" ".join(part.astext() for part in cell.children))
