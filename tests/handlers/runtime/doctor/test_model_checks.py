"""What `footnote doctor` says of the language model, asked over real HTTP."""

import pytest

from handlers.runtime.doctor.findings import Finding, Verdict
from handlers.runtime.doctor.model_checks import model_findings
from handlers.runtime.settings import Settings
from tests.doubles.scripted_model import Fails, Nonsense, ScriptedModel, Step, Streams

KEY = "sk-a-key-nobody-may-see"


async def found(*steps: Step) -> Finding:
    async with ScriptedModel(*steps) as server:
        [finding] = await model_findings(
            Settings.load(
                {
                    "OPENAI_MODEL": "a-model",
                    "OPENAI_API_KEY": KEY,
                    "OPENAI_BASE_URL": server.base_url,
                }
            )
        )
        assert KEY not in str(finding)
        return finding


async def test_a_model_that_begins_to_answer_is_good() -> None:
    assert (await found(Streams(["yes"]))).verdict is Verdict.OK


async def test_no_more_than_a_word_is_waited_for() -> None:
    slow = Streams(["yes", *("and more" for _ in range(200))], delay=0.1)
    assert (await found(slow)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([Fails(401)], "OPENAI_API_KEY"),
        ([Fails(404)], "OPENAI_MODEL"),
        ([Nonsense("html")] * 3, "not a completion"),
    ],
)
async def test_a_model_that_does_not_answer_says_why(steps: list[Step], says: str) -> None:
    finding = await found(*steps)
    assert finding.verdict is Verdict.FAILED
    assert says in finding.found
    assert "quotes" in finding.todo


async def test_without_a_model_there_is_nothing_to_ask() -> None:
    [finding] = await model_findings(Settings.load({}))
    assert finding.verdict is Verdict.SKIPPED
