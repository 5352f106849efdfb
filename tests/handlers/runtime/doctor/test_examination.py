"""Checks run beside each other, and none hides another."""

import asyncio
import time
from collections.abc import Sequence

from handlers.runtime.doctor.examination import Check, examine
from handlers.runtime.doctor.findings import Finding, Verdict, ok


async def well() -> Sequence[Finding]:
    return [ok("well", "All is well.")]


async def hangs() -> Sequence[Finding]:
    await asyncio.sleep(60)
    return []


async def breaks() -> Sequence[Finding]:
    raise RuntimeError("xoxb-a-secret")


async def times_out_itself() -> Sequence[Finding]:
    raise TimeoutError


async def test_a_check_that_hangs_or_breaks_hides_no_other() -> None:
    began = time.monotonic()
    found = await examine(
        [
            Check(("hangs", "hangs too"), hangs),
            Check(("breaks",), breaks),
            Check(("gives up",), times_out_itself),
            Check(("well",), well),
        ],
        seconds=0.2,
    )
    assert time.monotonic() - began < 5
    assert [(f.check, f.verdict) for f in found] == [
        ("hangs", Verdict.FAILED),
        ("hangs too", Verdict.FAILED),
        ("breaks", Verdict.FAILED),
        ("gives up", Verdict.FAILED),
        ("well", Verdict.OK),
    ]
    assert "0.2 s" in found[0].found
    assert "0.2 s" not in found[3].found


async def test_of_an_error_that_nobody_foresaw_only_the_name_is_told() -> None:
    [found] = await examine([Check(("breaks",), breaks)])
    assert "RuntimeError" in found.found
    assert "secret" not in found.found + found.todo


async def test_loading_a_large_library_does_not_use_up_the_time_of_its_check() -> None:
    loading = Check(("well",), well, load=lambda: time.sleep(0.3))
    [found] = await examine([loading], seconds=0.1)
    assert found.verdict is Verdict.OK


async def test_a_library_that_cannot_be_loaded_fails_its_check_alone() -> None:
    def missing() -> None:
        raise ModuleNotFoundError("no such library")

    found = await examine([Check(("a",), well, load=missing), Check(("well",), well)])
    assert [f.verdict for f in found] == [Verdict.FAILED, Verdict.OK]


async def test_progress_reaches_the_number_of_checks() -> None:
    told: list[tuple[int, int]] = []
    await examine([Check(("well",), well)] * 3, progress=lambda *now: told.append(now))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
