"""reStructuredText, as Docutils reads it and as Sphinx projects write it.

Directives and roles that Docutils does not know, as those of Sphinx and its extensions, keep their
text. Nothing is included from other files.
"""

import io
import re
from collections.abc import Iterable
from typing import Any, Final

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import directives, roles
from docutils.parsers.rst.languages import en

from index.formats import Refused
from index.formats.outline import Outline
from index.formats.rst_names import CODE, NAVIGATION, Dropped, Kept, Verbatim, role
from index.formats.rst_walk import write

_DIRECTIVE = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?\.\. (?:\|[^|\n]+\| )?([\w:.+-]+?)::(?=\s|$)", re.M
)
_ROLE = re.compile(r":([\w.+-]+(?::[\w.+-]+)?):`")
LONGEST_LINE: Final = 10_000
"""Characters; a longer line would empty the whole document, by a rule of Docutils."""

_MOST_NAMES = 500
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 5,
    "doctitle_xform": False,
    "sectsubtitle_xform": False,
    "smart_quotes": False,
    "syntax_highlight": "none",
    "line_length_limit": LONGEST_LINE,
}


def read(text: str) -> Outline:
    """Return the outline of a text; anchors are those of Docutils and Sphinx. Raises Refused."""
    if any(len(line) > LONGEST_LINE for line in text.splitlines()):
        raise Refused(f"has a line of more than {LONGEST_LINE:,} characters; break it up")
    for name in _some(_DIRECTIVE.findall(text)):
        if name in NAVIGATION or name in CODE or name not in en.directives:
            kind = Dropped if name in NAVIGATION else Verbatim if name in CODE else Kept
            directives.register_directive(name, kind)
    for name in _some(_ROLE.findall(text)):
        if name not in en.roles:
            roles.register_local_role(name, role)
    outline = Outline()
    try:
        write(_tree(text), outline)
    except RecursionError as error:
        raise Refused("is nested too deep; simplify it") from error
    outline.title = next((h.text for h in outline.headings), "")
    return outline


def _tree(text: str) -> nodes.document:
    settings: dict[str, Any] = {**_SETTINGS, "warning_stream": io.StringIO()}
    tree: nodes.document = publish_doctree(text, settings_overrides=settings)
    return tree


def _some(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.lower() for name in names))[:_MOST_NAMES]
