"""Turns of a model whose server does not know tools, or hands them back as text. Pure.

Nearly every server can hold a reply to a JSON Schema. So the tools stand in the instructions, and
each reply is one of two objects: a call, or what the model wants to say.

    {"tool": "search_documents", "arguments": {"query": "parental leave"}}
    {"say": "Parental leave is 26 weeks. [1]"}

The schema makes the form reliable, not the content: arguments are checked like everybody's.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from handlers.answering.ports import Message
from handlers.tools.ports import AgentMessage, Tool, ToolCall

_INSTRUCTIONS: Final = (
    "You have tools. Reply with one JSON object and nothing else, in one of two forms:\n"
    '{"tool": NAME, "arguments": {...}} calls a tool; you are shown its result and go on.\n'
    '{"say": TEXT} ends the work with what you tell the user.\n'
    "Call one tool at a time. Never make up a result.\n\nThe tools:"
)
_CONCLUDE: Final = (
    'No tool can be called any more. Reply with {"say": TEXT}: what you found, and what is missing.'
)
_BEYOND_GRAMMARS: Final = frozenset(
    {"pattern", "format", "minLength", "maxLength", "minItems", "maxItems"}
)


def plain_messages(
    messages: Sequence[AgentMessage], tools: Sequence[Tool], *, conclude: bool
) -> list[Message]:
    """Return a run as messages of a plain chat, with the tools in its instructions."""
    said = [one for one in messages if one.role == "system"]
    rules = _CONCLUDE if conclude else "\n".join([_INSTRUCTIONS, *map(_described, tools)])
    system = "\n\n".join([*(one.content for one in said), rules])
    names = {call.id: call.name for one in messages for call in one.calls}
    rest = (_plain(one, names) for one in messages if one.role != "system")
    return [Message("system", system), *_joined(rest)]


def response_schema(tools: Sequence[Tool], *, conclude: bool) -> Mapping[str, object]:
    """Return the JSON Schema of one turn."""
    say = _object({"say": {"type": "string"}})
    return {"anyOf": [*map(_call_schema, tools), say]} if tools and not conclude else say


def read_turn(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """Return what a reply says, and the call that it asks for.

    What is in neither form is taken as said, since there are servers that ignore schemas.
    """
    try:
        turn = json.loads(text)
    except (ValueError, RecursionError):
        return text.strip(), ()
    if not isinstance(turn, dict):
        return text.strip(), ()
    name, said = turn.get("tool"), turn.get("say")
    if isinstance(name, str) and name:
        arguments = json.dumps(turn.get("arguments", {}), ensure_ascii=False)
        return "", (ToolCall("call", name, arguments),)
    return (said if isinstance(said, str) else text).strip(), ()


def _described(tool: Tool) -> str:
    parameters = json.dumps(tool.parameters, ensure_ascii=False, default=dict)
    return f"- {tool.name}: {tool.description}\n  arguments: {parameters}"


def _call_schema(tool: Tool) -> Mapping[str, object]:
    return _object({"tool": {"const": tool.name}, "arguments": _nested(tool.parameters)})


def _nested(parameters: Mapping[str, object]) -> Mapping[str, object]:
    # A reference counts from the root of a schema, which this one no longer is.
    refers = '"$ref"' in json.dumps(parameters, default=dict)
    return {"type": "object"} if refers else _shape(parameters)


def _shape(schema: object) -> Any:
    """Return a schema without what makes the grammars of servers huge, or fail.

    A pattern may look ahead, and a longest length is unrolled letter by letter.
    """
    if not isinstance(schema, Mapping):
        return schema
    shape = {key: held for key, held in schema.items() if key not in _BEYOND_GRAMMARS}
    if isinstance(named := shape.get("properties"), Mapping):
        shape["properties"] = {name: _shape(held) for name, held in named.items()}
    for key in ("items", "additionalProperties"):
        if key in shape:
            shape[key] = _shape(shape[key])
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(held := shape.get(key), list | tuple):
            shape[key] = [_shape(one) for one in held]
    return shape


def _object(properties: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _plain(message: AgentMessage, names: Mapping[str, str]) -> Message:
    if message.role == "assistant":
        calls = [_asked(call) for call in message.calls]
        said = [json.dumps({"say": message.content}, ensure_ascii=False)] if not calls else []
        return Message("assistant", "\n".join([*calls, *said]))
    if message.role == "tool":
        name = names.get(message.call_id, "a tool")
        return Message("user", f"Result of {name}:\n{message.content}")
    return Message("user", message.content)


def _asked(call: ToolCall) -> str:
    # The name comes from a model too, and is quoted like everything else.
    return f'{{"tool": {json.dumps(call.name)}, "arguments": {call.arguments or "{}"}}}'


def _joined(messages: Iterable[Message]) -> Iterable[Message]:
    """Yield one message where several of a role follow each other; some servers insist on that."""
    for role, several in groupby(messages, key=lambda one: one.role):
        yield Message(role, "\n\n".join(one.content for one in several))
