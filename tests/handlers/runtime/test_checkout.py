"""The checkout is found, and the programs in it are heard and ended."""

import asyncio
import os
from pathlib import Path

import pytest

from handlers.runtime.checkout import Ended, checkout, osls_line, run_module, zip_options

ROOT = Path(__file__).parents[3]


def test_this_is_a_checkout() -> None:
    assert checkout() == ROOT


def test_what_osls_is_given() -> None:
    line = osls_line("deploy", "dev", "eu-west-1", "an-image", {"docs": "/d e"})
    assert line == (
        *("infra.osls", "deploy", "--stage", "dev", "--region", "eu-west-1"),
        *("--param=image=an-image", "--param=docs=/d e"),
    )
    assert "--param=image=" not in "".join(osls_line("package", "local", "r", "", {}))


def test_the_zips_are_made_for_the_machine_that_runs_them_and_with_its_extras() -> None:
    params = {"runtime": "python3.14", "architecture": "arm64", "extras": "otel"}
    named = ["--python", "3.14", "--machine", "arm64"]
    assert zip_options("prod", params) == [*named, "--extra", "otel"]
    assert zip_options("local", params) == ["--code-only", *named]
    assert zip_options("dev", {}) == []


async def test_a_program_is_heard_line_by_line_and_its_last_words_are_kept(tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text(
        "import sys\nfor n in range(30): print('line', n)\nprint('bad', file=sys.stderr)\n"
        "raise SystemExit(3)\n"
    )
    heard: list[str] = []
    ended = await run_module(tmp_path, "chatty", hear=heard.append, keep=2)
    assert ended.status == 3
    assert len(heard) == 31
    assert len(ended.last) == 2


async def test_whoever_is_cancelled_ends_the_program(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(
        "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"
    )
    heard: list[str] = []
    begun = asyncio.Event()

    def hear(line: str) -> None:
        heard.append(line)
        begun.set()

    running = asyncio.create_task(run_module(tmp_path, "sleepy", hear=hear))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(int(heard[0]), 0)


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (
            ["Environment: x", "Error:", "No such", "stack.", "View the full error: here"],
            "No such stack.",
        ),
        (["one", "two"], "one two"),
        ([], ""),
    ],
)
def test_of_what_osls_says_the_reason_is_kept(last: list[str], why: str) -> None:
    assert Ended(1, tuple(last)).why == why
