"""`footnote agents`, which stops all agents within five seconds, and `footnote audit`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from handlers.runtime import agent_mode, terminal
from handlers.runtime.agents import opened_audit
from handlers.runtime.settings import Settings
from handlers.runtime.stage import open_stage
from handlers.runtime.wiring import opened_store
from handlers.tools.switch import Switch

if TYPE_CHECKING:
    from handlers.tools.audit import AuditEntry

OK = 0

STOP, START = "stop", "start"

_OPERATOR = "the operator"
_LONGEST_VALUE = 200
_FIRST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AgentsState:
    """Whether agent mode is ``on`` by the settings, and whether somebody ``stopped`` all agents."""

    on: bool
    stopped: bool


async def run_agents(
    settings: Settings, action: str, *, stage: str, region: str, as_json: bool
) -> int:
    """`footnote agents`: return the exit code. Raises SettingsError, WorkError."""
    if stage:
        settings = (await open_stage(settings, stage, region=region)).settings
    async with opened_store(settings) as store:
        switch = Switch(store)
        if action == STOP:
            await switch.stop(_OPERATOR)
        elif action == START:
            await switch.start(_OPERATOR)
        state = AgentsState(agent_mode.is_on(settings), await switch.stopped())
    if as_json:
        terminal.print_json(state)
    else:
        print(_sentence(state))
    return OK


async def run_audit(
    settings: Settings,
    *,
    stage: str,
    region: str,
    since: datetime | None,
    until: datetime | None,
    run: str,
    as_json: bool,
) -> int:
    """`footnote audit`: return the exit code. Raises SettingsError, WorkError.

    With ``run`` and no ``since`` the whole log is looked through.
    """
    if stage:
        settings = (await open_stage(settings, stage, region=region)).settings
    ends = until or datetime.now(UTC)
    begins = since or (_began(run) if run else ends - timedelta(days=7))
    kept, count = [], 0
    async with opened_audit(settings) as log:
        async for entry in log.read(begins, ends):
            if run and entry.run != run:
                continue
            count += 1
            if as_json:
                kept.append(entry)
            else:
                print(line(entry))
    if as_json:
        terminal.print_json({"entries": kept})
    elif not count:
        first, last = (f"{one.astimezone(UTC):%Y-%m-%d %H:%M}" for one in (begins, ends))
        terminal.tell(f"Nothing was noted from {first} to {last} UTC.")
    return OK


def line(entry: AuditEntry) -> str:
    """Return an entry as a line; everything that people or models wrote stands in quotes. Pure."""
    parts = [entry.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"), entry.event.value]
    parts += [part for part in (entry.tool, entry.user, entry.run) if part]
    # JSON in ASCII: no control character and no other direction of writing reaches the terminal.
    shown = {name: _short(value) for name, value in entry.details.items()}
    return "  ".join([*parts, *([json.dumps(shown)] if shown else [])])


def _short(value: object) -> object:
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return f"{value[:_LONGEST_VALUE]}… ({len(value)} characters; --json shows all)"
    return value


def _began(run: str) -> datetime:
    """Return when a run began, which is part of its name."""
    try:
        return datetime.fromtimestamp(float(run.rpartition(":")[2]), UTC) - timedelta(minutes=5)
    except (ValueError, OverflowError, OSError):
        return _FIRST


def _sentence(state: AgentsState) -> str:
    mode = "Agent mode is on." if state.on else "Agent mode is off (FOOTNOTE_AGENT)."
    if state.stopped:
        return f"{mode} All agents are stopped; `footnote agents start` lets them go on."
    return f"{mode} No agent is stopped."
