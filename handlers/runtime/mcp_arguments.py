"""How the commands about MCP are asked on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from handlers.runtime.settings import Settings, SettingsError


def add_commands(
    commands_: argparse._SubParsersAction[argparse.ArgumentParser],
    shared: argparse.ArgumentParser,
    place: argparse.ArgumentParser,
    on_aws: argparse.ArgumentParser,
    json_flag: argparse.ArgumentParser,
) -> None:
    """Add what offers the documents to assistants, and what approves the tools of others."""
    mcp = commands_.add_parser(
        "mcp",
        parents=[shared, place, json_flag],
        help="offer the documents to other assistants, as an MCP server",
    )
    mcp.add_argument(
        "--as",
        dest="reader",
        action="append",
        default=[],
        metavar="WHO",
        help="over stdio: whose rights it has, an e-mail address, everyone, or kind:name",
    )
    mcp.add_argument("--port", type=int, help="over HTTP instead, at this port; 0 takes a free one")
    mcp.add_argument(
        "--host", default="127.0.0.1", help="over HTTP: the address to listen at (%(default)s)"
    )
    mcp.add_argument("--callers", type=Path, help="over HTTP: the file of those with a token")
    mcp.add_argument("--new-token", action="store_true", help="only make a token for a caller")
    tools = commands_.add_parser(
        "tools",
        parents=[shared, on_aws, json_flag],
        help="show the tools of MCP servers, and approve them as they are",
    )
    tools.add_argument(
        "action",
        nargs="?",
        default="",
        choices=("", "approve", "withdraw"),
        metavar="approve | withdraw",
        help="let the agent propose a tool, or no longer; without this they are listed",
    )
    tools.add_argument("name", nargs="?", default="", help="the tool, as it is listed")
    tools.add_argument(
        "--digest", default="", help="approve only if its digest begins so, as it was shown"
    )


def mcp(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    """Return what serves, or makes a token."""
    from handlers.runtime import mcp_commands

    if arguments.new_token:
        return _at_once(mcp_commands.run_new_token(as_json=arguments.json))
    if arguments.port is None and arguments.callers is not None:
        raise SettingsError(["--callers is for HTTP: add --port, and the server listens there."])
    if arguments.port is None:
        return mcp_commands.run_mcp(settings, reader=arguments.reader)
    if arguments.reader:
        raise SettingsError(["--as is for stdio; over HTTP the file of --callers says as whom."])
    return mcp_commands.run_mcp_http(
        settings, host=arguments.host, port=arguments.port, callers=arguments.callers
    )


def tools(arguments: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int]:
    """Return what shows the tools, or decides about one."""
    from handlers.runtime.mcp_commands import run_tools

    if arguments.action and not arguments.name:
        raise SettingsError([f"`footnote tools {arguments.action}` needs the name of a tool."])
    return run_tools(
        settings,
        action=arguments.action,
        name=arguments.name,
        digest=arguments.digest,
        stage=arguments.stage or "",
        region=arguments.region,
        as_json=arguments.json,
    )


async def _at_once(code: int) -> int:
    return code
