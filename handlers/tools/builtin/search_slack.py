"""Search what was said in Slack's public channels, live."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.listings import rows, seconds, word
from bot.markup import cut, one_line
from bot.transcripts import readable
from handlers.tools.builtin.asking_slack import asking_slack
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult
from index.audience import EVERYONE

MOST_RESULTS = 10
LONGEST_MESSAGE = 800
LONGEST_QUERY = 300


class SearchSlack:
    """Slack's real-time search, as the asker, in public channels only.

    A bot's token is given nothing else, and full members may read all public channels, so a room
    with a guest in it is shown nothing. Slack's terms forbid to store what it returns: this tool
    keeps nothing, and as it is ``fleeting`` the run saves none of its text (tools/fleeting.py).
    """

    name = "search_slack"
    description = (
        "Search messages in Slack's public channels. Use it for what people said, not for what"
        " documents say."
    )
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_QUERY,
                "pattern": r"\S",
                "description": "A question or key words.",
            }
        },
        "required": ["query"],
        "additionalProperties": False,
    }
    effect = Effect.READ
    fleeting = True

    def __init__(self, client: AsyncWebClient) -> None:
        """Search with ``client``."""
        self._client = client

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Return messages, the best first. Raises ToolRefused, ToolUnavailable."""
        if not context.action_token:
            raise ToolRefused("Slack gave no leave to search for this message. Do without it.")
        if not context.audience.may_read(frozenset({EVERYONE.id})):
            raise ToolRefused("Not everybody here may read all public channels. Do without it.")
        async with asking_slack(context):
            answer: Any = await self._client.api_call(
                "assistant.search.context",
                json={
                    # Brackets would be read as a filter by channel or person.
                    "query": one_line(str(arguments["query"]).translate(_NO_MARKUP)),
                    "action_token": context.action_token,
                    "channel_types": ["public_channel"],
                    "content_types": ["messages"],
                    "include_bots": False,
                    "limit": MOST_RESULTS,
                },
            )
        found = answer.get("results")
        messages = rows(found, "messages") if isinstance(found, dict) else []
        lines = [line for one in messages[:MOST_RESULTS] if (line := _line(one))]
        return ToolResult("\n\n".join(lines) or "Nothing was found in Slack.")


_NO_MARKUP = str.maketrans({"<": " ", ">": " "})


def _line(message: Mapping[str, Any]) -> str:
    """Return who said what, where and when; "" for what no public channel can hold."""
    text = cut(one_line(readable(word(message, "content"), {})), LONGEST_MESSAGE)
    if not text or not word(message, "channel_id").startswith("C"):
        return ""
    author = one_line(word(message, "author_name"))[:60] or "someone"
    channel = one_line(word(message, "channel_name"))[:80] or word(message, "channel_id")
    return f"{author} in #{channel}{_dated(word(message, 'message_ts'))}: {text}"


def _dated(ts: str) -> str:
    moment = seconds(ts)
    return f" on {datetime.fromtimestamp(moment, UTC):%Y-%m-%d}" if moment else ""
