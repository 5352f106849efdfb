"""How the commands of whoever answers for the agent are asked on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from handlers.runtime.settings import Settings


def add_commands(
    commands_: argparse._SubParsersAction[argparse.ArgumentParser],
    shared: argparse.ArgumentParser,
    on_aws: argparse.ArgumentParser,
    json_flag: argparse.ArgumentParser,
) -> None:
    """Add the switch of all agents, and what reads their log."""
    agents = commands_.add_parser(
        "agents",
        parents=[shared, on_aws, json_flag],
        help="stop all agents within seconds, or let them go on",
    )
    agents.add_argument(
        "action",
        choices=("status", "stop", "start"),
        help="say whether they are stopped, stop all of them, or let them go on",
    )
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
    from handlers.runtime.agent_commands import run_agents

    return run_agents(
        settings,
        arguments.action,
        stage=arguments.stage or "",
        region=arguments.region,
        as_json=arguments.json,
    )


def audit(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    """Return what shows the log."""
    from handlers.runtime.agent_commands import run_audit

    return run_audit(
        settings,
        stage=arguments.stage or "",
        region=arguments.region,
        since=arguments.since,
        until=arguments.until,
        run=arguments.run,
        as_json=arguments.json,
    )
