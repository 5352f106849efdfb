"""The report of `footnote eval` in a real browser, opened from the disk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from handlers.judging.comparison import compare
from handlers.judging.report import write_report
from infra.browser import find
from tests.handlers.judging.test_comparison import block, earlier, judged, report, shuffled
from tests.handlers.judging.test_report import hostile, measured

WIDTH = 1180


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A report with plots, a comparison, and worst cases that would like to act."""
    cases = [*judged(shuffled), hostile()]
    comparison = compare(earlier(report()), [report(shuffled)], block(embedder="another"))
    path = tmp_path / "report.html"
    write_report(path, [measured("tiny", cases), measured("other", cases)], block(), comparison)
    return path


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


async def opened(page: Page, path: Path) -> list[str]:
    """Open the report; return what went wrong and every address that was asked for besides it."""
    seen: list[str] = []
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("dialog", lambda dialog: seen.append(dialog.message))
    page.on("request", lambda request: seen.append(request.url))
    await page.goto(path.as_uri())
    return [one for one in seen if one != path.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_opens_from_the_disk_without_errors_or_requests(
    chromium: Browser, path: Path, scheme: str
) -> None:
    context = await chromium.new_context(
        viewport={"width": WIDTH, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        offline=True,
    )
    page = await context.new_page()
    assert await opened(page, path) == []

    await expect(page.get_by_text("A real loss against the earlier report")).to_be_visible()
    dots = page.locator("svg.plot circle")
    assert await dots.count() > 20
    first = await dots.first.bounding_box()
    assert first is not None and first["width"] > 4
    await expect(page.locator("svg.plot .loss").first).to_be_visible()
    await expect(page.locator(".case").first).to_be_visible()
    sides = [await side.bounding_box() for side in await page.locator(".side").all()]
    assert sides[0] and sides[1] and sides[2]
    assert sides[0]["y"] == sides[1]["y"] == sides[2]["y"]
    assert sides[0]["x"] < sides[1]["x"] < sides[2]["x"]

    # Nothing is wider than the page, and no label of a plot is cut off.
    assert await page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    cut = await page.evaluate(
        """[...document.querySelectorAll('svg.plot')].flatMap(svg => {
          const frame = svg.getBoundingClientRect();
          return [...svg.querySelectorAll('text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.left < frame.left - 1 || box.right > frame.right + 1;
          }).map(text => text.textContent);
        })"""
    )
    assert [label for label in cut if label in ("tiny: nDCG@10", "other: nDCG@10", "tiny")] == []
    paper = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    brightness = sum(map(int, paper[4:-1].split(",")))
    assert (brightness < 200) == (scheme == "dark")
    await context.close()
