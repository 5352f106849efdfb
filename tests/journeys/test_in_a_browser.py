"""What a newcomer does after `make demo`, in a real browser. Takes the picture in README.md."""

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot import messages
from handlers.runtime.wiring import state_path
from tests.doubles.chromium import chromium
from tests.journeys.conftest import OpenOffice

PICTURE = Path(__file__).resolve().parents[2] / "build" / "answer.png"

PATIENCE = 30_000


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with chromium() as browser:
        page = await browser.new_page(
            viewport={"width": 1180, "height": 640}, reduced_motion="reduce"
        )
        page.set_default_timeout(PATIENCE)
        yield page


async def test_a_newcomer_asks_reads_a_footnote_hears_not_found_and_follows_up(
    page: Page, open_office: OpenOffice
) -> None:
    async with open_office() as office:
        # Slow enough that the states in between can be seen.
        office.slack.fail_next("chat.appendStream", delay=1.0)
        office.slack.fail_next("chat.stopStream", delay=1.5)
        await page.goto(office.slack.url)

        # A question about the handbook: the status, the stream, the numbered footnotes.
        box = page.get_by_test_id("composer-main")
        await box.fill("@Footnote How many days of paid holiday do I have?")
        await box.press("Enter")
        thread = page.get_by_test_id("thread")
        await expect(page.get_by_test_id("status")).to_contain_text("Footnote", timeout=PATIENCE)
        streaming = thread.locator('[data-by="bot"][data-state="streaming"]')
        await expect(streaming).to_have_count(1, timeout=PATIENCE)
        answer = thread.locator('[data-by="bot"][data-state="done"]')
        await expect(answer).to_contain_text("27 days of paid holiday", timeout=PATIENCE)
        await expect(answer.locator(".mark").first).to_have_text("1")

        # One footnote, opened: the exact quote.
        await answer.get_by_text(messages.OPEN_QUOTE).first.click()
        modal = page.get_by_test_id("modal")
        await expect(modal).to_contain_text("Everybody has 27 days of paid holiday a year")
        await page.get_by_test_id("modal-close").click()
        await page.mouse.move(0, 0)
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=PICTURE)

        # It did not help, and that is kept.
        no = answer.get_by_role("button", name=messages.NOT_HELPFUL_LABEL)
        await no.click()
        await expect(no).to_have_attribute("aria-pressed", "true")
        with sqlite3.connect(state_path(office.settings)) as db:
            (kept,) = db.execute("SELECT value FROM items WHERE key LIKE 'feedback:%'").fetchall()
        db.close()
        assert json.loads(kept[0])["helpful"] is False

        # A follow-up in the same thread.
        reply = page.get_by_test_id("composer-thread")
        await reply.fill("@Footnote And how many in my first year?")
        await reply.press("Enter")
        follow_up = thread.locator('[data-by="bot"][data-state="done"]').nth(1)
        await expect(follow_up).to_contain_text("2.25 days for each full month", timeout=PATIENCE)

        # What the handbook does not know.
        await box.fill("@Footnote Does the company give stock options to employees?")
        await box.press("Enter")
        refused = thread.locator('[data-by="bot"][data-state="done"]').filter(
            has_text=messages.NOT_FOUND
        )
        await expect(refused).to_have_count(1, timeout=PATIENCE)
        await expect(refused).to_contain_text(messages.NEAREST)
        await expect(refused.locator(".mark")).to_have_count(0)
