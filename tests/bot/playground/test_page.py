import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, Route, expect

from bot.playground import Playground
from tests.bot.playground.receiver import SECRET
from tests.bot.playground.scripted_app import QUOTE, ScriptedApp
from tests.doubles.chromium import chromium

# One browser for the module: starting it is most of the time of these tests.
pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How many days off do I get?"


@pytest_asyncio.fixture(loop_scope="module")
async def talking() -> AsyncIterator[tuple[Playground, ScriptedApp]]:
    async with Playground(signing_secret=SECRET, suggestions=(QUESTION, "Who pays?")) as slack:
        app = ScriptedApp(slack)
        server = web.Application()
        server.router.add_post("/", app.take)
        runner = web.AppRunner(server)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield slack, app
        for task in app.tasks:
            task.cancel()
        await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, talking: tuple[Playground, ScriptedApp]) -> AsyncIterator[Page]:
    """The page as Alice; it must raise no error, log none, and load nothing from elsewhere."""
    slack, _ = talking
    page = await browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on(
        "request", lambda r: None if r.url.startswith(slack.url) else wrong.append(f"load {r.url}")
    )
    await page.goto(slack.url)
    await expect(page.get_by_test_id("suggestion")).to_have_count(2)
    yield page
    await page.close()
    assert [line for line in wrong if "400 (Bad Request)" not in line] == []


async def test_a_question_is_typed_and_its_footnote_opened(
    page: Page, talking: tuple[Playground, ScriptedApp]
) -> None:
    _, app = talking
    box = page.get_by_test_id("composer-main")
    await box.press_sequentially("@Foo")
    await expect(page.get_by_role("option", name="Footnote")).to_be_visible()
    await box.press("Enter")
    await expect(box).to_have_value("@Footnote ")
    await box.press_sequentially(QUESTION)
    await box.press("Enter")
    thread = page.get_by_test_id("thread")
    await expect(thread.get_by_test_id("status")).to_have_text(
        "Footnote is searching the documents…"
    )
    app.may_answer.set()
    answer = thread.locator("[data-testid=message][data-by=bot]")
    await expect(answer).to_have_attribute("data-state", "streaming")
    await expect(answer.locator(".caret")).to_be_visible()
    await expect(thread.get_by_test_id("status")).to_be_empty()
    app.may_finish.set()
    await expect(answer).to_have_attribute("data-state", "done")
    await expect(answer.locator("strong", has_text="28 days")).to_be_visible()
    assert await answer.locator(".md .mark").all_text_contents() == ["1", "2", "1"]
    await expect(page.get_by_test_id("replies")).to_have_text("1 reply")
    button = answer.get_by_role("button", name="Open quote").first
    await button.click()
    modal = page.get_by_test_id("modal")
    await expect(modal.get_by_role("heading", name="Footnote 1")).to_be_visible()
    await expect(modal.locator("blockquote")).to_have_text(QUOTE)
    await page.keyboard.press("Escape")
    await expect(modal).to_be_hidden()
    await expect(button).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(thread).to_be_hidden()


async def test_a_thumb_stays_pressed_for_whoever_pressed_it(
    page: Page, talking: tuple[Playground, ScriptedApp]
) -> None:
    slack, app = talking
    app.may_answer.set()
    app.may_finish.set()
    await page.get_by_test_id("suggestion").first.click()
    answer = page.get_by_test_id("thread").locator("[data-by=bot][data-state=done]")
    good, bad = answer.get_by_role("button", name="Good"), answer.get_by_role("button", name="Bad")
    await expect(good).to_have_attribute("aria-pressed", "false")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await bad.focus()
    await page.keyboard.press("Enter")
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(bad).to_be_focused()
    await expect(good).to_have_attribute("aria-pressed", "false")
    await page.get_by_test_id("user-bob").click()
    await page.get_by_test_id("replies").click()
    await expect(bad).to_have_attribute("aria-pressed", "false")
    slack.events_url = "http://127.0.0.1:9/"
    await bad.click()
    await expect(page.get_by_test_id("toast").last).to_contain_text("can't be reached")
    await expect(bad).to_have_attribute("aria-pressed", "false")
    await page.reload()
    await page.get_by_test_id("user-alice").click()
    await page.get_by_test_id("replies").click()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    assert app.votes == [("UALICE", "up"), ("UALICE", "down")]


