"""The arguments of a call: read strictly, checked against the tool, and written one way only.

What is shown on a card and what runs are the same text, the canonical JSON of RFC 8785. So nothing
may come in that this text cannot carry exactly: a number that floating point would round, half of
a character, a key that stands twice.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import rfc8785

from handlers.tools.errors import BadArguments
from handlers.tools.ports import Tool

MAX_ARGUMENT_BYTES: Final = 32 * 1024
"""Canonical arguments, in UTF-8. A modal of Slack shows about ten times as much."""

MAX_DEPTH: Final = 32

_MAX_TEXT = 8 * MAX_ARGUMENT_BYTES
_MAX_EXACT = 2**53 - 1
_MAX_SENTENCE = 400


def canonical(value: Mapping[str, object]) -> str:
    """Return the one text that stands for these arguments (RFC 8785).

    Raises BadArguments for what JSON cannot carry exactly, and for more than MAX_ARGUMENT_BYTES.
    """
    if not isinstance(value, Mapping):
        raise BadArguments("The arguments must be a JSON object.")
    plain = _plain(value, MAX_DEPTH)
    try:
        written = rfc8785.dumps(plain)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise BadArguments("The arguments hold something that JSON cannot carry.") from error
    if len(written) > MAX_ARGUMENT_BYTES:
        raise BadArguments(
            f"The arguments have {len(written)} bytes; {MAX_ARGUMENT_BYTES} are allowed."
        )
    return written.decode("utf-8")


def read_back(text: str) -> Mapping[str, object]:
    """Return what canonical arguments say. Raises BadArguments for any other text."""
    value = _strict(text)
    if canonical(value) != text:
        raise BadArguments("These arguments are not in their canonical form.")
    return value


def parsed(tool: Tool, text: str) -> Mapping[str, object]:
    """Read the arguments that a model wrote for ``tool``.

    What comes back is what the canonical text says, 2 for a written 2.0, so that the tool gets what
    the card shows. Raises BadArguments, whose sentence the model can mend its call by.
    """
    return checked(tool.parameters, text)


def checked(schema: Mapping[str, object], text: str) -> Mapping[str, object]:
    """Read arguments that anybody wrote, and check them against a schema. Raises BadArguments."""
    # Models write nothing at all for a tool that takes no arguments.
    value = _strict(canonical(_strict(text))) if text.strip() else {}
    fault = _fault(schema, value)
    if fault:
        raise BadArguments(fault)
    return value


def tool_digest(tool: Tool) -> str:
    """Return 64 hex digits that change with the name, description, parameters or effect."""
    # Not RFC 8785: schemas may hold numbers that it refuses, such as a maximum of 2**64 - 1.
    about = [tool.name, tool.description, tool.parameters, tool.effect.value]
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), default=_as_plain)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def schema_fault(schema: Mapping[str, object]) -> str:
    """Say in a sentence why no arguments can be checked against a schema, "" if they can."""
    if schema.get("type") != "object":
        return "The schema of the arguments is not one of an object."
    from jsonschema import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except (SchemaError, RecursionError) as error:
        said = error.message if isinstance(error, SchemaError) else "it is nested too deeply"
        return _cut(f"The schema of the arguments is not JSON Schema: {said}.")
    return ""


def _fault(schema: Mapping[str, object], value: Mapping[str, object]) -> str:
    # Imported here: it takes 100 ms, and the Slack door needs it only when somebody edits.
    from jsonschema.exceptions import SchemaError, best_match
    from jsonschema.validators import Draft202012Validator, validator_for
    from jsonschema_specifications import REGISTRY
    from referencing.exceptions import Unresolvable

    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
        # The registry is named because the default one fetches what a $ref points to: an address
        # that somebody else's server wrote.
        found = best_match(kind(schema, registry=REGISTRY).iter_errors(value))
    except (SchemaError, Unresolvable, RecursionError, re.error):
        return "The schema of this tool cannot be used, so that no arguments fit it."
    if found is None:
        return ""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found.path)
    return _cut(f"The arguments do not fit{f' at {where[:100]}' if where else ''}: {found.message}")


def _strict(text: str) -> Mapping[str, object]:
    if len(text) > _MAX_TEXT:
        raise BadArguments(f"The arguments have more than {MAX_ARGUMENT_BYTES} bytes.")
    try:
        value = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise BadArguments(
            f"The arguments are not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise BadArguments(f"The arguments are nested deeper than {MAX_DEPTH}.") from error
    except ValueError as error:
        # Python reads no integer of more than 4,300 digits.
        raise BadArguments(_TOO_LARGE) from error
    if not isinstance(value, dict):
        raise BadArguments("The arguments must be a JSON object.")
    return value


_TOO_LARGE = f"A number is beyond ±{_MAX_EXACT}; write it as a string."


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadArguments("A key stands twice in the arguments.")
    return value


def _no_number(word: str) -> object:
    raise BadArguments(f"{word} is not a JSON number.")


def _plain(value: object, depth: int) -> Any:
    """Return dicts and lists for mappings and sequences, once all they hold can be carried."""
    if depth < 0:
        raise BadArguments(f"The arguments are nested deeper than {MAX_DEPTH}.")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, int | float):
        # Of a float, too: 1e20 would come back as an integer that is not exact.
        if not math.isfinite(value) or abs(value) > _MAX_EXACT:
            raise BadArguments(_TOO_LARGE)
        return value
    if isinstance(value, Mapping):
        return {_whole(key): _plain(held, depth - 1) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held, depth - 1) for held in value]
    raise BadArguments("The arguments hold something that is not JSON.")


def _whole(text: object) -> str:
    if not isinstance(text, str):
        raise BadArguments("A key of the arguments is not a string.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadArguments("A string holds half of a character (a lone surrogate).") from error
    # A kind of string with a face of its own would be shown otherwise than it is sent.
    return str.__str__(text)


def _as_plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"A schema holds a {type(value).__name__}, which is not JSON.")


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= _MAX_SENTENCE else f"{sentence[: _MAX_SENTENCE - 1]}…"
