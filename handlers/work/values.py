"""What every state store agrees on: the form and the limits of keys and values. Pure."""

import json
from collections.abc import Mapping

MAX_VALUE_BYTES = 256 * 1024
"""DynamoDB takes items of 400 KB, names and keys included."""

MAX_KEY_BYTES = 1024
"""DynamoDB takes partition keys of 2,048 bytes."""


def encode_value(value: Mapping[str, object]) -> str:
    """Return the value as JSON. Raises ValueError or TypeError for what no store may hold."""
    text = json.dumps(dict(value), allow_nan=False, separators=(",", ":"))
    size = len(text)  # json.dumps writes ASCII, so lone surrogates are no trouble either
    if size > MAX_VALUE_BYTES:
        raise ValueError(f"A stored value has {size} bytes; {MAX_VALUE_BYTES} are allowed.")
    return text


def decode_value(text: str) -> Mapping[str, object]:
    """Read a value back. Raises ValueError when it is not a JSON object."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("A stored value is not a JSON object.")
    return value


def check_key(key: str) -> None:
    """Raise ValueError for a key that not every store can hold."""
    if not 0 < len(key.encode("utf-8")) <= MAX_KEY_BYTES:
        raise ValueError(f"A key has 1 to {MAX_KEY_BYTES} bytes.")


def check_ttl(ttl: float) -> None:
    """Raise ValueError for a time to live that is not a positive, finite number of seconds."""
    if not 0 < ttl < float("inf"):
        raise ValueError("A time to live is a positive number of seconds.")
