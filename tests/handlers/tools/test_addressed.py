"""Who says "agent" first speaks to the agent; everybody else asks a question."""

import pytest

from handlers.tools.addressed import agent_request


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("agent: open an issue", "open an issue"),
        ("Agent open an issue", "open an issue"),
        ("AGENT,  open it", "open it"),
        ("<@U123> agent: open it", "open it"),
        ("<@U123|Footnote>  agent:open it", "open it"),
        ("agent", ""),
        ("agent:\nopen it", "open it"),
        ("agents are what?", None),
        ("Which agent do I ask?", None),
        ("agent's rights", None),
        ("", None),
    ],
)
def test_a_request_begins_with_the_name_of_the_agent(text: str, request_: str | None) -> None:
    assert agent_request(text) == request_
