"""Arguments as models and people write them: odd letters, odd blanks, odd numbers, and bad ones."""

import json
import random
from typing import Any

_LETTERS = (
    *("a", "Z", " ", "\n", "\t", "\x00", "\x1b", "\x7f", "\x85", "\xa0", '"', "\\", "/", "{", "}"),
    *("é", "e\u0301", "ß", "漢", "א", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\ufffd"),
    *("😀", "\U0001f469\u200d\U0001f467", "\U000e0041", "\uffff", "<!channel>", "\\u0041", "%00"),
)

_BAD = (
    "",
    "null",
    "[]",
    '"text"',
    "{",
    "{'text': 'x'}",
    '{"text": 5}',
    '{"count": 1}',
    '{"text": "x", "text": "y"}',
    '{"text": "x", "more": {"a": 1, "a": 2}}',
    '{"text": "x", "count": NaN}',
    '{"text": "x", "count": Infinity}',
    '{"text": "x", "count": 1e999}',
    '{"text": "x", "count": 9007199254740992}',
    '{"text": "x", "count": 1e20}',
    '{"text": "x", "count": ' + "9" * 5000 + "}",
    '{"text": "\\ud800"}',
    '{"\\udfff": 1, "text": "x"}',
    '{"text": "x"} trailing',
    '\ufeff{"text": "x"}',
    '{"text": "x", "deep": ' + "[" * 5000 + "]" * 5000 + "}",
    '{"text": "' + "x" * 40_000 + '"}',
    '{"text": "' + "é" * 400_000 + '"}',
)


def anything(chance: random.Random) -> dict[str, Any]:
    """Return arguments that fit the schema of the trials."""
    made: dict[str, Any] = {"text": _text(chance)}
    if chance.random() < 0.7:
        made["count"] = chance.choice([0, 1, -1, 0.5, -2.25, 2**53 - 1, 1 - 2**53, 1234567890123])
    if chance.random() < 0.4:
        made["more"] = {"list": [_text(chance), None, True, {"b": 1, "a": _text(chance)}], "": ""}
    return made


def as_typed(chance: random.Random, value: dict[str, Any]) -> str:
    """Return JSON that says the value, in one of the many ways to write it."""
    items = list(value.items())
    chance.shuffle(items)
    return json.dumps(
        dict(items),
        ensure_ascii=chance.random() < 0.5,
        indent=chance.choice([None, None, 1, 4]),
        separators=chance.choice([None, (" , ", " : ")]),
    )


def bad_texts() -> tuple[str, ...]:
    """Return texts that are no arguments, each for a reason of its own."""
    return _BAD


def _text(chance: random.Random) -> str:
    return "".join(chance.choice(_LETTERS) for _ in range(chance.randint(0, 12)))
