"""Somebody has an issue opened: looked up in three documents, mended and approved by a colleague.

In a real browser, with the program that `footnote serve` runs, a scripted model and a strict local
GitHub. Takes a picture of the card.
"""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot import approval_messages as messages
from infra.browser import find
from tests.doubles.github import GitHub, Repository
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn
from tests.journeys.conftest import OpenOffice
from tests.journeys.test_in_a_browser import PATIENCE, QUIET

PICTURE = Path(__file__).resolve().parents[2] / "build" / "approval.png"
REPOSITORY = "acme/handbook"
PROPOSED = {
    "repository": REPOSITORY,
    "title": "Holiday, notice and expenses on one page",
    "body": "New people ask for the three together.",
}
MENDED = {**PROPOSED, "title": "Say holiday, notice and expenses on one page"}


def researcher(asked: Asked) -> Turn:
    """Read three documents side by side, propose an issue, and conclude."""
    if asked.concluding or len(asked.results) > 3:
        return Turn("Everybody has 27 days of paid holiday a year [1].")
    if not asked.results:
        looked_up = ("days of paid holiday", "notice period", "expenses without a receipt")
        return Turn(calls=[("search_documents", {"query": one}) for one in looked_up])
    return Turn(calls=[("open_github_issue", PROPOSED)])


@pytest.mark.timeout(180)
async def test_an_issue_is_researched_mended_approved_by_a_second_person_and_linked(
    open_office: OpenOffice,
) -> None:
    async with (
        GitHub({REPOSITORY: Repository()}) as github,
        ScriptedAgent(researcher) as server,
        open_office(
            FOOTNOTE_AGENT="ON",
            OPENAI_MODEL="scripted",
            OPENAI_BASE_URL=server.base_url,
            FOOTNOTE_REWRITE="off",
            FOOTNOTE_GITHUB_URL=github.url,
            FOOTNOTE_GITHUB_REPOSITORIES=REPOSITORY,
            FOOTNOTE_GITHUB_TOKEN=github.token,
        ) as office,
        async_playwright() as playwright,
    ):
        chromium = await playwright.chromium.launch(executable_path=find(), args=list(QUIET))
        page: Page = await chromium.new_page(
            viewport={"width": 1180, "height": 900}, reduced_motion="reduce"
        )
        page.set_default_timeout(PATIENCE)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(office.slack.url)
        box = page.get_by_test_id("composer-main")
        await box.fill("@Footnote agent: open an issue that the three rules stand on one page")
        await box.press("Enter")
        thread = page.get_by_test_id("thread")
        edit = thread.get_by_role("button", name=messages.EDIT, exact=True)
        await expect(edit).to_have_count(1, timeout=PATIENCE)
        await expect(thread.locator("pre").first).to_contain_text(PROPOSED["title"])
        assert github.issues(REPOSITORY) == []
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=PICTURE)

        # A colleague mends the title, and agrees to that.
        await page.get_by_test_id("user-bob").click()
        await page.get_by_test_id("replies").first.click()
        await edit.click()
        modal = page.get_by_test_id("modal")
        await modal.locator("textarea").fill(json.dumps(MENDED))
        await page.get_by_test_id("modal-submit").click()
        await expect(modal).to_be_hidden()
        await expect(thread).to_contain_text("Approved by @Bob", timeout=PATIENCE)

        # What was opened is what was shown last, and the thread leads there.
        link = thread.locator(f'a[href="{github.url}/{REPOSITORY}/issues/1"]')
        await expect(link.first).to_be_visible(timeout=PATIENCE)
        await expect(thread).to_contain_text("27 days of paid holiday", timeout=PATIENCE)
        [issue] = github.issues(REPOSITORY)
        assert issue.title == MENDED["title"]
        assert issue.body.startswith(MENDED["body"])
        assert len(server.asked[1].results) == 3
        await chromium.close()
        assert wrong == []
