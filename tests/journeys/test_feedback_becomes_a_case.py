"""From a thumbs-down in Slack to a question that `footnote eval` asks."""

import json

import pytest

from handlers.judging.errors import CaseRefused
from handlers.runtime.evaluating import Asking, run_eval
from handlers.runtime.feedback_cases import run_from_feedback
from tests.journeys.conftest import OpenOffice
from tests.journeys.test_a_question_is_answered import HOLIDAYS


@pytest.mark.timeout(300)
async def test_a_draft_is_asked_once_somebody_has_confirmed_it(
    open_office: OpenOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_office() as office:
        ts = await office.slack.say("alice", "general", f"@Footnote {HOLIDAYS}")
        answer = (await office.slack.wait_for_answer("general", ts))[-1]
        (buttons,) = answer["blocks"][-1]["elements"]
        value = buttons["negative_button"]["value"]
        await office.slack.click("bob", "general", answer["ts"], buttons["action_id"], value)
        assert await run_from_feedback(office.settings, None, as_json=False) == 0
    folder = office.settings.home / "cases"
    (path,) = folder.iterdir()
    assert str(path) in capsys.readouterr().out
    asking = Asking((folder,), as_json=True)
    with pytest.raises(CaseRefused, match="drafts only"):
        await run_eval(office.settings, asking)
    case = json.loads(path.read_text("utf-8"))
    assert case["question"] == HOLIDAYS
    del case["draft"]
    path.write_text(json.dumps(case), "utf-8")
    capsys.readouterr()
    assert await run_eval(office.settings, asking) == 0
    (result,) = json.loads(capsys.readouterr().out)["sets"]
    assert result["figures"]["recall_at_5"]["mean"] == 1.0
    assert result["figures"]["first_footnote_gold"]["mean"] == 1.0
