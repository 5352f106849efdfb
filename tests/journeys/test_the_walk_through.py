"""A new operator follows README.md to the letter: its commands, in a clone of this checkout."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.doubles.chromium import chromium
from tests.doubles.local_cloud import until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1500)]

ROOT = Path(__file__).resolve().parents[2]
SETUP_SECONDS = 900.0
COMMAND_SECONDS = 180.0
SETTINGS = ("AWS_", "FOOTNOTE_", "OPENAI_", "SLACK_")
"""What a new operator has not set."""
QUESTION = "@Footnote How many days of paid holiday do I have?"


def blocks(checkout: Path) -> list[str]:
    """Return the commands that README.md gives before it comes to the real AWS."""
    chapter = (checkout / "README.md").read_text("utf-8").partition("\n## Run it on AWS\n")[2]
    local = chapter.partition("On the real AWS")[0]
    return re.findall(r"^```sh\n(.*?)^```$", local, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of what is committed, with nothing that was installed here."""
    place = tmp_path_factory.mktemp("operator") / "footnote"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)
    return place


@asynccontextmanager
async def typed(
    commands: str, folder: Path, log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run commands in a terminal of their own, all they say in a file."""
    with log.open("wb") as said:
        shell = await asyncio.create_subprocess_exec(
            "bash",
            "-ec",
            commands,
            cwd=folder,
            env={k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield shell
    finally:
        if shell.returncode is None:
            os.killpg(shell.pid, signal.SIGKILL)
            await shell.wait()


def printed(log: Path, pattern: str, shell: asyncio.subprocess.Process) -> str:
    """Return the group of the line that is looked for, empty as long as there is none."""
    said = log.read_text("utf-8")
    assert shell.returncode is None, said
    found = re.search(pattern, said)
    return found[1] if found else ""


async def holiday_answer(page_url: str) -> str:
    """Ask a question in the page that was printed; return what the answer shows."""
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(page_url)
        box = page.get_by_test_id("composer-main")
        await box.fill(QUESTION)
        await box.press("Enter")
        answer = page.get_by_test_id("thread").locator('[data-by="bot"][data-state="done"]')
        await expect(answer).to_contain_text("27 days", timeout=60_000)
        await expect(answer.locator(".mark").first).to_have_text("1")
        return await answer.inner_text()


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of all processes that have to do with a folder."""
    listed = subprocess.run(["ps", "-axww", "-o", "args="], capture_output=True, check=True)
    return [line for line in listed.stdout.decode().splitlines() if str(folder) in line]


async def test_the_local_cloud_of_the_readme_is_started_examined_asked_and_ended(
    clone: Path, tmp_path: Path
) -> None:
    start, afterwards = blocks(clone)
    log = tmp_path / "local-cloud.log"
    async with typed(start, clone, log) as shell:
        page = await until(lambda: printed(log, r"Open (\S+) and ask", shell), SETUP_SECONDS)
        address = await until(lambda: printed(log, r"Slack's events go to (\S+)\n", shell))

        assert "ADDRESS" in afterwards
        second = tmp_path / "second-terminal.log"
        async with typed(afterwards.replace("ADDRESS", address), clone, second) as operator:
            async with asyncio.timeout(COMMAND_SECONDS):
                status = await operator.wait()
        said = second.read_text("utf-8")
        print(said)
        assert status == 0, said
        assert "Traceback" not in said
        for told in (
            "footnote-local is deployed",
            "135 passages",
            "workers",
            "nothing to put back",
        ):
            assert told in said, told

        print(await holiday_answer(page))
        os.killpg(shell.pid, signal.SIGINT)
        async with asyncio.timeout(60.0):
            await shell.wait()
    assert "Traceback" not in log.read_text("utf-8")
    assert not processes_of(clone)
