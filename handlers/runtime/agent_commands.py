"""`footnote agents`, which stops all agents within five seconds, and `footnote audit`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from handlers.runtime import agent_mode, terminal
from handlers.runtime.agents import opened_audit
from handlers.runtime.settings import Settings
from handlers.runtime.stage import open_stage
from handlers.runtime.wiring import opened_store
from handlers.tools.switch import Switch

if TYPE_CHECKING:
    from handlers.tools.audit import AuditEntry

OK = 0

STOP, START, STATUS = "stop", "start", "status"

_OPERATOR = "the operator"
_LONGEST_VALUE = 200
_FIRST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AgentsState:
    """Whether agent mode is ``on`` by the settings, and whether somebody ``stopped`` all agents."""

    on: bool
    stopped: bool


def add_commands(
    commands_: argparse._SubParsersAction[argparse.ArgumentParser],
    shared: argparse.ArgumentParser,
    on_aws: argparse.ArgumentParser,
    json_flag: argparse.ArgumentParser,
) -> None:
    """Add the commands of whoever answers for the agent."""
    agents = commands_.add_parser(
        "agents",
        parents=[shared, on_aws, json_flag],
        help="stop all agents at once, or let them go on",
    )
    agents.add_argument("action", choices=(STATUS, STOP, START))
    audit = commands_.add_parser(
        "audit",
        parents=[shared, on_aws, json_flag],
        help="show who asked the agent for what, and what was proposed, decided and run",
    )
    audit.add_argument("--since", type=moment, help="a date or a time (default: a week ago)")
    audit.add_argument("--until", type=moment, help="a date or a time (default: now)")
    audit.add_argument("--run", default="", help="one run: team:channel:ts of its mention")


def moment(text: str) -> datetime:
    """Return a time that was typed, in ISO 8601; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date such as 2026-01-31, nor a time such as 2026-01-31T09:30"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def agents(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    """Return what turns the switch, or looks at it."""
    return run_agents(
        settings,
        arguments.action,
        stage=arguments.stage or "",
        region=arguments.region,
        as_json=arguments.json,
    )


def audit(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    """Return what shows the log."""
    return run_audit(
        settings,
        stage=arguments.stage or "",
        region=arguments.region,
        since=arguments.since,
        until=arguments.until,
        run=arguments.run,
        as_json=arguments.json,
    )


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
    found = []
    async with opened_audit(settings) as log:
        async for entry in log.read(begins, ends):
            if run and entry.run != run:
                continue
            if as_json:
                found.append(entry)
            else:
                print(line(entry))
    if as_json:
        terminal.print_json({"entries": found})
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
