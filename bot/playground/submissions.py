"""What the fields of a modal hold when it is submitted, and the errors that come back. Pure."""

from typing import Any

from bot.playground.errors import PlaygroundMisuse, SlackRefusal

View = dict[str, Any]
_LONGEST = 3_000


def entered(view: View, values: dict[str, Any]) -> dict[str, Any]:
    """Return the state of every field: as given, or else as the app filled it in.

    Refuse what Slack itself would not let a person submit: PlaygroundMisuse.
    """
    state: dict[str, Any] = {}
    for block in _fields(view):
        element, block_id = block["element"], block["block_id"]
        given = values.get(block_id, {}).get(element["action_id"])
        if element["type"] != "plain_text_input":
            state |= {block_id: values[block_id]} if block_id in values else {}
            continue
        value = (given or {}).get("value") if given else element.get("initial_value")
        if not value and not block.get("optional"):
            raise PlaygroundMisuse("a field that has to be filled in is empty")
        if value and len(value) > element.get("max_length", _LONGEST):
            raise PlaygroundMisuse("a field holds more than it may")
        field = {"type": element["type"], "value": value or None}
        state[block_id] = {element["action_id"]: field}
    return {**values, **state}


def check_errors(view: View, errors: Any) -> None:
    """Refuse errors that Slack could show at no field."""
    known = {block["block_id"] for block in _fields(view)}
    fits = isinstance(errors, dict) and errors and all(isinstance(e, str) for e in errors.values())
    if not fits or not set(errors) <= known:
        raise SlackRefusal("invalid_arguments", "[ERROR] `errors` must name input blocks")


def _fields(view: View) -> list[dict[str, Any]]:
    return [block for block in view["blocks"] if block["type"] == "input"]
