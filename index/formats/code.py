"""Source code of any language, by line, with its definitions as headings.

No language is parsed. A definition is told by the words that languages share (class, def, func,
fn, interface ...) or, in languages of the C family, by a name with parameters and a brace; its
depth is its indentation. A definition that is overlooked only makes its section longer.
"""

import re
from typing import Final

from index.formats import Refused
from index.formats.outline import Outline
from index.formats.plain import with_line_feeds

LONGEST_MEAN_LINE: Final = 500
"""Characters of a line, on average, above which a program wrote it."""

MOST_HEADINGS: Final = 5_000

_WORDS_BEFORE = (
    "export default declare public private protected internal static abstract final sealed async"
    " override open data inline unsafe extern const virtual partial readonly pub local noinline"
    " suspend companion constexpr explicit friend mutable synchronized native case implicit lazy"
)
_KINDS = (
    "class interface struct enum trait impl protocol extension object record module namespace"
    " package union mod type message service rpc func function fun fn def sub proc procedure macro"
    " resource variable"
)
_DEFINED = re.compile(
    rf"(?P<indent>[ \t]*)(?:(?:{'|'.join(_WORDS_BEFORE.split())})(?:\([\w ]*\))?[ \t]+){{0,6}}"
    rf"(?:{'|'.join(_KINDS.split())})\b[ \t*&]*(?:\([^()\n]{{0,100}}\)[ \t]*)?"
    r"(?:<[^<>\n]{0,100}>[ \t]*)?(?P<name>[\w$.:?!\"]+(?:[ \t]+\"[^\"\n]+\")?)",
    re.IGNORECASE,
)
_SQL = re.compile(
    r"(?P<indent>[ \t]*)create\s+(?:or\s+replace\s+)?(?:\w+\s+){0,3}?"
    r"(?:table|view|function|procedure|index|trigger|type|schema)\s+(?:if\s+not\s+exists\s+)?"
    r"(?P<name>[\w.\"`\[\]]+)",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"(?P<indent>[ \t]*)(?:export[ \t]+)?(?:const|let|var)[ \t]+(?P<name>[\w$]+)"
    r"[^=\n]{0,100}=[ \t]*(?:async[ \t]*)?"
    r"(?:function\b|\([^()\n]{0,200}\)[^=\n]{0,100}=>|\w+[ \t]*=>)"
)
_BRACED = re.compile(
    r"(?P<indent>[ \t]*)"
    r"(?!(?:if|for|foreach|while|switch|catch|return|else|do|using|lock|with|when|match|new)\b)"
    r"(?:[\w:<>,*&\[\]~$?.]+[ \t]+){0,6}[*&]*(?P<name>[\w$:~]+)[ \t]*\([^;{}\n]{0,300}\)"
    r"[^;(){}=\n]{0,100}\{[ \t]*(?://[^\n]*)?$"
)
_SHELL = re.compile(r"(?P<indent>[ \t]*)(?P<name>[\w-]+)[ \t]*\(\)[ \t]*\{?[ \t]*$")
_TOML = re.compile(r"(?P<indent>)\[\[?(?P<name>[\w.\"'-]+)\]\]?[ \t]*(?:#.*)?$")
_PATTERNS = (_DEFINED, _SQL, _ASSIGNED, _BRACED, _SHELL, _TOML)
_LONGEST_LINE_LOOKED_AT = 400

_BELONGS = re.compile(
    r"[ \t]*(?:#(?!include|if|endif|define|else)|//|/\*|\*|--|@|\[[A-Z]\w*|\"\"\"$)"
)
"""How a line begins that belongs to the definition below it: a comment or a decorator."""

_TAB = 4


def read(text: str) -> Outline:
    """Return the outline of source code. Raises Refused if a program wrote it."""
    outline = Outline()
    text = with_line_feeds(text)
    lines = text.split("\n")
    if len(text) > LONGEST_MEAN_LINE * len(lines) and len(text) > 10 * LONGEST_MEAN_LINE:
        raise Refused("is minified or generated code; index what it was made from")
    outline.lines(text)
    levels: list[int] = []
    start = begin = 0
    for line in outline.text.split("\n"):
        found = _definition(line)
        if found is not None and len(outline.headings) < MOST_HEADINGS:
            indent = len(found["indent"].expandtabs(_TAB))
            while levels and levels[-1] >= indent:
                levels.pop()
            levels.append(indent)
            outline.line_heading(found["name"].strip('":'), len(levels), begin)
        start += len(line) + 1
        if not (line.strip() and _BELONGS.match(line)):
            begin = start
    return outline


def _definition(line: str) -> re.Match[str] | None:
    if not line.strip() or len(line) > _LONGEST_LINE_LOOKED_AT or _BELONGS.match(line):
        return None
    return next((found for pattern in _PATTERNS if (found := pattern.match(line))), None)