async def test_a_suggestion_asks_with_one_click_and_a_follow_up_goes_to_the_thread(
    page: Page, talking: tuple[Playground, ScriptedApp]
) -> None:
    slack, app = talking
    app.may_answer.set()
    app.may_finish.set()
    await page.get_by_test_id("dm-bot").click()
    await page.get_by_test_id("suggestion").first.click()
    thread = page.get_by_test_id("thread")
    answers = thread.locator("[data-by=bot][data-state=done]")
    await expect(answers).to_have_count(1)
    reply = page.get_by_test_id("composer-thread")
    await reply.fill("And next year?")
    await reply.press("Shift+Enter")
    await reply.press_sequentially("Thanks")
    await reply.press("Enter")
    await expect(answers).to_have_count(2)
    (root,) = slack.messages("dm", user="alice")
    said = [m["text"] for m in slack.messages("dm", root["ts"], user="alice")]
    assert said[0] == QUESTION and said[2] == "And next year?\nThanks"


async def test_a_command_is_answered_to_one_person_alone(
    page: Page, talking: tuple[Playground, ScriptedApp]
) -> None:
    box = page.get_by_test_id("composer-main")
    await box.fill(f"/ask {QUESTION}")
    await box.press("Enter")
    private = page.locator("[data-private=true]")
    await expect(private.get_by_test_id("only-visible")).to_have_text("Only visible to you")
    await page.get_by_test_id("user-bob").click()
    await expect(page.get_by_test_id("user-bob")).to_have_attribute("aria-pressed", "true")
    await expect(private).to_have_count(0)
    await expect(page.get_by_test_id("channel-people-team")).to_have_count(0)


async def test_what_is_said_while_the_page_loads_is_shown(
    page: Page, talking: tuple[Playground, ScriptedApp]
) -> None:
    slack, _ = talking

    async def say_after_the_state_was_read(route: Route) -> None:
        state = await route.fetch()
        await slack.say("bob", "general", "Said just in time")
        await route.fulfill(response=state)

    await page.route("**/ui/state*", say_after_the_state_was_read)
    await page.reload()
    await expect(page.get_by_test_id("message")).to_have_text([re.compile("Said just in time")])


async def test_hostile_text_stays_text(page: Page, talking: tuple[Playground, ScriptedApp]) -> None:
    slack, app = talking
    hostile = (
        "<img src=x onerror=alert(1)> <script>alert(2)</script> [a](javascript:alert(3)) "
        "![b](https://evil.example/p.png) <javascript:alert(4)|c> `<b>` [d](data:text/html,x)"
    )
    await app.client.chat_postMessage(channel="CGENERAL", text=hostile)
    await app.client.chat_postMessage(channel="CGENERAL", markdown_text=hostile)
    await slack.say("bob", "general", hostile)
    shown = page.get_by_test_id("message")
    await expect(shown).to_have_count(3)
    feed = page.locator("#feed")
    assert await feed.locator("img, script, iframe, b").count() == 0
    links = await feed.locator("a").evaluate_all("all => all.map(a => a.href)")
    assert all(link.startswith("https://evil.example/") for link in links)
    relations = await feed.locator("a").evaluate_all("all => all.map(a => a.rel)")
    assert all("noopener" in r and "noreferrer" in r for r in relations)


async def test_a_refused_call_and_an_app_that_is_away_are_shown(
    page: Page, talking: tuple[Playground, ScriptedApp]
) -> None:
    slack, app = talking
    app.client.retry_handlers = []
    slack.fail_next("assistant.threads.setStatus", "ratelimited")
    await slack.say("bob", "general", "@Footnote how?")
    await expect(page.get_by_test_id("toast")).to_contain_text("assistant.threads.setStatus")
    slack.events_url = "http://127.0.0.1:9/"
    box = page.get_by_test_id("composer-main")
    await box.fill("/ask how?")
    await box.press("Enter")
    await expect(page.get_by_test_id("toast").last).to_contain_text("can't be reached")
    await expect(box).to_have_value("/ask how?")
    slack.events_url = ""
    await box.fill("anyone?")
    await box.press("Enter")
    await expect(page.locator("#banner")).to_contain_text("not connected")


async def test_the_page_fits_a_phone(page: Page, talking: tuple[Playground, ScriptedApp]) -> None:
    _, app = talking
    app.may_answer.set()
    app.may_finish.set()
    await page.set_viewport_size({"width": 375, "height": 700})
    await page.get_by_test_id("suggestion").first.click()
    await expect(page.locator("[data-by=bot][data-state=done]").last).to_be_visible()
    wide = "[...document.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > 376)"
    assert await page.evaluate(f"{wide}.map(e => e.className)") == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375
    await page.get_by_test_id("close-thread").click()
    await expect(page.get_by_test_id("composer-main")).to_be_visible()
    await page.get_by_role("button", name="Channels").click()
    await page.get_by_test_id("channel-help").click()
    await expect(page.get_by_role("heading", name="help", exact=False).first).to_be_visible()
