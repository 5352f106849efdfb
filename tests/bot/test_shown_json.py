"""What is shown is what runs: the arguments can be read back from the card, byte for byte."""

import json
import re
from typing import Any

import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.markup import width
from bot.shown_json import CONTINUED, editable, fields, laid_out, pieces, typed
from tests.bot.test_visible import TRICKY, read_back

_INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
_NUMBERS = _INTEGERS | st.floats(-1e15, 1e15, allow_nan=False)
_TEXTS = TRICKY.filter(lambda text: not re.search("[\ud800-\udfff]", text))
_LEAVES = st.none() | st.booleans() | _NUMBERS | _TEXTS
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4)
)
ARGUMENTS = st.dictionaries(_TEXTS, _VALUES, max_size=4)


def canonical(value: dict[str, Any]) -> str:
    return rfc8785.dumps(value).decode()


def unlaid(shown: str) -> str:
    """Take out what only lays the text out, and read the signs back."""
    joined = re.sub(rf"\\n\n *{CONTINUED}", lambda _: "\\n", shown)
    inside = re.split(r'("(?:[^"\\]|\\.)*")', joined)
    bare = [re.sub(r"[\n ]+", "", part) if at % 2 == 0 else part for at, part in enumerate(inside)]
    return read_back("".join(bare))


@settings(max_examples=50)
@given(ARGUMENTS)
@example({"body": "one\ntwo\n↳ three\n    ↳ four"})
@example({"a": '"}, "b": "', "c": "\\n"})
@example({"amount": 1e21 / 1e10, "small": 1e-7, "n": -0.0})
def test_the_arguments_can_be_read_back_from_what_is_shown(value: dict[str, Any]) -> None:
    text = canonical(value)
    assert unlaid(laid_out(text)) == text


@settings(max_examples=50)
@given(ARGUMENTS)
@example({"body": "tab\there\r\nand \u202e there", "p\u0430y": ["\U000e0041"]})
def test_what_is_put_into_the_field_means_the_same(value: dict[str, Any]) -> None:
    text = canonical(value)
    assert canonical(json.loads(typed(editable(text)))) == text


def test_lines_of_a_text_stand_below_each_other_and_are_marked() -> None:
    assert laid_out('{"body":"Hello\\n\\"x\\": 1","n":1.5e+30}') == (
        '{\n  "body": "Hello\\n\n    ↳ \\"x\\": 1",\n  "n": 1.5e+30\n}'
    )


def test_a_line_of_a_text_cannot_pass_for_an_argument() -> None:
    shown = laid_out(canonical({"body": 'x\n"channel": "C0LEGAL",\n}', "channel": "C0EVIL"}))
    structure = [line for line in shown.splitlines() if not line.strip().startswith(CONTINUED)]
    assert [line for line in structure if "channel" in line] == ['  "channel": "C0EVIL"']


def test_an_escape_does_not_mix_with_the_letters_behind_it() -> None:
    assert "‹U+" not in laid_out(canonical({"body": "\nпривет"}))


def test_line_breaks_that_were_typed_inside_quotes_become_escapes() -> None:
    assert json.loads(typed('{\n"body": "one\ntwo\tthree\r\nfour"\n}')) == {
        "body": "one\ntwo\tthree\nfour"
    }


def test_deep_nesting_does_not_make_the_text_grow_without_end() -> None:
    deep = "[" * 3_000 + "]" * 3_000
    assert len(laid_out(deep)) < 500_000
    assert len(laid_out("{" * 50_000)) < 5_000_000


@given(st.text(max_size=400), st.integers(2, 50))
def test_pieces_give_the_whole_text_within_the_limit(text: str, limit: int) -> None:
    cut = pieces(text, limit)
    assert "".join(cut) == text
    assert all(width(piece) <= limit for piece in cut)


@settings(max_examples=50)
@given(ARGUMENTS, st.integers(20, 60))
@example({"words": "a b c d e f g h i j k l m n o p q r s t u v w x y z"}, 20)
@example({"blank": " " * 100 + "\n" * 50}, 20)
def test_fields_mean_the_same_even_when_slack_trims_them(value: dict[str, Any], limit: int) -> None:
    text = canonical(value)
    parts = fields(editable(text), limit)
    assert all(width(part) <= limit for part in parts)
    for joined in ("".join(parts), "".join(part.strip() for part in parts)):
        assert canonical(json.loads(typed(joined))) == text
