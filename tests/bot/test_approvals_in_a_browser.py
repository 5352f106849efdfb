"""The card, its dialogs and Stop, as somebody sees and presses them in a real browser."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Page, expect

from bot import approval_messages as messages
from bot.agent_thread import AgentThread, Step
from bot.app import create_app, make_client
from bot.conversation import Mention, Place
from bot.playground import Playground
from tests.bot.test_approval_cards import NASTY, long
from tests.bot.test_approval_clicks import NOW, Program
from tests.bot.test_on_the_playground import over_http
from tests.doubles.chromium import chromium
from tests.doubles.proposal_desk import call, proposal
from tests.doubles.slack_signing import SECRET


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    async with Playground(signing_secret=SECRET) as playground:
        yield playground


@pytest.fixture
async def program(slack: Playground) -> AsyncIterator[Program]:
    program = Program(proposal(call(1, NASTY), call(2, long(1_200))))
    async with AsyncExitStack() as stack:
        client = make_client("xoxb-playground", slack.api_url)
        app = create_app(
            program,
            signing_secret=SECRET,
            token="xoxb-playground",
            client=client,
            now=lambda: NOW,
        )
        slack.events_url = await over_http(app, stack)
        yield program


@pytest.fixture
async def page(slack: Playground) -> AsyncIterator[Page]:
    async with chromium() as browser:
        page = await browser.new_page(
            viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
        )
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(slack.url) else wrong.append(r.url))
        await page.goto(slack.url)
        yield page
        assert wrong == []


async def test_a_proposal_is_read_edited_and_approved_and_the_agent_is_stopped(
    page: Page, slack: Playground, program: Program
) -> None:
    await page.get_by_test_id("composer-main").fill("@Footnote agent: report the printer")
    await page.get_by_test_id("composer-main").press("Enter")
    root = await slack.wait_until(lambda: [m["ts"] for m in slack.messages("general")])
    mention = Mention(slack.team, "CGENERAL", "UALICE", root[0], root[0], Place.CHANNEL, "")
    client = make_client("xoxb-playground", slack.api_url)

    async def posted(ts: str) -> None:
        """Take no notice."""

    agent = AgentThread(client, mention, posted=posted, now=lambda: NOW)

    # What it does stands in a plan, and it can be stopped.
    await agent.session("processing")
    await agent.plan([Step("1", "Search", "complete"), Step("2", "Open an issue", "in_progress")])
    thread = page.get_by_test_id("thread")
    await expect(thread.locator('[data-status="in_progress"]')).to_contain_text("Open an issue")
    await page.get_by_test_id("stop").click()
    await slack.wait_until(lambda: program.stops or None)

    # The card shows everything, and renders none of it.
    assert program.known is not None
    await agent.ask(program.known)
    await agent.session("suspended")
    await expect(page.get_by_test_id("stop")).to_have_count(0)
    code = thread.locator("pre").first
    await expect(code).to_contain_text("<!channel> <https://evil.example|click>")
    await expect(code).to_contain_text("a‹U+202E›b‹U+200B›")
    await expect(code.locator("a, .mention, strong")).to_have_count(0)
    await expect(thread.locator("time[title='2026-11-29 18:30 UTC']")).to_have_count(1)

    # A slip of the pen is named at its field; what is right then is approved.
    await thread.get_by_role("button", name=messages.EDIT, exact=True).first.click()
    field = page.get_by_test_id("modal").locator("textarea")
    await field.fill('{"title": ')
    await page.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("input-error")).to_contain_text("line 1")
    await field.fill('{"title": "Printer\non floor 2"}')
    await page.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("modal")).to_be_hidden()
    assert program.decisions[-1].arguments == '{"title": "Printer\\non floor 2"}'
    await expect(thread).to_contain_text("Approved by @Alice")

    # The long one is approved where all of it was shown.
    await thread.get_by_role("button", name=messages.SHOW_ALL).first.click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("Page 1 of 2")
    await expect(page.get_by_test_id("modal-submit")).to_have_count(0)
    await modal.get_by_role("button", name=messages.NEXT).click()
    await expect(modal).to_contain_text("line 1199")
    await page.get_by_test_id("modal-submit").click()
    await expect(thread.get_by_text("Approved by @Alice")).to_have_count(2)
    await expect(thread.get_by_role("button", name=messages.APPROVE)).to_have_count(0)
