"""A thread in a real browser, in which somebody has the agent act and a colleague decides."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from playwright.async_api import Locator, Page, expect

from bot import approval_messages as messages
from tests.doubles.chromium import chromium

UNANSWERED = 5_000
"""Milliseconds; Slack waits three seconds for the answer to a dialog."""


class AgentPage:
    """The page of a playground, and what people do and see on it.

    What is to be seen is waited for, ``patience`` milliseconds at most. ``wrong`` are the errors
    of the page.
    """

    def __init__(self, page: Page, patience: float) -> None:
        self.page = page
        self.patience = patience
        self.wrong: list[str] = []
        self.thread = page.get_by_test_id("thread")
        self.modal = page.get_by_test_id("modal")
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    async def ask(self, request: str) -> None:
        """Have the agent do something; its thread opens by itself."""
        box = self.page.get_by_test_id("composer-main")
        await box.fill(f"@Footnote agent: {request}")
        await box.press("Enter")

    async def sees_card(self, words: str) -> None:
        """Wait for the one card that asks for a decision about arguments with these words."""
        await expect(self._edit).to_have_count(1, timeout=self.patience)
        await expect(self.thread.locator("pre").first).to_contain_text(words)

    async def become(self, user: str) -> None:
        """Let another person sit down, and open the newest thread."""
        await self.page.get_by_test_id(f"user-{user}").click()
        await self.page.get_by_test_id("replies").first.click()

    async def open_dialog(self) -> None:
        """Open the dialog in which the arguments of the call are mended."""
        await self._edit.click()
        await expect(self.modal.locator("textarea")).to_be_visible(timeout=self.patience)

    async def submit(self, arguments: Mapping[str, object]) -> None:
        """Mend the arguments and agree to that, without waiting for what comes of it."""
        await self.modal.locator("textarea").fill(json.dumps(arguments))
        await self.page.get_by_test_id("modal-submit").click()

    async def mend_and_approve(self, arguments: Mapping[str, object]) -> None:
        """Open the dialog, mend the arguments, agree to that, and see the dialog close."""
        await self.open_dialog()
        await self.submit(arguments)
        await expect(self.modal).to_be_hidden()

    async def leave_dialog(self) -> None:
        """See the dialog close; where nobody answers, submit again, and close what it then says."""
        try:
            await expect(self.modal).to_be_hidden(timeout=UNANSWERED)
        except AssertionError:
            again = self.page.get_by_test_id("modal-submit")
            await again.click()
            await expect(again).to_be_hidden(timeout=self.patience)
            if await self.modal.is_visible():
                await self.page.get_by_test_id("modal-close").click()
            await expect(self.modal).to_be_hidden()

    async def sees(self, words: str) -> None:
        """Wait until these words stand in the thread."""
        await expect(self.thread).to_contain_text(words, timeout=self.patience)

    async def sees_link(self, url: str) -> None:
        """Wait until the thread leads there."""
        link = self.thread.locator(f'a[href="{url}"]')
        await expect(link.first).to_be_visible(timeout=self.patience)

    @property
    def _edit(self) -> Locator:
        return self.thread.get_by_role("button", name=messages.EDIT, exact=True)


@asynccontextmanager
async def opened_page(url: str, *, patience: float = 30_000) -> AsyncIterator[AgentPage]:
    """Yield the page at ``url`` in a browser of its own."""
    async with chromium() as browser:
        page = await browser.new_page(
            viewport={"width": 1180, "height": 900}, reduced_motion="reduce"
        )
        page.set_default_timeout(patience)
        shown = AgentPage(page, patience)
        await page.goto(url)
        yield shown
