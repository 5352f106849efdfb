"""Somebody has an issue opened: looked up in three documents, mended and approved by a colleague.

In a real browser, with the program that `footnote serve` runs, a scripted model and a strict local
GitHub. Takes a picture of the card.
"""

from pathlib import Path

import pytest

from tests.doubles.agent_page import opened_page
from tests.doubles.github import GitHub, Repository
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn
from tests.journeys.conftest import OpenOffice

PICTURE = Path(__file__).resolve().parents[2] / "build" / "approval.png"
REPOSITORY = "acme/handbook"
REQUEST = "open an issue that the three rules stand on one page"
CONCLUSION = "27 days of paid holiday"
PROPOSED = {
    "repository": REPOSITORY,
    "title": "Holiday, notice and expenses on one page",
    "body": "New people ask for the three together.",
}
MENDED = {**PROPOSED, "title": "Say holiday, notice and expenses on one page"}


def researcher(asked: Asked) -> Turn:
    """Read three documents side by side, propose an issue, and conclude."""
    if asked.concluding or len(asked.results) > 3:
        return Turn(f"Everybody has {CONCLUSION} a year [1].")
    if not asked.results:
        looked_up = ("days of paid holiday", "notice period", "expenses without a receipt")
        return Turn(calls=[("search_documents", {"query": one}) for one in looked_up])
    return Turn(calls=[("open_github_issue", PROPOSED)])


def settings_of(model: ScriptedAgent, github: GitHub) -> dict[str, str]:
    """Return the settings of an agent with this model, and this GitHub to open issues on."""
    return {
        "FOOTNOTE_AGENT": "ON",
        "OPENAI_MODEL": "scripted",
        "OPENAI_BASE_URL": model.base_url,
        "FOOTNOTE_REWRITE": "off",
        "FOOTNOTE_GITHUB_URL": github.url,
        "FOOTNOTE_GITHUB_REPOSITORIES": REPOSITORY,
        "FOOTNOTE_GITHUB_TOKEN": github.token,
    }


@pytest.mark.timeout(180)
async def test_an_issue_is_researched_mended_approved_by_a_second_person_and_linked(
    open_office: OpenOffice,
) -> None:
    async with (
        GitHub({REPOSITORY: Repository()}) as github,
        ScriptedAgent(researcher) as model,
        open_office(**settings_of(model, github)) as office,
        opened_page(office.slack.url) as page,
    ):
        await page.ask(REQUEST)
        await page.sees_card(PROPOSED["title"])
        assert github.issues(REPOSITORY) == []
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        await page.page.screenshot(path=PICTURE)

        # A colleague mends the title, and agrees to that.
        await page.become("bob")
        await page.mend_and_approve(MENDED)
        await page.sees("Approved by @Bob")

        # What was opened is what was shown last, and the thread leads there.
        await page.sees_link(f"{github.url}/{REPOSITORY}/issues/1")
        await page.sees(CONCLUSION)
        [issue] = github.issues(REPOSITORY)
        assert issue.title == MENDED["title"]
        assert issue.body.startswith(MENDED["body"])
        assert len(model.asked[1].results) == 3
        assert page.wrong == []
