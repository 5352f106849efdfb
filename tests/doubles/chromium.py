"""A real browser that talks to nobody but the page under test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from infra.browser import find

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Yield a browser that is closed when the block is left."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=find(), args=list(QUIET))
        yield launched
        await launched.close()
