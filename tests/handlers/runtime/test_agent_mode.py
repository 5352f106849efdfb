"""Where the agent does not work, whoever calls for it is told why, and questions stay questions."""

import pytest

from handlers.runtime.agent_mode import NO_MODEL, NO_THREAD, OFF, is_on, why_not
from handlers.runtime.demo import demo_settings
from handlers.runtime.settings import Settings

MODEL = {"OPENAI_MODEL": "m", "OPENAI_API_KEY": "k"}
ON = {"FOOTNOTE_AGENT": "ON"}


@pytest.mark.parametrize(
    ("environ", "works"), [({}, False), (MODEL, False), (ON, False), ({**ON, **MODEL}, True)]
)
def test_it_works_where_it_is_on_and_has_a_model(environ: dict[str, str], works: bool) -> None:
    assert is_on(Settings.load(environ)) == works


@pytest.mark.parametrize(
    ("environ", "text", "answer"),
    [
        ({}, "agent: open an issue", OFF),
        ({}, "Agent : open an issue", OFF),
        # Where nobody ever heard of an agent, this is a question.
        ({}, "Agent fees?", ""),
        (ON, "agent open an issue", NO_MODEL),
        ({**ON, **MODEL}, "agent: from a slash command", NO_THREAD),
        ({**ON, **MODEL}, "What does the agent do?", ""),
        ({}, "What does the agent do?", ""),
    ],
)
def test_a_request_that_nobody_works_on_is_answered_with_the_reason(
    environ: dict[str, str], text: str, answer: str
) -> None:
    assert why_not(Settings.load(environ), text) == answer


def test_in_the_demo_only_a_model_is_missing() -> None:
    assert not is_on(demo_settings(Settings.load({}), docs=None))
    assert is_on(demo_settings(Settings.load(MODEL), docs=None))
    assert "OPENAI_MODEL" in why_not(demo_settings(Settings.load({}), docs=None), "agent: act")
