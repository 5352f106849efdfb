"""The tools of MCP servers as tools of the agent.

A server is not believed: its words for a tool are what an operator approved, its schema is one that
arguments can be checked against, its hints about what a tool does are not looked at, and what it
returns is text of a bounded length.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import mcp_types as mcp
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from handlers.adapters.mcp_client import McpConnection
from handlers.adapters.mcp_servers import McpServer
from handlers.answering.cleaning import one_line
from handlers.tools.arguments import schema_fault, tool_digest
from handlers.tools.errors import ToolRefused, ToolUnavailable
from handlers.tools.ports import Effect, ToolContext, ToolResult
from handlers.work.jobs import opaque

LONGEST_NAME: Final = 64
LONGEST_DESCRIPTION: Final = 4_000
LONGEST_SCHEMA: Final = 32_000
LONGEST_RESULT: Final = 16_000
"""Characters."""

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class McpTool:
    """One tool of a server, as it was listed when this object was made."""

    name: str
    description: str
    parameters: Mapping[str, object]
    effect: Effect
    remote: str
    connection: McpConnection

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Call it, if it is still what was listed. Raises ToolUnavailable, ToolRefused."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(context.deadline):
                listed = await self.connection.listed()
        except TimeoutError as error:
            raise ToolUnavailable("There was no time left to ask for it.") from error
        now, _ = as_tools(self.connection, listed)
        if tool_digest(self) not in {tool_digest(one) for one in now if one.name == self.name}:
            raise ToolRefused(
                f"{self.name} has changed since it was approved. An operator must look at it."
            )
        seconds = min(self.connection.server.seconds, context.deadline - loop.time())
        came = await self.connection.call(self.remote, dict(arguments), seconds=seconds)
        text = as_text(came)
        if came.is_error:
            raise ToolRefused(text or "The tool failed and gave no reason.")
        return ToolResult(text or "It returned nothing.")


def as_tools(
    connection: McpConnection, listed: Sequence[mcp.Tool]
) -> tuple[tuple[McpTool, ...], tuple[str, ...]]:
    """Return the tools that can be offered, and a sentence for each that cannot."""
    server = connection.server
    tools: list[McpTool] = []
    left_out: list[str] = []
    names: set[str] = set()
    for one in listed:
        if not server.admits(one.name):
            continue
        tool = McpTool(
            name_of(server, one.name),
            one.description or f"{one_line(one.name)[:LONGEST_NAME]} of {server.name}.",
            one.input_schema,
            server.effect_of(one.name),
            one.name,
            connection,
        )
        fault = "another one has its name" if tool.name.lower() in names else _fault(tool)
        if fault:
            left_out.append(f"{tool.name} is left out: {fault}.")
        else:
            names.add(tool.name.lower())
            tools.append(tool)
    if server.tools is not None and (absent := server.tools - {one.name for one in listed}):
        named = ", ".join(sorted(absent))
        left_out.append(f"The server {server.name} has no tool called {named}.")
    return tuple(tools), tuple(left_out)


def name_of(server: McpServer, tool: str) -> str:
    """Return the name of a tool for the model: ``<server>_<tool>``.

    A name that has other characters, or is too long, ends in digits of its own, so that no two
    tools come to share one. No server has ``_`` in its name, so none can pass for another. Pure.
    """
    plain = f"{server.name}_{tool}"
    name = _FOREIGN.sub("_", plain)
    if name == plain and len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - _DIGITS - 1]}_{opaque(plain)[:_DIGITS]}"


def as_text(came: mcp.CallToolResult) -> str:
    """Return what a call returned, as text; what is no text is named and left out. Pure."""
    parts = [_part(one) for one in came.content]
    if not parts and came.structured_content is not None:
        parts = [json.dumps(came.structured_content, ensure_ascii=False)]
    text = "\n\n".join(part for part in parts if part.strip())
    if len(text) <= LONGEST_RESULT:
        return text
    return f"{text[:LONGEST_RESULT]}\n[cut here: {len(text) - LONGEST_RESULT:,} characters more]"


def _part(block: mcp.ContentBlock) -> str:
    match block:
        case mcp.TextContent():
            return block.text
        case mcp.ImageContent():
            return _left_out("An image", block.mime_type)
        case mcp.AudioContent():
            return _left_out("A sound", block.mime_type)
        case mcp.ResourceLink():
            return _left_out("A link to a resource", block.name)
        case mcp.EmbeddedResource():
            return _left_out("A resource", block.resource.uri)


def _left_out(what: str, named: object) -> str:
    label = one_line(str(named))[:100]
    return f"[{what} was left out: {label}]"


def _fault(tool: McpTool) -> str:
    """Return half a sentence about why a tool cannot be offered, or ""."""
    if not tool.description.strip():
        return "it has no description"
    if len(tool.description) > LONGEST_DESCRIPTION:
        return f"its description has more than {LONGEST_DESCRIPTION:,} characters"
    try:
        size = len(json.dumps(tool.parameters))
    except (TypeError, ValueError, RecursionError):
        return "its schema is no JSON"
    if size > LONGEST_SCHEMA:
        return f"its schema has more than {LONGEST_SCHEMA:,} characters"
    if fault := schema_fault(tool.parameters):
        return fault.rstrip(".")
    try:
        # Whoever is offered the tool reads its schema so, whatever dialect it says it is in.
        Draft202012Validator.check_schema(dict(tool.parameters))
    except (SchemaError, RecursionError):
        return "its schema is not JSON Schema 2020-12"
    return ""
