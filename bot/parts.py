"""Long markdown -> parts that each fit one Slack message. Pure.

A streamed message dies at about 11 KB of UTF-8 (measured), a markdown block takes 12,000
characters, and all blocks of a message about 13,200. A part leaves room for the footnotes below it.
"""

import re

PART_BYTES = 7_000

_FENCE_LINE = re.compile(r"(?m)^```[^`\n]*$")
_CLOSING = "\n```"


def split(text: str, limit: int = PART_BYTES) -> list[str]:
    """Return ``text`` as parts of at most ``limit`` bytes of UTF-8; at least one part.

    An open code fence is closed at the end of a part and opened again in the next.
    """
    parts: list[str] = []
    rest = text
    while len(rest.encode()) > limit:
        head, rest = take(rest, limit)
        head, rest = close(head, rest)
        parts.append(head)
    parts.append(rest)
    return parts


def take(text: str, limit: int) -> tuple[str, str]:
    """Return the longest fitting beginning of ``text`` that ends well, and the rest.

    The beginning is at most ``limit`` bytes, with room for a closing fence. It ends after a line if
    it can, else after a word, and never inside a code span. ``limit`` is at least 1,000.
    """
    if len(text.encode()) <= limit:
        return text, ""
    fits = len(text.encode()[: limit - len(_CLOSING)].decode(errors="ignore"))
    line = word = anywhere = 0
    in_code = in_fence = False
    position = 0
    while position < fits:
        if text.startswith("```", position) and (position == 0 or text[position - 1] == "\n"):
            # The rest of this line belongs to the fence itself; no cut inside it.
            in_fence = not in_fence
            end = text.find("\n", position)
            position = fits if end < 0 else end
            continue
        character = text[position]
        if character == "`" and not in_fence:
            in_code = not in_code
        position += 1
        if in_code or position > fits:
            continue
        anywhere = position
        if character == "\n":
            line = position
            in_code = False
        elif character == " " and not in_fence:
            word = position
    # A line end far back would leave a part almost empty.
    best = (
        line if line > fits // 2 else max(line, word) if max(line, word) > fits // 2 else anywhere
    )
    best = best or fits
    return text[:best], text[best:]


def close(head: str, rest: str) -> tuple[str, str]:
    """Close a fence that is open at the end of ``head`` and open it again before ``rest``."""
    opening = open_fence(head)
    if not opening:
        return head.rstrip(), rest.lstrip("\n")
    return head.rstrip("\n") + _CLOSING, f"{opening}\n{rest}"


def open_fence(text: str) -> str:
    """Return the line that opened the code fence in which ``text`` ends, or ""."""
    opening = ""
    for found in _FENCE_LINE.finditer(text):
        opening = "" if opening else found.group()
    return opening
