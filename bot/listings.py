"""What Slack lists, read without trusting its shape: rows, pages, timestamps. Pure."""

import re
from typing import Any

_TS = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")


def rows(answer: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects in the list called ``name``, whatever else stands in it."""
    found = answer.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def word(answer: Any, name: str) -> str:
    """Return the text called ``name``, or ""."""
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def next_page(answer: Any) -> str:
    """Return the cursor of the next page, or "" at the end."""
    more = answer.get("response_metadata")
    return word(more, "next_cursor") if isinstance(more, dict) else ""


def seconds(ts: object) -> float:
    """Return a message's ts as seconds since the epoch, or 0.0 for anything else."""
    return float(ts) if isinstance(ts, str) and _TS.fullmatch(ts) else 0.0


def stamp(moment: float) -> str:
    """Return seconds since the epoch as Slack writes a ts."""
    return f"{max(0.0, moment):.6f}"
