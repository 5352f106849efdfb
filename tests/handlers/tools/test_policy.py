"""The policy allows exact calls, and nothing that is only like them."""

from typing import Any

import pytest

from handlers.tools.policy import NO_POLICY, BadPolicy, read_policy

POLICY = read_policy("""
[[allow]]
tool = "post_message"
arguments = { channel = "C1", text = ["Deployed.", "Rolled back."] }

[[allow]]
tool = "set_flags"
arguments = { on = true, level = 1, names = [["a", "b"]], where = { city = "Bern" } }

[[allow]]
tool = "ping"
arguments = {}
""")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("post_message", {"channel": "C1", "text": "Deployed."}),
        ("post_message", {"text": "Rolled back.", "channel": "C1"}),
        (
            "set_flags",
            {"on": True, "level": 1, "names": ["a", "b"], "where": {"city": "Bern"}},
        ),
        (
            "set_flags",
            {"on": True, "level": 1.0, "names": ["a", "b"], "where": {"city": "Bern"}},
        ),
        ("ping", {}),
    ],
)
def test_exactly_what_is_named_is_allowed(tool: str, arguments: dict[str, Any]) -> None:
    assert POLICY.allows(tool, arguments)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("post_messages", {"channel": "C1", "text": "Deployed."}),
        ("POST_MESSAGE", {"channel": "C1", "text": "Deployed."}),
        ("post_message", {"channel": "C2", "text": "Deployed."}),
        ("post_message", {"channel": "C1", "text": "Deployed. "}),
        ("post_message", {"channel": "C1", "text": "deployed."}),
        ("post_message", {"channel": "C1", "text": ["Deployed.", "Rolled back."]}),
        ("post_message", {"channel": ["C1"], "text": "Deployed."}),
        ("post_message", {"channel": "C1"}),
        ("post_message", {"channel": "C1", "text": "Deployed.", "thread_ts": None}),
        ("post_message", {}),
        ("post_message", {"channel": "C1", "text": "\ud800"}),
        ("set_flags", {"on": 1, "level": 1, "names": ["a", "b"], "where": {"city": "Bern"}}),
        ("set_flags", {"on": True, "level": True, "names": ["a", "b"], "where": {"city": "Bern"}}),
        ("set_flags", {"on": True, "level": 1, "names": ["b", "a"], "where": {"city": "Bern"}}),
        ("set_flags", {"on": True, "level": 1, "names": "a", "where": {"city": "Bern"}}),
        ("set_flags", {"on": True, "level": 1, "names": ["a", "b"], "where": {}}),
        ("ping", {"host": "localhost"}),
        ("", {}),
    ],
)
def test_whatever_is_only_like_it_waits_for_a_human(tool: str, arguments: dict[str, Any]) -> None:
    assert not POLICY.allows(tool, arguments)


def test_no_policy_allows_nothing() -> None:
    assert not NO_POLICY.allows("ping", {})
    assert read_policy("") == NO_POLICY


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[allow]\n", "not TOML"),
        ("[[alow]]\ntool = 'ping'\narguments = {}", "alow"),
        ("[allow]\ntool = 'ping'\narguments = {}", "two brackets"),
        ("[[allow]]\ntool = 'ping'", "Rule 1"),
        ("[[allow]]\ntool = 'ping'\narguments = {}\nargs = {}", "Rule 1"),
        ("[[allow]]\ntool = 'a'\narguments = {}\n[[allow]]\ntool = ''\narguments = {}", "rule 2"),
        ("[[allow]]\ntool = 'ping'\narguments = '*'", "arguments = {}"),
        ("[[allow]]\ntool = 'ping'\narguments = { at = 2026-01-01 }", "JSON"),
        ("[[allow]]\ntool = 'ping'\narguments = { n = nan }", "JSON"),
        ("allow = [1]", "Rule 1"),
    ],
)
def test_a_policy_that_says_something_else_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(BadPolicy, match=said) as raised:
        read_policy(text)
    assert str(raised.value).endswith(".")


def test_an_empty_list_of_values_allows_none() -> None:
    policy = read_policy("[[allow]]\ntool = 'ping'\narguments = { host = [] }")
    assert not policy.allows("ping", {"host": []})
    assert not policy.allows("ping", {"host": ""})
