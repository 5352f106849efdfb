"""`footnote agents` and `footnote audit`, on what a laptop keeps."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handlers.__main__ import main
from handlers.runtime.agent_arguments import moment
from handlers.runtime.agent_commands import line, run_agents, run_audit
from handlers.runtime.agents import opened_audit
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import opened_store
from handlers.tools.audit import AuditEntry, AuditEvent
from handlers.tools.switch import Switch

RUN = "T1:C1:1767225600.000100"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def entry(minutes: int, event: AuditEvent, run: str = RUN, **details: object) -> AuditEntry:
    at = BEGAN + timedelta(minutes=minutes)
    return AuditEntry(at, run, "T1", "C1", "UALICE", event, "post_message", details)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({"FOOTNOTE_HOME": str(tmp_path)})


async def stopped(settings: Settings) -> bool:
    async with opened_store(settings) as store:
        return await Switch(store).stopped()


async def test_the_switch_is_turned_and_told(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    for action, expected in (("stop", True), ("status", True), ("start", False), ("status", False)):
        assert await run_agents(settings, action, stage="", region="", as_json=True) == 0
        told = json.loads(capsys.readouterr().out)
        assert told == {"on": False, "stopped": expected}
        assert await stopped(settings) == expected
    await run_agents(settings, "stop", stage="", region="", as_json=False)
    assert "footnote agents start" in capsys.readouterr().out


async def audited(settings: Settings, *entries: AuditEntry) -> None:
    async with opened_audit(settings) as log:
        for one in entries:
            await log.append(one)


async def shown(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    *,
    since: datetime | None = BEGAN,
    until: datetime | None = BEGAN + timedelta(days=1),
    run: str = "",
) -> list[str]:
    await run_audit(settings, stage="", region="", since=since, until=until, run=run, as_json=True)
    return [one["event"] for one in json.loads(capsys.readouterr().out)["entries"]]


async def test_the_log_is_shown_by_time_and_by_run(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    other = f"{RUN}9"
    await audited(
        settings,
        entry(0, AuditEvent.ASKED),
        entry(1, AuditEvent.APPROVED, arguments='{"text":"hi"}'),
        entry(2, AuditEvent.ASKED, other),
        entry(90, AuditEvent.RAN),
    )
    assert await shown(settings, capsys) == ["asked", "approved", "asked", "ran"]
    assert await shown(settings, capsys, since=BEGAN + timedelta(hours=1)) == ["ran"]
    assert await shown(settings, capsys, until=BEGAN + timedelta(minutes=1)) == ["asked"]
    # A run is found by its name alone, however long ago it was.
    assert await shown(settings, capsys, since=None, until=None, run=RUN) == [
        *("asked", "approved", "ran")
    ]
    assert await shown(settings, capsys, since=None, until=None) == []


async def test_a_laptop_without_a_log_has_an_empty_one(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await shown(settings, capsys) == []


async def test_an_empty_log_says_what_was_looked_through(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    until = BEGAN + timedelta(days=1)
    await run_audit(settings, stage="", region="", since=BEGAN, until=until, run="", as_json=False)
    printed = capsys.readouterr()
    told = "Nothing was noted from 2026-01-01 00:00 to 2026-01-02 00:00 UTC."
    assert (printed.out, " ".join(printed.err.split())) == ("", told)


def test_no_line_of_the_log_steers_a_terminal_or_turns_it_around() -> None:
    told = line(entry(0, AuditEvent.RETURNED, text="\x1b[2Jsafe\u202e\n", long="x" * 5_000))
    assert told.startswith("2026-01-01 00:00:00  returned  post_message  UALICE  T1:C1:")
    assert told.isascii() and told.isprintable()
    assert "5000 characters" in told
    assert len(told) < 600


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T09:30", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31T09:30+01:00", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_it_is_written(text: str, expected: datetime) -> None:
    assert moment(text) == expected


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="yesterday"):
        moment("yesterday")


def test_the_command_line_turns_the_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["agents", "stop", "--home", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stopped"] is True
    assert main(["audit", "--home", str(tmp_path), "--since", "2026-01-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"entries": []}
