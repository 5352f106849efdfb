"""What the buttons and dialogs of a proposal carry, and how it is read again. Pure.

Slack signs what comes back, and people cannot change it; still, only what we wrote ourselves is
understood. Limits: a button's value has 2,000 characters, the metadata of a dialog 3,000.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_VALUE, _METADATA = 2_000, 3_000
_ID, _MOST_CALLS, _MOST_PAGES = 200, 100, 100_000

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which calls a button is about, as pairs of approval id and nonce.

    ``settled``: they are only to be looked at.
    """

    calls: Pairs
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Dialog:
    """Where a dialog was opened, and what it shows; ``page`` counts from 0."""

    channel: str
    message_ts: str
    thread_ts: str
    calls: Pairs
    page: int = 0
    settled: bool = False


def asked_value(calls: Sequence[tuple[str, str]], *, settled: bool = False) -> str:
    """Return the value of a button, or "" when Slack would not take it."""
    data: dict[str, object] = {"calls": [list(pair) for pair in calls]}
    if settled:
        data["settled"] = True
    value = json.dumps(data, separators=(",", ":"))
    return value if len(value) <= _VALUE else ""


def read_asked(value: object) -> Asked | None:
    """Return what the value of a button says, or None for anything that we did not write."""
    data = _object(value)
    calls = _pairs(data.get("calls"))
    return Asked(calls, settled=data.get("settled") is True) if calls else None


def dialog_metadata(dialog: Dialog) -> str:
    """Return the metadata of a dialog, or "" when Slack would not take it."""
    text = json.dumps(asdict(dialog), separators=(",", ":"))
    return text if len(text) <= _METADATA else ""


def read_dialog(metadata: object) -> Dialog | None:
    """Return what the metadata of a dialog says, or None for anything that we did not write."""
    data = _object(metadata)
    calls, page = _pairs(data.get("calls")), data.get("page")
    channel, message_ts, thread_ts = (
        data.get(name) for name in ("channel", "message_ts", "thread_ts")
    )
    if not calls or type(page) is not int or not 0 <= page < _MOST_PAGES:
        return None
    if not (
        isinstance(channel, str) and isinstance(message_ts, str) and isinstance(thread_ts, str)
    ):
        return None
    return Dialog(channel, message_ts, thread_ts, calls, page, data.get("settled") is True)


def undo_value(run: str, call: str) -> str:
    """Return the value of an Undo button, or "" when Slack would not take it."""
    value = json.dumps({"run": run, "call": call}, separators=(",", ":"))
    return value if len(value) <= _VALUE else ""


def read_undo(value: object) -> tuple[str, str] | None:
    """Return run and call of an Undo button, or None for anything that we did not write."""
    data = _object(value)
    run, call = data.get("run"), data.get("call")
    return (run, call) if isinstance(run, str) and isinstance(call, str) and run else None


def _object(text: object) -> dict[str, object]:
    try:
        data = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _pairs(value: object) -> Pairs:
    if not isinstance(value, list) or len(value) > _MOST_CALLS:
        return ()
    pairs = [tuple(pair) for pair in value if isinstance(pair, list)]
    fit = all(len(pair) == 2 and all(_is_id(part) for part in pair) for pair in pairs)
    return tuple((a, b) for a, b in pairs) if fit and len(pairs) == len(value) else ()


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _ID
