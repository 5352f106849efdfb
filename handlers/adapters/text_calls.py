"""Calls that a model writes as text, where its server does not read them out of it. Pure.

Small models behind llama.cpp and others do so. A text counts only if it is calls from its first
character to its last, of tools that were offered: a sentence that quotes one calls nothing.
"""

import json
import re
from collections.abc import Collection

_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)\s*", re.S)
_FENCED = re.compile(r"```(?:json|tool_call)?\s*\n(.*?)\n?```\s*", re.S)
_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*(\[.*\])\s*", re.S)
LONGEST = 20_000
"""Characters; a longer text is no call."""


def calls_in(text: str, offered: Collection[str]) -> list[tuple[str, str]]:
    """Return (name, JSON of the arguments) of each call, or nothing if the text is no call."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        return []
    found = [call for part in _parts(text) for call in _read(part)]
    if not found or any(call is None or call[0] not in offered for call in found):
        return []
    return [call for call in found if call is not None]


def _parts(text: str) -> list[str]:
    if text[0] in "{[" and not text.startswith("[TOOL_CALLS]"):
        return [text]
    for pattern in (_TAGGED, _FENCED, _MISTRAL):
        if not pattern.sub("", text):
            return [match[1] for match in pattern.finditer(text)]
    return []


def _read(part: str) -> list[tuple[str, str] | None]:
    try:
        data = json.loads(part)
    except (ValueError, RecursionError):
        return [None]
    return [_call(one) for one in (data if isinstance(data, list) else [data])]


def _call(data: object) -> tuple[str, str] | None:
    if not isinstance(data, dict):
        return None
    inner = data.get("function")
    found = inner if isinstance(inner, dict) else data
    name = found.get("name")
    arguments = found.get("arguments", found.get("parameters"))
    if isinstance(arguments, str):
        return (name, arguments) if isinstance(name, str) else None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    return name, json.dumps(arguments)
