"""The files that an operator writes for the agent: its policy, MCP servers and webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.runtime.settings import Settings, SettingsError

if TYPE_CHECKING:
    from handlers.adapters.mcp_servers import McpServer
    from handlers.adapters.webhooks import Hook
    from handlers.tools.policy import Policy


def policy(settings: Settings) -> Policy:
    """Return what needs no human. Raises SettingsError."""
    from handlers.tools.policy import NO_POLICY, BadPolicy, read_policy

    if settings.agent_policy is None:
        return NO_POLICY
    try:
        return read_policy(text_of(settings.agent_policy, "FOOTNOTE_AGENT_POLICY"))
    except BadPolicy as error:
        raise SettingsError([f"FOOTNOTE_AGENT_POLICY: {error}"]) from None


def hooks(settings: Settings) -> Mapping[str, Hook]:
    """Return the webhooks by name. Raises SettingsError."""
    from handlers.adapters.webhooks import HooksInvalid, read_hooks

    if settings.webhooks is None:
        return {}
    text = text_of(settings.webhooks, "FOOTNOTE_WEBHOOKS")
    if says_nothing(text):
        return {}
    try:
        return read_hooks(text, partial(tool_secret, settings))
    except HooksInvalid as error:
        raise SettingsError([f"FOOTNOTE_WEBHOOKS: {error}"]) from None


def mcp_servers(settings: Settings) -> Sequence[McpServer]:
    """Return the MCP servers. Raises SettingsError with everything that is wrong."""
    if settings.mcp is None:
        return ()
    text = text_of(settings.mcp, "FOOTNOTE_MCP")
    if says_nothing(text):
        return ()
    from handlers.adapters.mcp_servers import McpServersInvalid, read_servers

    try:
        return read_servers(text, tool_secrets(settings))
    except McpServersInvalid as error:
        raise SettingsError([f"FOOTNOTE_MCP: {one}" for one in error.problems]) from None


def tool_secret(settings: Settings, name: str) -> str:
    """Return a secret that a file of tools names. Raises SettingsError."""
    known = tool_secrets(settings)
    if name not in known:
        raise SettingsError([f"FOOTNOTE_TOOL_SECRETS holds no {name!r}; add {name}=..."])
    return known[name]


def tool_secrets(settings: Settings) -> Mapping[str, str]:
    """Return the secrets that files of tools name, by name."""
    given = settings.tool_secrets.get_secret_value() if settings.tool_secrets else ""
    return dict(pair.split("=", 1) for pair in given.split())


def text_of(path: Path, setting: str) -> str:
    """Return what a file says that a setting names. Raises SettingsError."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"{setting} is {path}, which cannot be read ({type(error).__name__})."]
        ) from None


def says_nothing(toml: str) -> bool:
    """Tell whether a file holds comments alone, as those do that an image brings along. Pure."""
    return all(not line or line.startswith("#") for line in map(str.strip, toml.splitlines()))
