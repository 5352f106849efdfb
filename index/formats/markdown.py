"""Markdown as people read it: CommonMark and tables; marks, comments and front matter vanish."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.formats.html import read_into as read_html_into
from index.formats.outline import Outline, one_line

_FRONT_MATTER = re.compile(
    r"\A(?:---[ \t]*\n(?=[\w\"' #-]|---)(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*$"
    r"|\+\+\+[ \t]*\n(?P<toml>.*?)^\+\+\+[ \t]*$)\n?",
    re.DOTALL | re.MULTILINE,
)
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(?P<title>[^\n]+)$", re.MULTILINE)
_ANCHOR_TAG = re.compile(r"<a\b[^>]*\b(?:name|id)\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_BREAK_TAG = re.compile(r"<br\b", re.IGNORECASE)
_CUSTOM_ID = re.compile(r"\s*\{#([\w.:-]+)\}\s*$")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")

_DEEPEST = 100
"""Levels of quotes and lists; the parser drops what lies deeper, so deeper pages are refused."""

_LARGEST_INLINE = 20_000
"""Characters of one paragraph above which its marks stay as they are: parsing them is quadratic."""

_MOST_BRACKETS = 1_000
"""So it is with brackets, each of which may begin a link: 10,000 of them take five seconds."""


def read(text: str) -> Outline:
    """Return the outline of a Markdown text. Anchors follow GitHub's rule unless the page sets one.

    Raises ValueError if its quotes and lists are nested absurdly deep.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    outline = Outline()
    front = _FRONT_MATTER.match(text)
    if front:
        title = _TITLE.search(front.group("yaml") or front.group("toml") or "")
        outline.title = one_line(title.group("title")).strip("\"'") if title else ""
        text = text[front.end() :]
    _Reader(_parser(), outline).read(text)
    if not outline.title:
        first = next((h for h in outline.headings if h.level == 1), None)
        outline.title = first.text if first else ""
    return outline


def read_into(outline: Outline, text: str) -> None:
    """Add a piece of Markdown, as a notebook holds it, with anchors by Jupyter's rule.

    Raises ValueError as ``read`` does.
    """
    _Reader(_parser(), outline, slug=lambda text: text.replace(" ", "-")).read(text)


def slug(text: str) -> str:
    """Return the anchor that GitHub gives a heading, before it is made unique."""
    return _NOT_IN_SLUG.sub("", text.strip().lower()).replace(" ", "-")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


@dataclass
class _Reader:
    parser: MarkdownIt
    outline: Outline
    slug: Callable[[str], str] = slug
    references: dict[str, object] = field(default_factory=dict)
    slugs: Counter[str] = field(default_factory=Counter)
    lists: list[int | None] = field(default_factory=list)
    """The open lists: the number of the next item, or None where items have bullets."""
    mark: str = ""
    close: bool = False
    row: list[str] | None = None

    def read(self, text: str) -> None:
        tokens = self.parser.parse(text, self.references)
        if any(token.level >= _DEEPEST - 1 for token in tokens):
            raise ValueError(f"quotes and lists are nested more than {_DEEPEST} levels deep")
        heading: Token | None = None
        for token in tokens:
            match token.type:
                case "heading_open":
                    heading = token
                case "heading_close":
                    heading = None
                case "inline" if heading is not None:
                    self._heading(token.content, int(heading.tag[1:]))
                case "inline" if self.row is not None:
                    self.row.append(one_line(self._plain(token.content)))
                case "inline":
                    self._paragraph(self._plain(token.content))
                case "fence" | "code_block":
                    self._flush_mark()
                    self.outline.verbatim(token.content)
                case "html_block":
                    read_html_into(self.outline, token.content)
                case _:
                    self._structure(token)

    def _structure(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self.lists.append(None)
                self.close = len(self.lists) > 1
            case "ordered_list_open":
                self.lists.append(int(token.attrGet("start") or 1))
                self.close = len(self.lists) > 1
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
                self.close = bool(self.lists)
            case "list_item_open":
                self.mark = self._next_mark()
            case "list_item_close":
                self.mark = ""
                self.close = True
            case "table_open":
                self.close = False
            case "table_close":
                self.close = False
            case "tr_open":
                self.row = []
            case "tr_close":
                row, self.row = self.row, None
                self._paragraph(" | ".join(row or ()))
                self.close = True

    def _next_mark(self) -> str:
        number = self.lists[-1]
        indent = "  " * (len(self.lists) - 1)
        if number is None:
            return f"{indent}- "
        self.lists[-1] = number + 1
        return f"{indent}{number}. "

    def _flush_mark(self) -> None:
        self.mark, self.close = "", False

    def _paragraph(self, text: str) -> None:
        for line in text.split("\n"):
            if line.strip():
                self.outline.paragraph(line, mark=self.mark, close=self.close)
                self.mark, self.close = "", True
        self.close = False

    def _heading(self, content: str, level: int) -> None:
        custom = _CUSTOM_ID.search(content)
        if custom:
            content = content[: custom.start()]
        tokens = list(self._inline(content))
        text = one_line(_text_of(tokens))
        anchors = [_ANCHOR_TAG.search(t.content) for t in tokens if t.type == "html_inline"]
        own = next((found.group(1) for found in anchors if found), "")
        anchor = custom.group(1) if custom else own or self._unique(self.slug(text))
        self.outline.heading(text, level, anchor)
        self.close = False

    def _unique(self, name: str) -> str:
        count = self.slugs[name]
        self.slugs[name] += 1
        if not count:
            return name
        unique = f"{name}-{count}"
        self.slugs[unique] += 1
        return unique

    def _inline(self, content: str) -> Sequence[Token]:
        if len(content) > _LARGEST_INLINE or content.count("[") > _MOST_BRACKETS:
            token = Token("text", "", 0)
            token.content = content
            return [token]
        children: list[Token] = []
        self.parser.inline.parse(content, self.parser, self.references, children)
        return children

    def _plain(self, content: str) -> str:
        return _text_of(self._inline(content))


def _text_of(tokens: Sequence[Token]) -> str:
    return "".join(_pieces(tokens))


def _pieces(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        match token.type:
            case "text" | "code_inline" | "text_special":
                yield token.content
            case "softbreak":
                yield " "
            case "hardbreak":
                yield "\n"
            case "image":
                yield _text_of(token.children or ())
            case "html_inline" if _BREAK_TAG.match(token.content):
                yield "\n"
