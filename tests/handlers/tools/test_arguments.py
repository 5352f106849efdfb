"""Arguments: what is shown is what runs, so only what one text can carry exactly comes in."""

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.tools.arguments import (
    MAX_ARGUMENT_BYTES,
    canonical,
    checked,
    parsed,
    read_back,
    schema_fault,
    tool_digest,
)
from handlers.tools.errors import BadArguments
from handlers.tools.ports import Effect
from tests.doubles.noting_tool import ANYTHING, NotingTool
from tests.doubles.typed_arguments import bad_texts

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}

EXACT = 2**53 - 1
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-EXACT, EXACT)
    | st.floats(-float(EXACT), float(EXACT))
    | st.text(),
    lambda held: st.lists(held, max_size=4) | st.dictionaries(st.text(), held, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_reading_back_what_was_written_changes_nothing(value: dict[str, Any]) -> None:
    text = canonical(value)
    assert canonical(read_back(text)) == text
    assert read_back(text) == value
    assert canonical(json.loads(json.dumps(value, indent=3))) == text


@given(st.dictionaries(st.text(), json_values, max_size=3), st.randoms())
def test_order_blanks_and_escapes_make_no_difference(value: dict[str, Any], chance: Any) -> None:
    items = list(value.items())
    chance.shuffle(items)
    written = json.dumps(dict(items), indent=2, ensure_ascii=chance.random() < 0.5)
    assert canonical(checked(ANYTHING, written)) == canonical(value)


def test_canonical_arguments_are_those_of_rfc_8785() -> None:
    value = {"\u20ac": "€", "1": [333333333.33333329, 1e-27, 4.50, 2e-3, -0.0, 1.0], "\r": "\x0f\n"}
    expected = '{"\\r":"\\u000f\\n","1":[333333333.3333333,1e-27,4.5,0.002,0,1],"€":"€"}'
    assert canonical(value) == expected


def test_keys_stand_in_the_order_of_utf_16() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'


@pytest.mark.parametrize("text", [text for text in bad_texts() if text])
def test_what_one_text_cannot_carry_exactly_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadArguments) as raised:
        checked(TEXT, text)
    assert 10 < len(str(raised.value)) < 500


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 2**53},
        {"a": -1e300},
        {"a": "\ud83d"},
        {"\udc00": 1},
        {1: "a"},
        {"a": b"bytes"},
        {"a": {1, 2}},
        {"a": object()},
    ],
)
def test_a_value_that_is_not_exact_json_has_no_canonical_text(value: Any) -> None:
    with pytest.raises(BadArguments):
        canonical(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    with pytest.raises(BadArguments, match="nested"):
        canonical(endless)


def test_a_string_with_a_face_of_its_own_is_written_as_it_is_sent() -> None:
    class Masked(str):
        def __str__(self) -> str:
            return "harmless"

    assert canonical({"a": Masked("harmful")}) == '{"a":"harmful"}'


def test_only_canonical_text_is_read_back() -> None:
    for text in ('{"a": 1}', '{"b":1,"a":1}', '{"a":1.0}', '{"a":"\\u0041"}', "[]", "{"):
        with pytest.raises(BadArguments):
            read_back(text)


def test_the_longest_arguments_are_as_long_as_is_said() -> None:
    room = MAX_ARGUMENT_BYTES - len('{"a":""}')
    assert canonical({"a": "x" * room})
    with pytest.raises(BadArguments, match="bytes"):
        canonical({"a": "x" * (room + 1)})
    with pytest.raises(BadArguments, match="bytes"):
        canonical({"a": "é" * (room // 2 + 1)})


def test_a_model_that_writes_nothing_calls_without_arguments() -> None:
    assert parsed(NotingTool(), "  ") == {}


def test_a_tool_gets_the_number_that_the_card_shows() -> None:
    value = parsed(NotingTool(), '{"count": 2.0}')
    assert repr(value) == "{'count': 2}"


def test_what_does_not_fit_the_schema_is_named_with_its_place() -> None:
    schema = {"type": "object", "properties": {"rows": {"type": "array", "items": TEXT}}}
    with pytest.raises(BadArguments, match=r"at \.rows\[1\]\.text: 5 is not of type 'string'"):
        checked(schema, '{"rows": [{"text": "a"}, {"text": 5}]}')


def test_a_sentence_about_long_arguments_stays_short() -> None:
    with pytest.raises(BadArguments) as raised:
        checked({"type": "object", "maxProperties": 0}, json.dumps({"a": "x" * 20_000}))
    assert len(str(raised.value)) <= 400


def test_a_schema_never_makes_us_fetch_an_address() -> None:
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"

        def wait() -> None:
            try:
                server.accept()[0].close()
            except TimeoutError:
                return
            asked.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        for schema in ({"$ref": address}, {"properties": {"a": {"$ref": address}}}):
            with pytest.raises(BadArguments, match="schema"):
                checked(schema, '{"a": 1}')
        waiting.join()
    assert not asked.is_set()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "strng"}}},
        {"type": "object", "properties": {"a": {"pattern": "("}}},
        {"$ref": "#"},
        {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}},
    ],
)
def test_nothing_fits_a_schema_that_cannot_be_used(schema: Mapping[str, object]) -> None:
    with pytest.raises(BadArguments, match="schema"):
        checked(schema, '{"a": "b"}')


def test_a_schema_is_judged_before_its_tool_is_offered() -> None:
    assert schema_fault(TEXT) == ""
    assert schema_fault({**TEXT, "$schema": "http://json-schema.org/draft-07/schema#"}) == ""
    assert "object" in schema_fault({"type": "string"})
    assert "object" in schema_fault({})
    assert "JSON Schema" in schema_fault({"type": "object", "required": "text"})


def test_the_digest_changes_with_whatever_a_tool_says_of_itself() -> None:
    tool = NotingTool(parameters={"type": "object", "maximum": 2**64, "title": "é"})
    others = [
        replace(tool, name="other"),
        replace(tool, description=tool.description + "\u200b"),
        replace(tool, effect=Effect.FETCH),
        replace(tool, parameters={"type": "object", "maximum": 2**64 - 1, "title": "é"}),
        replace(tool, name="a", description="b"),
        replace(tool, name="ab", description=""),
    ]
    digests = {tool_digest(one) for one in (tool, *others)}
    assert len(digests) == len(others) + 1
    assert all(len(digest) == 64 for digest in digests)


def test_the_digest_does_not_depend_on_the_order_of_a_schema() -> None:
    there = NotingTool(parameters={"type": "object", "required": []})
    back = NotingTool(parameters={"required": [], "type": "object"})
    assert tool_digest(there) == tool_digest(back)
