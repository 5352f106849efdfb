"""Canonical JSON as people read and edit it, without losing a byte of what it means. Pure.

Nothing is parsed and written anew: white space is put between the tokens as they stand, so that
numbers, escapes and the order of keys stay what they are. Taking it out again gives the same text.
"""

import json
import re
from collections.abc import Callable

from bot.markup import width
from bot.visible import conspicuous, made_visible

CONTINUED = "↳ "
"""Begins a line that goes on inside a string, after a line break that the string holds."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^"{}\[\],:]+|"', re.DOTALL)
_ESCAPE = re.compile(r"(\\u[0-9a-fA-F]{4}|\\.)", re.DOTALL)
_LINE_BREAK = re.compile(r"(\\.)|[\n\t]", re.DOTALL)
_ESCAPED = len("\\u0020")
_DEEPEST = 30  # further in, lines stand below each other
_CONTROL = {"\n": "\\n", "\t": "\\t"}


def laid_out(canonical: str) -> str:
    """Return the JSON on many lines, everything that deceives the eye made visible."""

    def string(token: str, indent: str) -> str:
        out = []
        for piece in _ESCAPE.split(token):
            if _ESCAPE.fullmatch(piece):
                out.append(f"\\n\n{indent}{CONTINUED}" if piece == "\\n" else piece)
            else:
                out.append(made_visible(piece).replace("\n", "‹U+000A›"))
        return "".join(out)

    return _on_lines(canonical, string)


def editable(canonical: str) -> str:
    """Return the JSON for an input field: line breaks inside strings are real ones.

    What deceives the eye is written as an escape, which means the same.
    """

    def string(token: str, indent: str) -> str:
        out = []
        for piece in _ESCAPE.split(token):
            if _ESCAPE.fullmatch(piece):
                out.append("\n" if piece == "\\n" else piece)
            else:
                shown = conspicuous(piece)
                out += [_escaped(c) if at in shown else c for at, c in enumerate(piece)]
        return "".join(out)

    return _on_lines(canonical, string)


def typed(text: str) -> str:
    """Return what was typed into the field as JSON: real line breaks in strings become escapes."""

    def escaped(found: re.Match[str]) -> str:
        return found.group(1) or _CONTROL[found.group()]

    text = text.replace("\r\n", "\n")
    return "".join(
        _LINE_BREAK.sub(escaped, token) if token.startswith('"') and len(token) > 1 else token
        for token in _TOKEN.findall(text)
    )


def pieces(text: str, limit: int) -> list[str]:
    """Return ``text`` in pieces of at most ``limit`` UTF-16 units, cut after a line if possible."""
    out: list[str] = []
    lines: list[str] = []
    room = limit
    for part in text.splitlines(keepends=True):
        needed = width(part)
        if needed > room and lines:
            out.append("".join(lines))
            lines, room = [], limit
        while needed > limit:
            head = _head(part, limit)
            out.append(head)
            part = part[len(head) :]
            needed = width(part)
        lines.append(part)
        room -= needed
    return [*out, "".join(lines)] if lines or not out else out


def fields(text: str, limit: int) -> list[str]:
    """Return lenient JSON in pieces for input fields, which may lose white space at their ends.

    Put together without it they still mean the same: pieces end inside a word, and where there is
    none, white space of a string becomes an escape. ``limit`` is in UTF-16 units, at least 20.
    """
    text = text.strip()
    strings = [found.span() for found in _TOKEN.finditer(text) if found.group().startswith('"')]
    out: list[str] = []
    at, lead = 0, ""
    while width(lead) + width(text[at:]) > limit:
        end = at + len(_head(text[at:], limit - len(lead) - _ESCAPED))
        cut = end
        while cut > (at + end) // 2 and (text[cut - 1].isspace() or text[cut].isspace()):
            cut -= 1
        if text[cut - 1].isspace() or text[cut].isspace():
            cut = end
        piece, lead, last, first = lead + text[at:cut], "", text[cut - 1], text[cut]
        at = cut
        if any(start < cut < stop for start, stop in strings):
            if last.isspace():
                piece = piece[:-1] + f"\\u{ord(last):04x}"
            if first.isspace():
                lead, at = f"\\u{ord(first):04x}", cut + 1
        out.append(piece)
    return [*out, lead + text[at:]]


def _on_lines(text: str, string: Callable[[str, str], str]) -> str:
    out: list[str] = []
    depth = 0
    marks = _TOKEN.findall(text)
    for at, mark in enumerate(marks):
        following = marks[at + 1] if at + 1 < len(marks) else ""
        if mark in ("{", "["):
            depth += 1
            out.append(mark)
            if following not in ("}", "]"):
                out.append(_new_line(depth))
        elif mark in ("}", "]"):
            depth = max(0, depth - 1)
            if at and marks[at - 1] not in ("{", "["):
                out.append(_new_line(depth))
            out.append(mark)
        elif mark == ",":
            out.append("," + _new_line(depth))
        elif mark == ":":
            out.append(": ")
        else:
            out.append(string(mark, _indent(depth + 1)))
    return "".join(out)


def _new_line(depth: int) -> str:
    return "\n" + _indent(depth)


def _indent(depth: int) -> str:
    return "  " * min(depth, _DEEPEST)


def _head(text: str, limit: int) -> str:
    room = limit
    for end, character in enumerate(text):
        room -= 2 if ord(character) > 0xFFFF else 1
        if room < 0:
            return text[: max(1, end)]
    return text


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
