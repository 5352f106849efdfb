"""The settings of the MCP server, with those of setting_fields_agent.py below them. Pure."""

from dataclasses import dataclass
from typing import Annotated

from handlers.runtime import setting_kinds as kinds
from handlers.runtime.setting_fields import Setting
from handlers.runtime.setting_fields_agent import AgentFields

_MCP = "MCP server"
_MOST = 100000000


@dataclass(frozen=True, kw_only=True)
class McpFields(AgentFields):
    """The values of the settings of `footnote mcp`: how much one caller may ask of it."""

    mcp_asks_hour: Annotated[
        int,
        Setting(
            _MCP,
            "FOOTNOTE_MCP_ASKS_HOUR",
            kinds.whole(0, _MOST),
            "Most questions that one caller of `footnote mcp` may ask in an hour, since each costs "
            "tokens of the model; 0 sets no limit.",
        ),
    ] = 60
    mcp_asks_day: Annotated[
        int,
        Setting(
            _MCP,
            "FOOTNOTE_MCP_ASKS_DAY",
            kinds.whole(0, _MOST),
            "The same in a day.",
        ),
    ] = 300
    mcp_looks_hour: Annotated[
        int,
        Setting(
            _MCP,
            "FOOTNOTE_MCP_LOOKS_HOUR",
            kinds.whole(0, _MOST),
            "Most calls of search and open by one caller in an hour; 0 sets no limit.",
        ),
    ] = 600
    mcp_looks_day: Annotated[
        int,
        Setting(
            _MCP,
            "FOOTNOTE_MCP_LOOKS_DAY",
            kinds.whole(0, _MOST),
            "The same in a day.",
        ),
    ] = 5000
