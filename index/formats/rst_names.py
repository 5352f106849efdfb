"""What becomes of directives and roles that Docutils does not know."""

import re
from typing import Any, Final

from docutils import nodes
from docutils.parsers.rst import Directive, directives

NAVIGATION: Final = frozenset(
    "toctree index currentmodule module py:module py:currentmodule highlight tabularcolumns"
    " sectionauthor codeauthor moduleauthor contents include literalinclude raw meta graphviz"
    " mermaid plantuml cssclass rst-class default-domain autosummary automodule autoclass"
    " autofunction automethod testsetup testcleanup".split()
)
"""Directives that say nothing to a reader, or what lies in another file."""

CODE: Final = frozenset("code code-block sourcecode prompt doctest testcode testoutput".split())

_TARGET = re.compile(r"(?P<text>.*?)\s*<[^<>]*>", re.DOTALL)


class _AnyOption(dict[str, Any]):
    """Admits every option, since what is unknown must not cost its text."""

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return directives.unchanged


class Kept(Directive):  # type: ignore[misc]
    """A directive that is its argument, followed by its content as text."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = _AnyOption()

    def run(self) -> list[nodes.Node]:
        """Return a container with all that it holds."""
        kept = nodes.container()
        for line in (self.arguments or [""])[0].splitlines():
            kept += nodes.paragraph(text=line)
        self.state.nested_parse(self.content, self.content_offset, kept)
        return [kept]


class Verbatim(Kept):
    """A directive whose content is code; its argument names the language."""

    def run(self) -> list[nodes.Node]:
        """Return the code."""
        text = "\n".join(self.content)
        return [nodes.literal_block(text, text)]


class Dropped(Kept):
    """A directive that nobody reads."""

    def run(self) -> list[nodes.Node]:
        """Return nothing."""
        return []


def role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, *_: Any, **__: Any
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Return the words of a role: of ``title <target>`` the title, of ``~a.b.c`` the last name."""
    found = _TARGET.fullmatch(text)
    if found and found["text"]:
        text = found["text"]
    elif text.startswith("~"):
        text = text[1:].rpartition(".")[2]
    return [nodes.inline(rawtext, text.lstrip("!"))], []
