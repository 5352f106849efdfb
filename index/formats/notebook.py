"""Jupyter notebooks: their prose, their code, and what the code printed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from index.formats import Refused, markdown
from index.formats.json_shape import check_depth
from index.formats.outline import Outline

_LONGEST_OUTPUT = 2_000
"""Characters of what one cell printed; the rest are figures that nobody quotes."""


def read(text: str) -> Outline:
    """Return the outline of a notebook; anchors are those that Jupyter gives. Raises Refused."""
    check_depth(text)
    try:
        notebook = json.loads(text)
    except ValueError as error:
        raise Refused("is no notebook (its JSON is broken); save it anew from Jupyter") from error
    outline = Outline()
    for cell in _cells(notebook):
        source = _joined(cell.get("source", cell.get("input")))
        match cell.get("cell_type"):
            case "markdown":
                markdown.read_into(outline, source)
            case "code":
                outline.verbatim(source)
                for output in _outputs(cell):
                    outline.verbatim(output[:_LONGEST_OUTPUT])
            case "raw":
                outline.verbatim(source)
    outline.title = next((h.text for h in outline.headings if h.level == 1), "")
    return outline


def _cells(notebook: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(notebook, dict):
        raise Refused("is no notebook; save it anew from Jupyter")
    sheets = notebook.get("worksheets")  # until version 3
    holders = sheets if isinstance(sheets, list) and sheets else [notebook]
    for holder in holders:
        cells = holder.get("cells") if isinstance(holder, dict) else None
        if not isinstance(cells, list):
            raise Refused("is no notebook (it has no cells); save it anew from Jupyter")
        yield from (cell for cell in cells if isinstance(cell, dict))


def _outputs(cell: Mapping[str, Any]) -> Iterator[str]:
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        yield _joined(output.get("text"))
        yield _joined(data.get("text/plain") if isinstance(data, dict) else None)


def _joined(source: Any) -> str:
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
