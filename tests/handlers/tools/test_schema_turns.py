"""Tools as a JSON Schema: every turn can be written, read back, and held to the form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import jsonschema
import pytest

from handlers.answering.ports import Message
from handlers.tools.ports import AgentMessage, Effect, ToolCall, ToolContext, ToolResult
from handlers.tools.schema_turns import plain_messages, read_turn, response_schema


@dataclass
class Offered:
    """A tool that is described and never run."""

    name: str
    parameters: Mapping[str, object] = field(
        default_factory=lambda: {
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
            "additionalProperties": False,
        }
    )
    description: str = "Finds passages."
    effect: Effect = Effect.READ

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        raise AssertionError("only described here")


SEARCH, LIST = Offered("search_documents"), Offered("list_sources", {"type": "object"})


def fits(turn: object, *, conclude: bool = False) -> bool:
    schema = response_schema([SEARCH, LIST], conclude=conclude)
    return jsonschema.Draft202012Validator(dict(schema)).is_valid(turn)


def test_a_turn_is_one_call_or_what_is_said() -> None:
    assert fits({"say": "Done."})
    assert fits({"tool": "search_documents", "arguments": {"query": "leave"}})
    assert not fits({"tool": "search_documents", "arguments": {"words": "leave"}})
    assert not fits({"tool": "delete_everything", "arguments": {}})
    assert not fits({"tool": "list_sources", "arguments": {}, "say": "Done."})


def test_nothing_but_words_fits_the_last_turn() -> None:
    assert fits({"say": "Done."}, conclude=True)
    assert not fits({"tool": "list_sources", "arguments": {}}, conclude=True)


def test_a_schema_that_refers_to_itself_is_not_put_where_its_references_break() -> None:
    odd = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {}}}
    schema = response_schema([Offered("odd", odd)], conclude=False)
    jsonschema.validate({"tool": "odd", "arguments": {"a": 1}}, dict(schema))


def test_what_no_grammar_takes_is_left_out_and_a_property_of_that_name_is_kept() -> None:
    pattern = {"type": "string", "pattern": r"^a$(?!\n)", "maxLength": 3000}
    strict = {
        "type": "object",
        "properties": {"pattern": pattern, "more": {"type": "array", "items": pattern}},
        "required": ["pattern"],
    }
    schema = response_schema([Offered("strict", strict)], conclude=False)
    told = json.dumps(schema)
    assert "(?!" not in told
    assert "3000" not in told
    assert '"pattern": {"type": "string"}' in told


def test_a_call_is_read_with_its_arguments() -> None:
    said, calls = read_turn('{"tool": "search_documents", "arguments": {"query": "Urlaub – ÄÖ"}}')
    assert said == ""
    assert [(one.name, json.loads(one.arguments)) for one in calls] == [
        ("search_documents", {"query": "Urlaub – ÄÖ"})
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"say": " It is 26 weeks. [1] "}', "It is 26 weeks. [1]"),
        ("It is 26 weeks.", "It is 26 weeks."),
        ('{"say": 26}', '{"say": 26}'),
        ('{"tool": ""}', '{"tool": ""}'),
        ('{"tool": "search_docu', '{"tool": "search_docu'),
        ("[1, 2]", "[1, 2]"),
        ("", ""),
    ],
)
def test_what_is_no_call_is_said(text: str, said: str) -> None:
    assert read_turn(text) == (said, ())


def test_a_run_is_told_as_a_chat_in_turns() -> None:
    call = ToolCall("c1", "search_documents", '{"query": "leave"}')
    other = ToolCall("c2", "list_sources", "")
    told = plain_messages(
        [
            AgentMessage("system", "Be brief."),
            AgentMessage("user", "How long is leave?"),
            AgentMessage("assistant", "", (call, other)),
            AgentMessage("tool", "[1] 26 weeks.", call_id="c1"),
            AgentMessage("tool", "handbook", call_id="c2"),
        ],
        [SEARCH, LIST],
        conclude=False,
    )
    assert [one.role for one in told] == ["system", "user", "assistant", "user"]
    assert told[0].content.startswith("Be brief.")
    assert "search_documents: Finds passages." in told[0].content
    assert [json.loads(line) for line in told[2].content.splitlines()] == [
        {"tool": "search_documents", "arguments": {"query": "leave"}},
        {"tool": "list_sources", "arguments": {}},
    ]
    assert "Result of search_documents:\n[1] 26 weeks." in told[3].content
    assert "Result of list_sources:\nhandbook" in told[3].content


def test_the_last_turn_is_told_that_tools_are_over() -> None:
    (system,) = plain_messages([AgentMessage("system", "Be brief.")], [SEARCH], conclude=True)
    assert isinstance(system, Message)
    assert "search_documents" not in system.content
    assert "No tool" in system.content
