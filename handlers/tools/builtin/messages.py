"""A message that a tool writes: what Slack is given, and how it is found again. Pure.

What a model wrote mentions nobody, pings no channel, links nowhere and unfolds no preview.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bot.markup import cut, escape, inert_markdown
from handlers.tools.errors import BadArguments
from handlers.work.jobs import opaque

LONGEST_TEXT: Final = 3_000
LONGEST_MARKDOWN: Final = 11_000
"""Slack takes 12,000 characters; escaping makes a text longer."""

_NOTIFICATION = 300
_EVENT = "footnote_agent_call"

TEXT: Final[Mapping[str, object]] = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_TEXT,
    "pattern": r"\S",
    "description": "The message, in Markdown. Mentions and links do not work in it.",
}
"""The schema of an argument that is posted."""


def content(text: str) -> dict[str, Any]:
    """Return the arguments that say ``text``, harmlessly. Raises BadArguments if it is blank."""
    notice = escape(text, _NOTIFICATION)
    if not notice.strip():
        raise BadArguments("The text holds nothing that anybody could read.")
    return {
        "text": notice,
        "blocks": [{"type": "markdown", "text": cut(inert_markdown(text), LONGEST_MARKDOWN)}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def marking(call: str) -> dict[str, Any]:
    """Return the metadata that marks a message as the work of one call."""
    return {"event_type": _EVENT, "event_payload": {"call": opaque(call)}}


def marked(messages: Iterable[Mapping[str, Any]], call: str) -> str:
    """Return the ts of the message that this call wrote, or "" if none of them is it."""
    for message in messages:
        about = message.get("metadata")
        if isinstance(about, dict) and about == marking(call) and message.get("bot_id"):
            return str(message.get("ts", ""))
    return ""
